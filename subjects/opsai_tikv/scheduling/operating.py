"""Operators at work and ended, told: how old, at which step, and what each waits for. Pure."""

import re
from collections.abc import Sequence
from datetime import datetime

from opsai_subjects.reply import without_empty
from opsai_tikv.facts import TikvFacts
from opsai_tikv.pd.values import Operator
from opsai_tikv.regions.majority import is_heard
from opsai_tikv.wording import lasting, tally

COLUMNS = ("region", "operator", "does", "age", "of timeout", "waits for")
_STORES = re.compile(r"stores? \[?(\d+)\]?(?: to \[?(\d+)\]?)?")
_WAITS = (
    ("add learner", "a snapshot to {store}"),
    ("add peer", "a snapshot to {store}"),
    ("promote learner", "the learner to catch up and be given a vote"),
    ("use joint consensus", "the learner to catch up, then the region to change its members"),
    ("leave joint state", "the region to finish its change of members"),
    ("remove peer", "the region's leader to drop the replica on {store}"),
    ("transfer leader", "{last} to take the lead"),
    ("merge", "both regions to stand on the same stores, then to merge"),
    ("split", "the region's leader to split it"),
)


def step_of(operator: Operator) -> str:
    """Return the step an operator is at; empty when PD did not say."""
    return operator.steps[operator.current_step] if operator.current_step < len(operator.steps) else ""


def waits_for(operator: Operator, facts: TikvFacts) -> str:
    """Say what the operator's present step waits for, and when a store in it cannot do its part."""
    step = step_of(operator)
    if not step:
        return "its first region heartbeat" if operator.started_at is None else "its last check"
    stores = [f"store:{number}" for number in re.findall(r"store (\d+)", step)]
    text = next((text for words, text in _WAITS if step.startswith(words)), step)
    told = text.replace("{store}", stores[0] if stores else "a store").replace(
        "{last}", stores[-1] if stores else "a store"
    )
    stuck = [entity for entity in stores if (store := facts.store(entity)) is not None and not is_heard(store)]
    return f"{told}; {', '.join(dict.fromkeys(stuck))} does not serve" if stuck else told


def touches(operator: Operator, entity: str) -> bool:
    """Say whether the operator has to do with this store or region."""
    if entity.startswith("region:"):
        return entity == f"region:{operator.region_id}"
    number = entity.removeprefix("store:")
    return any(number in found for found in _STORES.findall(operator.brief))


def age_seconds(operator: Operator, at: datetime) -> float | None:
    """Return how long ago the operator was made; None when PD did not say."""
    return max(0.0, (at - operator.created_at).total_seconds()) if operator.created_at else None


def oldest_first(operators: Sequence[Operator], at: datetime) -> list[Operator]:
    """Return the operators, the oldest first."""
    return sorted(operators, key=lambda one: age_seconds(one, at) or 0.0, reverse=True)


def operator_row(operator: Operator, facts: TikvFacts) -> list[object]:
    """Return one operator as a row of COLUMNS."""
    age, limit = age_seconds(operator, facts.at), operator.timeout_seconds
    return [
        f"region:{operator.region_id}",
        operator.description,
        operator.brief,
        lasting(age) if age is not None else "unknown",
        lasting(limit) if limit is not None else "unknown",
        waits_for(operator, facts),
    ]


def working(operators: Sequence[Operator], facts: TikvFacts) -> list[dict[str, object]]:
    """Group operators by what they are: how many, the oldest, at which step."""
    groups: dict[str, list[Operator]] = {}
    for operator in operators:
        groups.setdefault(operator.description, []).append(operator)
    rows: list[dict[str, object]] = []
    for name, group in sorted(groups.items(), key=lambda pair: -len(pair[1])):
        ages = [age for one in group if (age := age_seconds(one, facts.at)) is not None]
        steps = tally(_short(step_of(one)) for one in group)
        rows.append(
            {
                "operator": name,
                "running": len(group),
                "oldest": lasting(max(ages)) if ages else "unknown",
                "at": ", ".join(f"{step} ({count})" for step, count in list(steps.items())[:3]),
            }
        )
    return rows


def _short(step: str) -> str:
    return next((words for words, _ in _WAITS if step.startswith(words)), "start" if not step else step[:40])


def ended(records: Sequence[Operator]) -> dict[str, object]:
    """Count operators that ended: how, and of those that did not succeed which."""
    # PD prints an end only for success and timeout; the rest was canceled, replaced or expired
    words = {"running": "canceled, replaced or expired"}
    outcomes = tally(words.get(one.outcome, one.outcome) for one in records)
    failed = tally(one.description for one in records if one.outcome != "finished")
    durations = sorted(one.duration_seconds for one in records if one.outcome == "finished" and one.duration_seconds)
    median = durations[len(durations) // 2] if durations else None
    return without_empty(
        {
            "ended": outcomes,
            "not_finished": dict(list(failed.items())[:5]),
            "median_of_finished": lasting(median) if median is not None else None,
        }
    )
