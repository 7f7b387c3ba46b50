"""The probe asked of hand-made metrics, and of a recording at the end of what it shows."""

from typing import Any

from opsai_server.tools.shaping import compact, plain, render
from opsai_subjects.model import MetricsSource
from opsai_subjects.reply import Answer
from opsai_subjects.subject import Subject, Visit
from opsai_tikv.probes.latency import latency
from tests.subjects.recording.opened import INCIDENTS, replay
from tests.tikv.cluster import healthy, subject
from tests.tikv.incidents.told import truth_of
from tests.tikv.latency.samples import Hand


async def asked(one: Subject, **arguments: Any) -> Answer:
    """Ask the probe."""
    return await latency(Visit(one, one.facts), **arguments)


async def of_hand(hand: Hand | MetricsSource | None, **arguments: Any) -> Answer:
    """Ask of a healthy PD with these metrics; the window is the last five minutes, as the trouble is."""
    metrics = hand.metrics() if isinstance(hand, Hand) else hand
    async with subject(healthy(), metrics=metrics) as one:
        return await asked(one, **({"minutes": 5.0} | arguments))


_ANSWERS: dict[str, Answer] = {}


async def of_recording(name: str, **arguments: Any) -> Answer:
    """Ask of a shipped recording at the end of its incident; the same question is asked once."""
    key = f"{name} {arguments}"
    if key not in _ANSWERS:
        truth = truth_of(INCIDENTS / name)
        async with replay(name, 0) as cluster:
            cluster.clock.set(truth.end)
            _ANSWERS[key] = await asked(cluster.subject, **arguments)
    return _ANSWERS[key]


def shown(answer: Answer) -> str:
    """Return the reply as a client gets it."""
    return compact(render({}, answer.shown))


def verdicts(answer: Answer) -> dict[str, dict[str, Any]]:
    """Return the verdicts by path, as they are kept."""
    kept = plain(answer.value)
    assert isinstance(kept, dict)
    found = kept["verdicts"]
    assert isinstance(found, list)
    return {one["path"]: one for one in found if isinstance(one, dict) and isinstance(one["path"], str)}
