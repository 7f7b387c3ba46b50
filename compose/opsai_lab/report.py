"""Tickets and diagnoses as text for a person: aligned, filled, the same in a pipe."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from textwrap import shorten

from opsai_lab.layout import columns, filled
from opsai_server.tickets.diagnosis import Alternative, CheckedClaim, Diagnosis
from opsai_server.tickets.ticket import Ticket
from opsai_subjects.model import clean

INDENT = "  "
AGAINST_CHARS = 60


def ticket_table(tickets: Sequence[Ticket]) -> str:
    """Return one line for each ticket; children stand under the parent that is listed before them."""
    rows = [("ticket", "status", "severity", "raised", "entity", "title")]
    for ticket in _families(tickets):
        rows.append(
            (
                f"{INDENT if ticket.parent else ''}{ticket.id}",
                ticket.status,
                ticket.severity,
                f"{ticket.raised_at:%Y-%m-%d %H:%M:%S}",
                ticket.entity,
                one_line(ticket.title if ticket.parent else ticket.headline),
            )
        )
    return columns(rows)


def ticket_text(family: Sequence[Ticket]) -> str:
    """Return a ticket in full with those that joined it; `family` is the parent first."""
    parent, *children = family
    lines = [
        f"{parent.id}  {one_line(parent.headline)}",
        f"{INDENT}{parent.status}, {parent.severity}, on {parent.entity} of cluster {parent.cluster}",
        f"{INDENT}violated since {parent.violated_at:%Y-%m-%d %H:%M:%S}, raised {parent.raised_at:%H:%M:%S} UTC",
        filled(parent.last_says, first=f"{INDENT}last seen: "),
    ]
    if parent.recurs:
        lines.append(f"{INDENT}the same as {parent.recurs} was, again")
    if children:
        lines += ["", "Joined it"]
        lines.append(columns([(child.id, child.entity, one_line(child.title)) for child in children], indent=INDENT))
    lines += ["", "History"]
    steps = sorted((step.at, ticket.id, step.step, one_line(step.says)) for ticket in family for step in ticket.history)
    lines.append(columns([(f"{at:%H:%M:%S}", ident, step, says) for at, ident, step, says in steps], indent=INDENT))
    if parent.diagnosis:
        lines += ["", diagnosis_text(parent.diagnosis)]
    else:
        lines += ["", f"Not diagnosed. Next: opsai-agent investigate {parent.id}"]
    return "\n".join(lines)


def diagnosis_text(diagnosis: Diagnosis) -> str:
    """Return a diagnosis in full: what was concluded, how far it could be confirmed, and what to do."""
    parts = (conclusion_text, claims_text, rivals_text, doubts_text, action_text)
    return "\n\n".join(text for part in parts if (text := part(diagnosis)))


def conclusion_text(diagnosis: Diagnosis) -> str:
    """Return what was concluded."""
    said = diagnosis.submission
    about = f" of {diagnosis.ticket}" if diagnosis.ticket else ""
    lines = [f"{diagnosis.id}{about}: {said.verdict}, {diagnosis.confidence}, by {diagnosis.by}"]
    lines += _section("Observed", (said.summary,))
    lines += _section(
        "Root cause", (f"{cause.kind} on {cause.entity}: {cause.explanation}" for cause in said.root_causes)
    )
    lines += _section(
        "Moved with it", (f"{m.entity}: {m.metric}: {m.says} [{m.evidence_id}]" for m in said.correlated_metrics)
    )
    return "\n".join(lines)


def claims_text(diagnosis: Diagnosis) -> str:
    """Return what the server found when it looked each claim up."""
    held = sum(claim.held for claim in diagnosis.checked)
    lines = [f"Claims, each looked up again by the server: {held} of {len(diagnosis.checked)} hold"]
    own = diagnosis.checked[: len(diagnosis.submission.claims)]
    return "\n".join((*lines, *(filled(_claim(claim), first=f"{INDENT}{_mark(claim)}  ") for claim in own)))


def rivals_text(diagnosis: Diagnosis) -> str:
    """Return what else was considered, with every claim against it."""
    lines = ["Considered instead"]
    for rival, claims in _rivals(diagnosis):
        lines.append(filled(f"{rival.kind} on {rival.entity}: {rival.against}", first=INDENT))
        lines += [filled(_claim(claim), first=f"{INDENT * 2}{_mark(claim)}  ") for claim in claims]
    return "\n".join(lines) if len(lines) > 1 else ""


def rivals_table(diagnosis: Diagnosis) -> str:
    """Return what else was considered, one line each."""
    rows = [
        (
            rival.kind,
            f"on {rival.entity}",
            f"{sum(one.held for one in claims)} of {len(claims)} claims against it hold"
            if claims
            else shorten(one_line(rival.against), AGAINST_CHARS, placeholder=" …"),
        )
        for rival, claims in _rivals(diagnosis)
    ]
    return f"Considered instead\n{columns(rows, indent=INDENT)}" if rows else ""


def doubts_text(diagnosis: Diagnosis) -> str:
    """Return why the diagnosis is not more certain, and what could not be seen."""
    lines = _section("Why not more certain", diagnosis.confidence_because)
    return "\n".join((*lines, *_section("Not seen", diagnosis.not_seen)))


def action_text(diagnosis: Diagnosis) -> str:
    """Return the recommended action: a text, nothing carries it out."""
    action = diagnosis.submission.action
    touches = "" if action.touches == "nothing" else f" (touches: {action.touches})"
    texts = (f"{action.do}{touches}", f"Because: {action.because}", f"Verify: {action.verify}")
    return "\n".join(_section("What to do", texts))


def one_line(text: str) -> str:
    """Return foreign text as one clean line."""
    return " ".join(clean(text).split())


def _section(title: str, texts: Iterable[str]) -> list[str]:
    filled_texts = [filled(text, first=INDENT) for text in texts if text]
    return [title, *filled_texts] if filled_texts else []


def _mark(checked: CheckedClaim) -> str:
    return "holds " if checked.held else "FAILED"


def _claim(checked: CheckedClaim) -> str:
    claim = checked.claim
    looked = f"{claim.evidence_id} {claim.path} {claim.op}" + ("" if claim.value is None else f" {claim.value!r}")
    return f"{claim.says} [{looked}]" + ("" if checked.held else f": {checked.why or f'found {checked.found!r}'}")


def _rivals(diagnosis: Diagnosis) -> Iterator[tuple[Alternative, tuple[CheckedClaim, ...]]]:
    """Yield each alternative with what was found of its claims, which stand after the diagnosis's own."""
    of_rivals = iter(diagnosis.checked[len(diagnosis.submission.claims) :])
    for rival in diagnosis.submission.alternatives:
        yield rival, tuple(islice(of_rivals, len(rival.claims)))


def _families(tickets: Sequence[Ticket]) -> Iterator[Ticket]:
    listed = {ticket.id for ticket in tickets}
    for ticket in tickets:
        if ticket.parent in listed:
            continue
        yield ticket
        yield from (child for child in tickets if child.parent == ticket.id)
