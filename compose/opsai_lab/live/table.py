"""Many live runs as one table, and as JSON. Pure."""

from collections.abc import Sequence
from statistics import median

from pydantic import JsonValue

from opsai_lab.layout import columns
from opsai_lab.live.bench import Ran

HEADINGS = (
    "target",
    "fault",
    "right",
    "kind",
    "entity",
    "detected after",
    "ticket after",
    "diagnosed in",
    "resolved after",
)


def table(runs: Sequence[Ran]) -> str:
    """Return a line for each target and fault: how many are right, and the median and the longest of each time."""
    groups: dict[tuple[str, str], list[Ran]] = {}
    for ran in runs:
        groups.setdefault((ran.target, ran.fault), []).append(ran)
    rows = [HEADINGS, *(_row(target, fault, group) for (target, fault), group in groups.items())]
    wrong = [
        f"Not right: {ran.target} {ran.fault} {ran.number}: {ran.says} {ran.recording}".rstrip()
        for ran in runs
        if not ran.right
    ]
    note = "Seconds: median (longest). Detected and ticket: after the injection; resolved: after the healing."
    return "\n".join((columns(rows), note, *wrong))


def as_json(runs: Sequence[Ran], subject: str, backend: str) -> dict[str, JsonValue]:
    """Return the runs as one JSON object."""
    return {
        "subject": subject,
        "backend": backend,
        "runs": [ran.model_dump(mode="json") for ran in runs],
        "right": sum(ran.right for ran in runs),
        "of": len(runs),
    }


def _row(target: str, fault: str, group: Sequence[Ran]) -> tuple[str, ...]:
    of = len(group)
    return (
        target,
        fault,
        f"{sum(ran.right for ran in group)}/{of}",
        f"{sum(ran.kind_right for ran in group)}/{of}",
        f"{sum(ran.entity_right for ran in group)}/{of}",
        _seconds([ran.detected_seconds for ran in group]),
        _seconds([ran.ticket_seconds for ran in group]),
        _seconds([ran.diagnosis_seconds for ran in group]),
        _seconds([ran.resolved_seconds for ran in group]),
    )


def _seconds(values: Sequence[float | None]) -> str:
    known = [value for value in values if value is not None]
    return f"{median(known):.1f} ({max(known):.1f})" if known else ""
