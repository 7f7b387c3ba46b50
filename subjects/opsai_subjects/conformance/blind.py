"""Checks of a cluster that cannot be read: nothing raises, everything is said to be unknown, and silence is never health."""

from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from typing import TypeVar

from opsai_subjects.conformance.scene import Failing, Failure, NoEngine, Noting, Scene, opened
from opsai_subjects.errors import SourceError
from opsai_subjects.invariant import Verdict
from opsai_subjects.model import Window
from opsai_subjects.subject import Facts, Subject, SubjectKind

FAILURES: tuple[Failure, ...] = ("unreachable", "silent", "refusing", "half", "odd")
PARTLY: tuple[Failure, ...] = ("refusing", "half")
"""One path after another fails in one of these ways, by turns."""
T = TypeVar("T")


async def blind(kind: SubjectKind, scene: Scene, failure: Failure) -> list[str]:
    """With every source failing: nothing raises, facts say what could not be read, and nothing is held or safe."""
    transport = Failing(scene.transport, failure)
    said: list[str] = []
    async with opened(kind, Scene(scene.settings, transport, scene.clock, NoEngine(), None)) as subject:
        facts = await _tried(said, "facts()", subject.facts)
        topology = await _tried(said, "topology()", subject.topology)
        events = await _tried(said, "events()", lambda: subject.events(Window.last(900, scene.clock.now())))
        sights = await _tried(said, "check()", subject.check)
        await _tried(said, "scrape_seconds()", subject.scrape_seconds)
        with suppress(SourceError):
            await _tried(said, "scrape_targets()", subject.scrape_targets)
        said += [
            f"{name} does not say in unread what it could not read."
            for name, found in (("facts()", facts), ("topology()", topology), ("events()", events))
            if found is not None and not found.unread
        ]
        if sights is not None and not any(one.state == "blind" for one in sights):
            said.append("check() calls no source blind.")
        if facts is not None:
            said += _of_silence(subject, facts)
    return [f"With all sources {failure}: {text}" for text in said]


def _of_silence(subject: Subject, facts: Facts) -> list[str]:
    eyes = {one.id for one in subject.kind.invariants if one.grade == "sight"}
    said = [
        f"{one.invariant} is {one.state} on {one.entity} ({one.says})"
        for one in subject.judge(facts)
        if one.state != "unknown" and one.invariant not in eyes
    ]
    met = {node.entity for node in facts.nodes}  # how a node met us is known of it
    said += [
        f"the sign {one.id} is {one.state} on {one.entity} ({one.says})"
        for one in subject.signs(facts)
        if one.state == "absent" and one.entity not in met
    ]
    entities = {entity for group in subject.groups(facts).values() for entity in group}
    entities |= {subject.kind.examples.entity}
    said += [
        f"stop_risk calls {one} safe to stop"
        for one in sorted(entities)
        if subject.stop_risk(facts, one).state == "safe"
    ]
    return [f"{text}: nobody could know that." for text in said]


async def half_blind(kind: SubjectKind, scene: Scene) -> list[str]:
    """With any one path failing, or the engine: nothing raises, and nothing is held that was not held before."""
    noting = Noting(scene.transport)
    bare = replace(scene, transport=noting, metrics=None)
    said: list[str] = []
    well = await _well(kind, bare, "everything answering", said)
    paths = dict.fromkeys(request.url.path for request in noting.requests)
    for number, path in enumerate(paths):
        failure = PARTLY[number % len(PARTLY)]
        worse = replace(bare, transport=Failing(scene.transport, failure, path))
        said += _more(await _well(kind, worse, f"{path} {failure}", said) - well, f"{path} {failure}")
    if scene.metrics is not None:
        seeing, lost = await _well(kind, scene, "metrics", said), replace(scene, metrics=NoEngine())
        said += _more(await _well(kind, lost, "the metrics engine lost", said) - seeing, "the metrics engine lost")
    return said


async def _well(kind: SubjectKind, scene: Scene, what: str, said: list[str]) -> Counter[str]:
    async with opened(kind, scene) as subject:
        facts = await _tried(said, f"With {what}: facts()", subject.facts)
        return _held(subject.judge(facts)) if facts is not None else Counter()


def _more(more: Counter[str], what: str) -> list[str]:
    return [f"With {what}: {name} is held {count} times more than before." for name, count in more.items()]


def _held(verdicts: tuple[Verdict, ...]) -> Counter[str]:
    # counted, not compared by entity: with less to read a node may go by another name
    return Counter(one.invariant for one in verdicts if one.state == "held")


async def _tried(said: list[str], what: str, ask: Callable[[], Awaitable[T]]) -> T | None:
    try:
        return await ask()
    except SourceError:
        if what.startswith("scrape_targets"):
            raise
        said.append(f"{what} raises a SourceError; it is to say so inside.")
    except Exception as error:  # noqa: BLE001 - whatever it is, its author is to read it as a finding
        said.append(f"{what} raises {type(error).__name__}: {error}")
    return None
