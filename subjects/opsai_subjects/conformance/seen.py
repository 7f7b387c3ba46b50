"""Checks of a cluster that answers: what is found of it is whole, and the same for the same facts."""

import json
import re
from collections.abc import Awaitable, Callable
from datetime import timedelta

from opsai_subjects.conformance.scene import NotedEngine, Noting, Scene, opened
from opsai_subjects.conformance.told import ALWAYS_SCRAPED
from opsai_subjects.model import Window, clean
from opsai_subjects.promql.scoping import named, names_read
from opsai_subjects.subject import Facts, Subject, SubjectKind

FACTS_CHARS = 2_000_000
"""Of facts as JSON: each look is kept for claims to be checked against."""

SceneCheck = Callable[[SubjectKind, Scene], Awaitable[list[str]]]


async def is_seen(kind: SubjectKind, scene: Scene) -> list[str]:
    """Facts hold nodes under entities of their own, each found by its names, and something is held to be well."""
    async with opened(kind, scene) as subject:
        facts, topology = await subject.facts(), await subject.topology()
        verdicts = subject.judge(facts)
        said = [] if facts.nodes else ["facts() found no node of a healthy cluster."]
        if not any(one.state == "held" for one in verdicts):
            said.append("Nothing is held on a healthy cluster: what stays unknown would prove nothing.")
        said += [
            f"{one.invariant} is violated on {one.entity} in a healthy cluster: {one.says}"
            for one in verdicts
            if one.state == "violated" and _severity(kind, one.invariant) == "critical"
        ]
        entities = [node.entity for node in facts.nodes]
        said += [
            f"The entity {one!r} is of two nodes." for one in sorted({e for e in entities if entities.count(e) > 1})
        ]
        for node in facts.nodes:
            for name in (node.entity, node.name, node.address):
                if name and subject.same_entity(facts, name) != node.entity:
                    said.append(f"same_entity({name!r}) is {subject.same_entity(facts, name)!r}, not {node.entity!r}.")
        if {node.entity for node in topology.nodes} != set(entities):
            said.append("topology() and facts() do not name the same nodes.")
        return said


async def is_judged_by_facts_alone(kind: SubjectKind, scene: Scene) -> list[str]:
    """Verdicts, signs, groups and risks come out the same again, and facts are as they were."""
    async with opened(kind, scene) as subject:
        facts = await subject.facts()
        before = facts.model_dump_json()
        first, second = _judged(subject, facts), _judged(subject, facts)
        said = [f"{name} comes out otherwise the second time." for name in first if first[name] != second[name]]
        if facts.model_dump_json() != before:
            said.append("Judging changed the facts.")
        if len(before) > FACTS_CHARS:
            said.append(f"Facts are {len(before):,} characters of JSON; {FACTS_CHARS:,} is the most.")
        json.loads(before)
        return said


def _judged(subject: Subject, facts: Facts) -> dict[str, object]:
    entities = [entity for group in subject.groups(facts).values() for entity in group]
    kinds = [one.id for one in subject.kind.faults]
    return {
        "judge": subject.judge(facts),
        "signs": subject.signs(facts),
        "groups": subject.groups(facts),
        "bugs_seen": subject.bugs_seen(facts, kinds),
        "stop_risk": [subject.stop_risk(facts, entity) for entity in entities],
        "same_entity": [subject.same_entity(facts, entity) for entity in (*entities, "", "nobody")],
    }


async def speaks_its_own_words(kind: SubjectKind, scene: Scene) -> list[str]:
    """Verdicts and signs are of invariants, signs and entities that are known; fault kinds befall groups that there are."""
    async with opened(kind, scene) as subject:
        facts = await subject.facts()
        verdicts, signs, groups = subject.judge(facts), subject.signs(facts), subject.groups(facts)
    units = {one.id: one.unit for one in kind.invariants}
    said = [
        f"A verdict is of {one.invariant!r}, which is no invariant." for one in verdicts if one.invariant not in units
    ]
    said += [
        f"{one.invariant} is judged in {one.unit!r}, and its unit is {units[one.invariant]!r}."
        for one in verdicts
        if one.unit and one.invariant in units and one.unit != units[one.invariant]
    ]
    specs = {one.id for one in kind.signs}
    said += [f"A sign {one.id!r} is shown, which is not among signs." for one in signs if one.id not in specs]
    said += [f"{one.id} befalls {one.on!r}, and groups() has none." for one in kind.faults if one.on not in groups]
    pairs = [(one.invariant, one.entity) for one in verdicts]
    said += [
        f"{name} is judged twice on {entity}." for name, entity in sorted({p for p in pairs if pairs.count(p) > 1})
    ]
    texts = [text for one in verdicts for text in (one.entity, one.says)]
    texts += [text for one in signs for text in (one.entity, one.says)]
    for text in texts:
        if not text or clean(text, len(text) + 1) != text:
            said.append(f"A verdict or sign says {clean(text, 120)!r}: empty, or with control characters.")
    return said


async def asks_what_is_listed(kind: SubjectKind, scene: Scene) -> list[str]:
    """What is asked of the nodes is GET of listed paths and listed calls, and its queries read metrics that are scraped."""
    noting = Noting(scene.transport)
    engine = NotedEngine(scene.metrics) if scene.metrics is not None else None
    async with opened(kind, Scene(scene.settings, noting, scene.clock, engine, scene.logs)) as subject:
        await subject.facts()
        await subject.topology()
        await subject.events(Window.last(900, scene.clock.now()))
        await subject.check()
    calls = {(rpc.path, rpc.sent) for rpc in kind.rpcs}
    said: list[str] = []
    for request in noting.requests:
        path = request.url.path
        called = request.method == "POST" and any(path.endswith(own) and request.content == body for own, body in calls)
        got = request.method == "GET" and any(re.search(f"(?:{pattern})\\Z", path) for pattern in kind.paths)
        if not (called or got):
            said.append(f"It asked {request.method} {path}, which is neither among paths nor among rpcs.")
    if not noting.requests:
        said.append("It asked no node anything.")
    kept = named(frozenset((*kind.scraped, *ALWAYS_SCRAPED)))
    read = {name for query in (engine.queries if engine else ()) for name in names_read(query)}
    if kind.scraped:
        lost = sorted(name for name in read if not (kept(name) or name in kind.scraped))
        said += [f"It reads the metric {name!r}, which is not among scraped." for name in lost]
    return said


async def tells_events_in_order(kind: SubjectKind, scene: Scene) -> list[str]:
    """Events lie in the window that was asked, oldest first."""
    window = Window.last(900, scene.clock.now())
    async with opened(kind, scene) as subject:
        found = await subject.events(window)
    moments = [event.at for event in found.events]
    said = [] if moments == sorted(moments) else ["events() are not oldest first."]
    late = window.end + timedelta(seconds=1)
    return said + [
        f"{one.kind} at {one.at} is outside the window." for one in found.events if not window.start <= one.at <= late
    ]


def _severity(kind: SubjectKind, invariant: str) -> str:
    return next((one.severity for one in kind.invariants if one.id == invariant), "")


CHECKS: tuple[SceneCheck, ...] = (
    is_seen,
    is_judged_by_facts_alone,
    speaks_its_own_words,
    asks_what_is_listed,
    tells_events_in_order,
)
