"""An investigator without a model: the same tools in a fixed order, the differential's own ranking, a template."""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field

from pydantic import JsonValue

from opsai_agent.backend import SUBMIT, Assignment, JsonObject, News, Tool, ToolCall, ToolReply, Turn
from opsai_agent.drafting import MAX_FURTHER, Caution, cut, draft
from opsai_agent.reading import (
    Cause,
    Findings,
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
MAX_QUERIES = 3
MAX_ENTITIES = 4
MAX_PAGES = 8
WINDOW_MINUTES = 10.0

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
        self._count = 0

    def begin(self, assignment: Assignment) -> None:
        self._work = _Work(assignment.ticket, {tool.name: tool for tool in assignment.tools})
        self._steps = None
        self._count = 0

    async def turn(self, news: News) -> Turn:
        if news.must_submit and not _submitted(news.replies):
            self._steps = _submission(self._work)
            return self._turn_of(next(self._steps))
        if self._steps is None:
            self._steps = _investigation(self._work)
            return self._turn_of(next(self._steps))
        try:
            return self._turn_of(self._steps.send(news.replies))
        except StopIteration:
            return Turn(stop="ended")

    def _turn_of(self, asked: Sequence[_Asked]) -> Turn:
        calls: list[ToolCall] = []
        for name, arguments in asked:
            self._count += 1
            calls.append(ToolCall(id=f"rules-{self._count}", name=name, arguments=arguments))
        return Turn(stop="calls", calls=tuple(calls))


def _submitted(replies: Sequence[ToolReply]) -> bool:
    return any(reply.call.name == SUBMIT for reply in replies)


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
    if (differential := latest(replies, "differential")) is not None:
        findings.differential_id = differential.evidence_id
        findings.causes = many(Cause, differential.value.get("causes"))
        findings.candidates = many(Cause, differential.value.get("candidates"))


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
    findings.signs[entity] = signs


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
    """Read what moved with the causes: the metrics their signs were read from, log templates, events."""
    window: JsonObject = {"minutes": WINDOW_MINUTES}
    asked: list[_Asked] = [("timeline", dict(window))]
    queries = list(_queries(work))[:MAX_QUERIES]
    asked.extend(("query_metrics", {"query": query, **window}) for query, _ in queries)
    nodes = list(dict.fromkeys(cause.entity for cause in work.findings.causes))[:2]
    asked.extend(("search_logs", {"nodes": [node], "templates": True, **window}) for node in nodes)
    replies = yield [(name, arguments) for name, arguments in asked if name in work.tools]
    for reply in replies:
        if reply.is_error:
            continue
        if reply.call.name == "query_metrics":
            entity = next((e for query, e in queries if query == reply.call.arguments.get("query")), "")
            work.metrics.extend(_moved(reply, entity))
        if reply.call.name == "timeline":
            work.context.extend(_events(reply, nodes))


def _queries(work: _Work) -> Iterator[tuple[str, str]]:
    """Yield the queries that shown signs of the causes were read from, with the entity."""
    told: set[str] = set()
    for cause in work.findings.causes:
        kind = work.findings.kinds.get(cause.kind, Kind())
        ids = (*kind.must_show, *(sign for group in kind.one_of for sign in group), *kind.supports)
        for _, sign in work.findings.shown(cause.entity, ids):
            if sign.source and not sign.source.startswith("/") and sign.source not in told:
                told.add(sign.source)
                yield sign.source, cause.entity


def _moved(reply: ToolReply, entity: str) -> Iterator[CorrelatedMetric]:
    series = reply.value.get("series")
    for row in series if isinstance(series, list) else []:
        if not isinstance(row, dict) or reply.evidence_id is None or row.get("entity") not in (entity, None, ""):
            continue
        yield CorrelatedMetric(
            metric=cut(str(reply.call.arguments["query"]), 1000),
            entity=entity,
            says=cut(_trend(row, str(reply.value.get("unit") or "")), 600),
            evidence_id=reply.evidence_id,
        )
        return


def _trend(row: JsonObject, unit: str) -> str:
    figures = ", ".join(f"{name} {_figure(row[name])}" for name in ("first", "min", "max", "last") if name in row)
    when = f", changed at {row['change_at']}" if row.get("change_at") else ""
    trend = f"{row['trend']}: " if row.get("trend") else ""
    return f"{trend}{figures}{f' {unit}' if unit else ''}{when}."


def _figure(value: JsonValue) -> str:
    return f"{value:.4g}" if isinstance(value, int | float) and not isinstance(value, bool) else str(value)


def _events(reply: ToolReply, entities: Sequence[str]) -> Iterator[str]:
    events = reply.value.get("events")
    rows = [row for row in (events if isinstance(events, list) else []) if isinstance(row, dict)]
    of_cause = [row for row in rows if row.get("entity") in entities and row.get("says")]
    for row in of_cause[-2:]:
        yield f"{row.get('at')}: {row['says']}"


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
