"""The tool `latency`: which stage of the write or read path is slow, on which store, since when."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from opsai_subjects.errors import UnknownName
from opsai_subjects.model import Node, Topology, Unread
from opsai_subjects.reply import Answer, Rows, unread_rows
from opsai_subjects.subject import Visit
from opsai_subjects.windows import End, Minutes, Start, window
from opsai_tikv.latency.measured import Measured, Plan, measure, plan
from opsai_tikv.latency.origin import Origin, origin
from opsai_tikv.latency.stages import BOTH, READ, WRITE, Path, Stage
from opsai_tikv.latency.told import Telling, brief, rows, shown, verdict
from opsai_tikv.probes.place import subject_of

SHOWN = 10
KEPT = 1_000
"""Rows kept with the evidence, those that matter first."""
NO_METRICS = "no metrics engine is set: give prometheus in opsai.toml, or --prometheus URL"


async def latency(
    visit: Visit,
    path: Annotated[Literal["write", "read", "both"], Field(description="Which requests.")] = "both",
    store: Annotated[str, Field(description="Only 'store:4'.")] = "",
    minutes: Minutes = None,
    start: Start = None,
    end: End = None,
    baseline_minutes: Annotated[
        float | None, Field(description="Time before the window (as long).", gt=0, le=10080)
    ] = None,
) -> Answer:
    """Say which stage of writes or reads grew slow, on which store, since when: client, network or TiKV (gRPC to fsync).

    Use it when requests are slow; one metric: query_metrics. Returns a verdict per path, from the window, the time before it and
    peers. No completions is a hang. Slow, yet nothing grew: raise baseline_minutes. Claim path: /verdicts/0/stage. Costs some 60
    range queries.
    """
    subject = subject_of(visit)
    now = subject.sources.clock.now()
    topology = await subject.topology()
    meant = _meant(topology, store)
    metrics = await subject.own_metrics(topology)
    asked = plan(window(now, minutes, start, end), baseline_minutes, subject.rate_seconds)
    paths: tuple[Path, ...] = ("write", "read") if path == "both" else (path,)
    stages = _stages(paths)
    found = Measured(asked) if metrics is None else await measure(metrics, stages, _nodes(topology), asked)
    every = [node.entity for node in topology.nodes if node.role == "tikv"] or list(found.entities("append"))
    stores = meant or every
    origins = [
        Origin("unknown", why=NO_METRICS) if metrics is None else origin(found, one, stores, every) for one in paths
    ]
    names = {node.entity: node.name for node in topology.nodes if node.name not in (node.entity, node.address)}
    telling = Telling(found, {stage.id: stage.title for stage in stages}, names)
    judged = tuple(zip(paths, origins, strict=True))
    return _answer(now, telling, stages, judged, topology.unread, meant)


def _stages(paths: Sequence[Path]) -> tuple[Stage, ...]:
    of = {"write": WRITE, "read": READ}
    return (*BOTH, *(stage for path in paths for stage in of[path]))


def _nodes(topology: Topology) -> list[Node]:
    return [node for node in topology.nodes if node.role != "tiflash"]


def _meant(topology: Topology, name: str) -> list[str]:
    """Return the one store that the name means, nothing where no name is given."""
    if not name:
        return []
    nodes = [node for node in topology.nodes if node.role == "tikv"]
    for node in nodes:
        if name in (node.entity, node.name, node.address, node.status_address, node.entity.removeprefix("store:")):
            return [node.entity]
    raise UnknownName("store", name, tuple(f"{node.entity} ({node.name})" for node in nodes))


def _answer(
    now: datetime,
    telling: Telling,
    stages: Sequence[Stage],
    judged: Sequence[tuple[Path, Origin]],
    unread: Sequence[Unread],
    only: Sequence[str],
) -> Answer:
    found = telling.found
    every = [row for row in rows(found, stages, [origin for _, origin in judged]) if not only or row["entity"] in only]
    first = judged[0][1]
    verdicts = [verdict(telling, path, one, None if one is first else first) for path, one in judged]
    changed = [row for row in every if shown(found, row)]
    about = {
        "window": {"start": found.plan.split, "end": found.plan.span.end},
        "baseline": _baseline(found.plan, found),
    }
    left = (*unread, *found.unread)
    value = {**about, "verdicts": verdicts, "stages": every[:KEPT], "stages_in_all": len(every), "unread": left}
    narrow = f"worst first; one store: store=…; the {len(every) - len(changed)} others: evidence(id, path='/stages')"
    return Answer(
        at=now,
        value=value,
        shown={
            **about,
            "verdicts": [{"path": path, "says": one["says"]} for (path, _), one in zip(judged, verdicts, strict=True)],
            "before_to_now": Rows([brief(found, row) for row in changed[:SHOWN]], len(changed), narrow),
            **unread_rows(left),
        },
    )


def _baseline(asked: Plan, found: Measured) -> object:
    if found.from_within:
        return "the first third of the samples: there are none from before the window"
    return {"start": asked.span.start, "end": asked.split}
