"""`/metrics` and `/healthz` of `opsai-watch`: text to read, nothing to change, no secrets."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import Metric
from prometheus_client.registry import Collector
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from opsai_server.exposition import exposition
from opsai_server.tickets.store import Store
from opsai_server.tickets.tick import Ticked
from opsai_server.tickets.ticket import Ticket
from opsai_server.watch_metrics import LATE_INTERVALS, Looks, families
from opsai_subjects.errors import StoreError
from opsai_subjects.opening import Cluster

TICKETS_COUNTED = 5_000
"""Open tickets that are read to say how many are over the cap."""


class WatchBoard:
    """What a running watcher shows of itself; told of each look, it reads the tickets when it is asked."""

    def __init__(
        self,
        cluster: Cluster,
        store: Store,
        interval_seconds: float,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._subject = cluster.subject
        self._store = store
        self._monotonic = monotonic
        self._wall = wall
        self._looked_at: float | None = None
        self._looks = Looks(cluster.name, cluster.subject.kind.name, interval_seconds)
        self._process = CollectorRegistry()
        ProcessCollector(registry=self._process)

    async def remember(self) -> None:
        """Take the time of the last look from the store: a watcher that restarts has not never looked. Raises StoreError."""
        beat = await self._store.heartbeat(self._looks.cluster)
        if beat is not None:
            self._looks = replace(self._looks, last_at=beat.at.timestamp())

    def looked(self, ticked: Ticked) -> None:
        """Note a look that was stored."""
        self._looked_at = self._monotonic()
        self._looks = replace(
            self._looks,
            stored=self._looks.stored + 1,
            last_at=self._wall(),
            took_seconds=ticked.tick.took_seconds,
            unread=len(ticked.tick.unread),
            verdicts=ticked.verdicts,
        )

    def failed(self) -> None:
        """Note a look that failed."""
        self._looks = replace(self._looks, failed=self._looks.failed + 1)

    def looks(self) -> Looks:
        """Return what has been done so far, as of now."""
        age_seconds = None if self._looked_at is None else self._monotonic() - self._looked_at
        return replace(self._looks, age_seconds=age_seconds)

    def health(self) -> tuple[bool, str]:
        """Return whether the last look is recent, and a sentence."""
        looks = self.looks()
        allowed_seconds = LATE_INTERVALS * looks.interval_seconds
        if looks.age_seconds is None:
            return False, f"No look has been stored since the start ({looks.failed} failed)."
        says = f"The last look was stored {looks.age_seconds:.0f} s ago; up to {allowed_seconds:g} s are in order."
        return not looks.late, says

    async def metrics(self) -> "Now":
        """Return everything there is to tell, as of now."""
        tickets: tuple[Ticket, ...] | None
        try:
            tickets = await self._store.tickets(
                self._looks.cluster, status=("created", "diagnosed"), limit=TICKETS_COUNTED
            )
        except StoreError:
            tickets = None
        return Now([*families(self.looks(), self._subject.invariants, tickets), *self._process.collect()])


class Now(Collector):
    """Metric families that are there already."""

    def __init__(self, found: list[Metric]) -> None:
        self._found = found

    def collect(self) -> Iterator[Metric]:
        return iter(self._found)


def watch_app(board: WatchBoard) -> Starlette:
    """Return the application."""

    async def metrics(request: Request) -> Response:
        return exposition(await board.metrics(), request)

    async def healthz(_request: Request) -> Response:
        well, says = board.health()
        looks = board.looks()
        body = {
            "status": "ok" if well else "late",
            "says": says,
            "cluster": looks.cluster,
            "looks_stored": looks.stored,
            "looks_failed": looks.failed,
        }
        return JSONResponse(body, status_code=200 if well else 503)

    async def elsewhere(_request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        return JSONResponse({"says": "There is nothing here. Try GET /metrics or GET /healthz."}, status_code=status)

    return Starlette(
        routes=[Route("/metrics", metrics), Route("/healthz", healthz)],
        exception_handlers={404: elsewhere, 405: elsewhere},
    )
