"""Write docs/invariants.md from the code: `make invariants`."""

from pathlib import Path

from opsai_subjects.invariant import Invariant
from opsai_tikv.alerts import ALERTS, Alert
from opsai_tikv.invariants.every import PARTS
from opsai_tikv.invariants.rule import InvariantRule

PAGE = Path(__file__).resolve().parents[1] / "docs" / "invariants.md"
HEAD = """# What must hold of a TiKV cluster

Written by `make invariants` from the code. {count} invariants, judged at every look of the watcher (each 30 s by default) and whenever a tool asks.
Each verdict is held, violated or unknown. Unknown is never health: it raises nothing, and it resolves nothing.

- **cause** names the sick part; **symptom** is felt there and may come from elsewhere: it joins the open ticket of its cause; **sight** is about our own eyes.
- **for** is how long it must be violated before a ticket is raised.
- **limit** is the figure it stands on, in its unit. Where a figure is also compared with peers or with the node's own past, it counts only beyond the limit.

## Setting limits

Limits and holding times are those of one cluster. A name that is not known is refused with those that are.

```toml
[clusters.prod.limits]
store_space_left = 0.15     # of the disk free

[clusters.prod.for_seconds]
store_disk_fast = 60
```

`check_invariants` and `knowledge` show the limit in force. Fault kinds go by it too.
"""
ALERTS_HEAD = """
## The alert rules that TiKV and PD ship

Each rule of `tikv.rules.yml` and `pd.rules.yml` (v6.5 to the masters of August 2026), and what says the same here. The rules look at one moment of one metric;
most invariants compare a node with its peers and its own past, and join what follows of one cause in one ticket.

| rule | invariants | what is otherwise here |
|---|---|---|
"""


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")


def page() -> str:
    """Return the whole page."""
    parts = "".join(_part(name, rules) for name, rules in PARTS.items())
    count = sum(len(rules) for rules in PARTS.values())
    return HEAD.format(count=count) + parts + ALERTS_HEAD + "".join(_alert(alert) for alert in ALERTS)


def _part(name: str, rules: tuple[InvariantRule, ...]) -> str:
    head = "| invariant | what must hold, and why | severity | for | limit | unknown means | read from |\n|---|---|---|---|---|---|---|\n"
    return f"\n## {name}\n\n{head}" + "".join(_row(rule.invariant) for rule in rules)


def _row(one: Invariant) -> str:
    limit = "" if one.limit is None else _cell(f"{one.limit:,.6g} {one.unit}")
    cells = (
        f"`{one.id}`",
        f"{_cell(one.says)} {_cell(one.why)}",
        f"{one.severity}, {one.grade}",
        _span(one.for_seconds),
        limit,
        _cell(one.unknown_means),
        _cell(one.source),
    )
    return f"| {' | '.join(cells)} |\n"


def _alert(alert: Alert) -> str:
    never = f"**It can never fire:** {alert.never_fires}. " if alert.never_fires else ""
    otherwise = _cell(never + alert.differs).strip()
    return f"| `{alert.name}` | {', '.join(f'`{name}`' for name in alert.invariants)} | {otherwise} |\n"


def _span(seconds: float) -> str:
    if seconds >= 3600:
        return f"{seconds / 3600:g} h"
    return f"{seconds / 60:g} min" if seconds >= 60 else f"{seconds:g} s"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    main()
