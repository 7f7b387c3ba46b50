"""How figures and lists are put into sentences."""

from collections.abc import Iterable, Mapping, Sequence

_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 86_400.0
NAMED = 6


def lasting(seconds: float) -> str:
    """Return a span in the unit a person would use: `45 s`, `12 min`, `3.5 h`, `2.1 days`."""
    if seconds < 2 * _MINUTE:
        return f"{seconds:.0f} s"
    if seconds < 2 * _HOUR:
        return f"{seconds / _MINUTE:.0f} min"
    return f"{seconds / _HOUR:.1f} h" if seconds < 2 * _DAY else f"{seconds / _DAY:.1f} days"


def named(names: Sequence[str], limit: int = NAMED) -> str:
    """Return the first names and how many there are more."""
    more = f" and {len(names) - limit:,} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + more


def counted(counts: Mapping[str, int], limit: int = NAMED) -> str:
    """Return the largest counts, `store:4 (120), store:7 (3)`, and how many there are more."""
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return named([f"{name} ({count:,})" for name, count in ordered], limit)


def tally(names: Iterable[str]) -> dict[str, int]:
    """Count the names, most frequent first."""
    counts: dict[str, int] = {}
    for name in names:
        counts[name] = counts.get(name, 0) + 1
    return dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))


def plural(count: int, one: str, many: str = "") -> str:
    """Return the count with its noun: `1 region`, `2,063 regions`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
