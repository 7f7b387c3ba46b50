"""The nodes of a recording on loopback, each with the `/metrics` that Prometheus had scraped of it at that moment."""

from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import numpy as np
from anyio.abc import ByteStream

from opsai_subjects.model import Clock, ScrapeTarget
from opsai_subjects.promql.labels import escaped
from opsai_subjects.promql.samples import Stored, stale
from opsai_subjects.recording.folder import Recording
from tests.subjects.sources.loopback import Answer, http, loopback

MADE_BY_PROMETHEUS = ("up", "scrape_")


class Exposed:
    """One node's series, a column for each scrape."""

    def __init__(self, up: Stored, series: list[Stored]) -> None:
        self._t = up.t
        self._up = up.v
        self._heads = [_head(one) for one in series]
        self._values = np.full((len(series), up.t.size), np.nan)
        self._live = np.zeros((len(series), up.t.size), np.bool_)
        for row, one in enumerate(series):
            at = np.searchsorted(up.t, one.t - 0.001)
            inside = at < up.t.size
            self._values[row, at[inside]] = one.v[inside]
            self._live[row, at[inside]] = ~stale(one.v[inside])

    def text(self, at: float) -> bytes | None:
        """Return the exposition at a moment, None when the node did not answer its scrape."""
        column = int(np.searchsorted(self._t, at, "right")) - 1
        if column < 0 or self._up[column] != 1:
            return None
        rows = np.flatnonzero(self._live[:, column]).tolist()
        values = self._values[:, column].tolist()
        lines = [f"{self._heads[row]} {_number(values[row])}" for row in rows]
        return ("# HELP something\n" + "\n".join(lines) + "\n").encode()


def exposed(recording: Recording, wanted: Callable[[str], bool]) -> dict[tuple[str, str], Exposed]:
    """Return each target (job, instance) with its series."""
    series: dict[tuple[str, str], list[Stored]] = {}
    for name in recording.samples.names:
        if wanted(name) and not name.startswith(MADE_BY_PROMETHEUS):
            for one in recording.samples.series(name):
                series.setdefault((one.labels["job"], one.labels["instance"]), []).append(one)
    ups = {(one.labels["job"], one.labels["instance"]): one for one in recording.samples.series("up")}
    return {target: Exposed(ups[target], ones) for target, ones in series.items()}


@asynccontextmanager
async def serving(nodes: dict[tuple[str, str], Exposed], clock: Clock) -> AsyncGenerator[tuple[ScrapeTarget, ...]]:
    """Serve each node on a port of its own, as of the clock."""
    async with AsyncExitStack() as stack:
        targets: list[ScrapeTarget] = []
        for (job, instance), node in nodes.items():
            served = await stack.enter_async_context(loopback(_answer(node, clock)))
            targets.append(ScrapeTarget(job, instance, served.url))
        yield tuple(targets)


def _answer(node: Exposed, clock: Clock) -> Answer:
    async def answer(stream: ByteStream) -> None:
        text = node.text(clock.now().timestamp())
        await stream.send(http(503) if text is None else http(200, text))

    return answer


def _head(one: Stored) -> str:
    own = {name: value for name, value in one.labels.items() if name not in ("__name__", "job", "instance")}
    inside = ",".join(f'{name}="{escaped(value)}"' for name, value in own.items())
    return one.labels["__name__"] + (f"{{{inside}}}" if inside else "")


def _number(value: float) -> str:
    return {"inf": "+Inf", "-inf": "-Inf", "nan": "NaN"}.get(repr(value), repr(value))
