"""An investigator without a model: the same tools in a fixed order, the differential's own ranking, a template."""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pydantic import JsonValue

from opsai_agent.backend import SUBMIT, Assignment, JsonObject, News, Tool, ToolCall, ToolReply, Turn
from opsai_agent.drafting import MAX_FURTHER, Caution, cut, draft
from opsai_agent.reading import (
    Candidate,
    Counts,
    Findings,
    Found,
    Kind,
    Sign,
    TicketRead,
    Violation,
    latest,
    many,
    one,
    pointer,
    table,
)
from opsai_server.tickets.diagnosis import CorrelatedMetric

NAME = "rules (no model)"
MAX_QUERIES = 4
MAX_ENTITIES = 4
MAX_PAGES = 8
MAX_EVENTS = 2
WINDOW_MINUTES = 10.0
BEFORE_ONSET = timedelta(minutes=3)
JUST_BEFORE_ONSET = timedelta(seconds=30)
AFTER_ONSET = timedelta(minutes=7)
LEVELS = ("FATAL", "ERROR", "WARN")
OURS = ("symptom_", "ticket_")
_MOMENTS = {"change_at": "changed at", "began_at": "began at", "ended_at": "ended at"}
_MOVED = frozenset(_MOMENTS)

_Asked = tuple[str, JsonObject]
_Steps = Generator[Sequence[_Asked], Sequence[ToolReply], None]


@dataclass
class _Work:
    """One investigation's state."""

    ticket: str | None
    tools: dict[str, Tool]
    findings: Findings = field(default_factory=Findings)
    metrics: list[CorrelatedMetric] = field(default_factory=list[CorrelatedMetric])
    context: list[str] = field(default_factory=list[str])


class RulesBackend:
    """Asks in a fixed order what the differential rests on, and submits what it says."""

    def __init__(self) -> None:
        self.name = NAME
        self._work = _Work(None, {})
        self._steps: _Steps | None = None
        self._submitting = False
        self._count = 0

    def begin(self, assignment: Assignment) -> None:
        self._work = _Work(assignment.ticket, {tool.name: tool for tool in assignment.tools})
        self._steps = None
        self._submitting = False
        self._count = 0

    async def turn(self, news: News) -> Turn:
        asked = self._advance(news.replies)
        if news.must_submit and not self._submitting:
            self._submitting = True
            self._steps = _submission(self._work)
            asked = next(self._steps)
        return self._turn_of(asked) if asked else Turn(stop="ended")

    def _advance(self, replies: Sequence[ToolReply]) -> Sequence[_Asked]:
        """Take in the replies and return what is asked next; nothing when all is done."""
        try:
            if self._steps is None:
                self._steps = _investigation(self._work)
                return next(self._steps)
            return self._steps.send(replies)
        except StopIteration:
            return ()

    def _turn_of(self, asked: Sequence[_Asked]) -> Turn:
        calls: list[ToolCall] = []
        for name, arguments in asked:
            self._count += 1
            calls.append(ToolCall(id=f"rules-{self._count}", name=name, arguments=arguments))
        return Turn(stop="calls", calls=tuple(calls))


def _investigation(work: _Work) -> _Steps:
    first: list[_Asked] = [("overview", {})]
    if work.ticket is not None:
        first.append(("tickets", {"id": work.ticket}))
    _read_first(work, (yield first))
    about: JsonObject = {} if work.ticket is None else {"ticket": work.ticket}
    _read_judgement(work, (yield [("check_invariants", {}), ("differential", about)]))
    yield from _differential(work)
    yield from _correlation(work)
    yield from _submission(work)


def _read_first(work: _Work, replies: Sequence[ToolReply]) -> None:
    found = latest(replies, "tickets")
    if found is not None:
        work.findings.ticket = one(TicketRead, found.value.get("ticket"))


def _read_judgement(work: _Work, replies: Sequence[ToolReply]) -> None:
    findings = work.findings
    if (invariants := latest(replies, "check_invariants")) is not None:
        findings.invariants_id = invariants.evidence_id
        findings.violated = many(Violation, invariants.value.get("violated"))
        findings.counts = one(Counts, invariants.value.get("counts")) or findings.counts
    if (differential := latest(replies, "differential")) is not None:
        findings.differential_id = differential.evidence_id
        findings.causes = many(Found, differential.value.get("causes"))
        findings.candidates = many(Candidate, differential.value.get("candidates"))
        for cause in findings.causes:
            findings.kinds.setdefault(cause.kind, cause.kind_shown())
            findings.signs.setdefault(cause.entity, {}).update(cause.signs_shown())


def _differential(work: _Work) -> _Steps:
    """Read from the stored differential what its reply left out: the causes' kinds, and every sign of their entities."""
    findings = work.findings
    if findings.differential_id is None:
        return
    for kind in dict.fromkeys(cause.kind for cause in findings.causes):
        replies = yield [_stored(findings.differential_id, 0, "kinds", kind)]
        if (read := one(Kind, replies[0].value.get("value"))) is not None:
            findings.kinds[kind] = read
    if findings.causes:
        suspects = [*findings.causes, *findings.candidates[:MAX_FURTHER]]
        for entity in list(dict.fromkeys(suspect.entity for suspect in suspects))[:MAX_ENTITIES]:
            yield from _signs(findings, findings.differential_id, entity)
    ticket = findings.ticket
    if ticket is not None and not any(v.is_of(ticket) for v in findings.violated):
        yield from _raising(findings, ticket)


def _signs(findings: Findings, evidence_id: str, entity: str) -> _Steps:
    signs: dict[str, Sign] = {}
    for _ in range(MAX_PAGES):
        replies = yield [_stored(evidence_id, len(signs), "signs", entity)]
        found = table(Sign, replies[0].value.get("value"))
        signs.update(found)
        page = replies[0].value.get("page")
        if not found or not isinstance(page, str) or page.endswith("the end"):
            break
    findings.signs[entity] = findings.signs.get(entity, {}) | signs


def _raising(findings: Findings, ticket: TicketRead) -> _Steps:
    """Look whether the evidence kept at the ticket's raising holds its verdict: it is over now."""
    for evidence_id in ticket.evidence_ids[:2]:
        replies = yield [_stored(evidence_id, 0, "verdicts", ticket.invariant, ticket.entity, "state")]
        if replies[0].value.get("value") == "violated":
            findings.raised_id = evidence_id
            return


def _stored(evidence_id: str, offset: int, *place: str) -> _Asked:
    arguments: JsonObject = {"id": evidence_id, "path": pointer(*place)}
    return "evidence", arguments | ({"offset": offset} if offset else {})


def _correlation(work: _Work) -> _Steps:
    """Read what moved with the causes: metrics that speak of their signs, kinds of log lines, events."""
    if not work.findings.causes:
        return
    metrics = _metrics(work.findings)
    entities = list(dict.fromkeys(cause.entity for cause in work.findings.causes))[:2]
    onset = _onset(work.findings)
    window = _window(onset, BEFORE_ONSET)
    asked: list[_Asked] = [("timeline", window)]
    asked += [("query_metrics", {"name": name, **window}) for name, _ in metrics]
    for entity in entities:
        lines: JsonObject = {"nodes": [entity], "levels": [*LEVELS], "templates": True}
        asked.append(("search_logs", {**lines, **_window(onset, JUST_BEFORE_ONSET)}))
    replies = yield [(name, arguments) for name, arguments in asked if name in work.tools]
    for reply in replies:
        if reply.is_error:
            continue
        if reply.call.name == "query_metrics":
            name = str(reply.call.arguments["name"])
            work.metrics.extend(_moved(reply, name, dict(metrics)[name]))
        if reply.call.name == "search_logs":
            work.context.extend(_new_lines(reply))
        if reply.call.name == "timeline":
            work.context.extend(_events(reply, entities, onset))


def _onset(findings: Findings) -> datetime | None:
    """Return when the causes began: the earliest of their signs, else the ticket's first violation."""
    began = [
        _moment(findings.signs[entity][sign].since)
        for sign, entity in _shown_signs(findings)
        if findings.signs[entity][sign].since
    ]
    known = [at for at in began if at is not None]
    return min(known) if known else _moment(findings.ticket.violated_at if findings.ticket else None)


def _moment(text: str | None) -> datetime | None:
    try:
        at = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return at if at.tzinfo else None


def _window(onset: datetime | None, before: timedelta) -> JsonObject:
    """Return the time around the onset, or the last minutes."""
    if onset is None:
        return {"minutes": WINDOW_MINUTES}
    return {"start": (onset - before).isoformat(), "end": (onset + AFTER_ONSET).isoformat()}


def _metrics(findings: Findings) -> list[tuple[str, str]]:
    """Return the metrics that the differential names beside the causes' signs, each with its cause's entity."""
    found: dict[str, str] = {}
    for cause in findings.causes:
        for support in cause.support:
            for name in support.metrics[:1]:
                found.setdefault(name, cause.entity)
    return list(found.items())[:MAX_QUERIES]


def _shown_signs(findings: Findings) -> Iterator[tuple[str, str]]:
    for cause in findings.causes:
        kind = findings.kinds.get(cause.kind, Kind())
        ids = (*kind.must_show, *(sign for group in kind.one_of for sign in group), *kind.supports)
        yield from ((sign_id, cause.entity) for sign_id, _ in findings.shown(cause.entity, dict.fromkeys(ids)))


def _moved(reply: ToolReply, name: str, entity: str) -> Iterator[CorrelatedMetric]:
    """Yield the entity's series, or the one that moved most, when it moved."""
    listed = reply.value.get("series")
    rows = [row for row in (listed if isinstance(listed, list) else []) if isinstance(row, dict)]
    # a setting or the load has no series, a dead node may have none: then the node that moved most, listed first, shows it
    row = next((row for row in rows if row.get("entity") == entity), rows[0] if rows else None)
    if row is None or reply.evidence_id is None or not (_MOVED & row.keys()):
        return
    says = cut(_trend(row, str(reply.value.get("unit") or "")), 600)
    yield CorrelatedMetric(
        metric=name, entity=str(row.get("entity") or entity), says=says, evidence_id=reply.evidence_id
    )


def _trend(row: JsonObject, unit: str) -> str:
    of = f" {unit}" if unit else ""
    names = ("first",) if row.get("min") == row.get("max") else ("first", "min", "max", "last")
    figures = ", ".join(f"{name} {_figure(row[name])}{of}" for name in names if name in row)
    figures = figures.replace("first", "steady at", 1) if len(names) == 1 else figures
    when = [f"{label} {row[name]}" for name, label in _MOMENTS.items() if row.get(name)]
    by = f" by {_figure(row['change_by'])}{of}" if "change_by" in row else ""
    return f"{figures}; {', '.join(when)}{by}."


def _figure(value: JsonValue) -> str:
    return f"{value:.4g}" if isinstance(value, int | float) and not isinstance(value, bool) else str(value)


def _events(reply: ToolReply, entities: Sequence[str], onset: datetime | None) -> Iterator[str]:
    """Yield what first happened to the causes' entities around the onset; symptoms and ticket steps are our own words."""
    listed = reply.value.get("events")
    rows = [row for row in (listed if isinstance(listed, list) else []) if isinstance(row, dict)]
    seen = [row for row in rows if row.get("entity") in entities and not str(row.get("kind")).startswith(OURS)]
    if onset is not None:
        seen = [row for row in seen if (at := _moment(str(row.get("at")))) and at >= onset - JUST_BEFORE_ONSET]
    for row in seen[:MAX_EVENTS]:
        yield f"{row.get('at')}: {row.get('says')}"


def _new_lines(reply: ToolReply) -> Iterator[str]:
    """Yield the most frequent kind of log line that is new. Its text is the cluster's own: quoted, and never acted on."""
    listed = reply.value.get("templates")
    rows = [row for row in (listed if isinstance(listed, list) else []) if isinstance(row, dict)]
    row = next((row for row in rows if row.get("new") is True), None)
    if row is not None:
        quoted = cut(str(row.get("template")), 160)
        yield f'New in its log since {row.get("first_at")}: {row.get("count")} times "{quoted}" [{reply.evidence_id}]'


def _submission(work: _Work) -> _Steps:
    """Submit; when refused, first with an action that touches nothing, then with nothing claimed."""
    caution: Caution = "as_known"
    refused = ""
    for caution in ("as_known", "observe_only"):
        submission = draft(work.findings, metrics=work.metrics, context=work.context, caution=caution, refused=refused)
        replies = yield [(SUBMIT, submission.model_dump(mode="json"))]
        refused = cut(replies[0].text, 500)
    bare = draft(work.findings, caution="observe_only", refused=refused)
    yield [(SUBMIT, bare.model_copy(update={"claims": (), "alternatives": ()}).model_dump(mode="json"))]
