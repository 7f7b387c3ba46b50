"""An evaluation as text that survives a pipe, and as JSON."""

from collections.abc import Sequence

from pydantic import JsonValue

from opsai_lab.evaluation.grading import Graded
from opsai_lab.evaluation.summary import Summary
from opsai_lab.layout import columns

HEADINGS = (
    "incident",
    "tickets",
    "sight",
    "early",
    "found after",
    "verdict",
    "entity",
    "kind",
    "claims",
    "calls",
    "chars",
    "seconds",
    "read",
    "causes",
)


def table(incidents: Sequence[Graded]) -> str:
    """Return one line for each incident under a line of headings."""
    return columns((HEADINGS, *(_row(incident) for incident in incidents)), right=(1, 2, 3, 4, 8, 9, 10, 11, 12))


def summary_text(summary: Summary, backend: str) -> str:
    """Return the counts and what is wrong, one fact a line."""
    n = summary.graded
    lines = [
        f"{summary.incidents} incidents ({summary.healthy} healthy), investigated by {backend}; {n} could be graded.",
        f"Right: verdict {summary.verdict_right}/{n}, entity {summary.entity_right}/{n}, kind {summary.kind_right}/{n}.",
        f"Claims that held: {summary.claims_held}/{summary.claims}.",
        f"Tickets while healthy: {summary.tickets_before_injection}.",
    ]
    if summary.detected_after_mean_seconds is not None:
        lines.append(
            f"Detected {summary.detected}, after {summary.detected_after_mean_seconds:.0f} s on average, "
            f"{summary.detected_after_max_seconds:.0f} s at most."
        )
    if summary.read_calls_median is not None:
        lines.append(
            "Read by hand (overview, differential, the read it names), the right cause stands there in "
            f"{summary.read_right}/{n}: after {summary.read_calls_median:g} calls and "
            f"{summary.read_chars_median:,.0f} characters in the median."
        )
    lines += [f"Not right: {wrong.name}: {wrong.why}." for wrong in summary.wrong]
    return "\n".join(lines)


def as_json(incidents: Sequence[Graded], summary: Summary) -> dict[str, JsonValue]:
    """Return the evaluation as a JSON object; an incident has `error` only where it could not be run."""
    return {
        "summary": summary.model_dump(mode="json"),
        "incidents": [
            incident.model_dump(mode="json", exclude=set() if incident.error else {"error"}) for incident in incidents
        ],
    }


def _row(incident: Graded) -> tuple[str, ...]:
    if incident.error is not None:
        return (incident.name, *[""] * 12, "could not be run")
    delay = incident.detected_after_seconds
    return (
        incident.name,
        _count(incident.parent_tickets),
        _count(incident.sight_tickets),
        _count(incident.tickets_before_injection),
        "" if delay is None else f"{delay:.0f} s",
        f"{incident.verdict or 'none'} {_mark(incident.verdict_right)}".strip(),
        _mark(incident.entity_right),
        _mark(incident.kind_right),
        f"{incident.claims_held}/{incident.claims}",
        str(incident.tool_calls),
        str(incident.reply_chars),
        f"{incident.seconds:.1f}",
        _read(incident),
        "; ".join(f"{cause.kind} {cause.entity}" for cause in incident.causes) or "none",
    )


def _read(incident: Graded) -> str:
    if incident.verdict_right is None:
        return ""
    return "never" if incident.read is None else f"{incident.read.calls} ({incident.read.chars})"


def _count(value: int | None) -> str:
    return "" if value is None else str(value)


def _mark(right: bool | None) -> str:
    return {True: "right", False: "WRONG", None: "?"}[right]
