"""`/metrics` and `/healthz` of `opsai-watch`: text to read, nothing to change, no secrets."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import Metric
from prometheus_client.registry import Collector
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from opsai_server.entrance import Policy, host_refusal, origin_refusal
from opsai_server.exposition import exposition
from opsai_server.tickets.store import Store
from opsai_server.tickets.tick import Ticked
from opsai_server.tickets.ticket import OPEN, Ticket
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

    def told(self) -> dict[str, object]:
        """Return what `/healthz` says of this cluster."""
        well, says = self.health()
        looks = self.looks()
        return {
            "cluster": looks.cluster,
            "status": "ok" if well else "late",
            "says": says,
            "looks_stored": looks.stored,
            "looks_failed": looks.failed,
        }

    async def metrics(self) -> list[Metric]:
        """Return everything there is to tell of this cluster, as of now."""
        tickets: tuple[Ticket, ...] | None
        try:
            tickets = await self._store.tickets(self._looks.cluster, status=OPEN, limit=TICKETS_COUNTED)
        except StoreError:
            tickets = None
        return list(families(self.looks(), self._subject.invariants, tickets))


class Now(Collector):
    """Metric families that are there already."""

    def __init__(self, found: list[Metric]) -> None:
        self._found = found

    def collect(self) -> Iterator[Metric]:
        return iter(self._found)


def merged(families: Iterable[Metric]) -> list[Metric]:
    """Return one family of each name, with the samples of all: the text format wants them together. The first of two equal samples stays."""
    found: dict[str, Metric] = {}
    for family in families:
        into = found.setdefault(family.name, Metric(family.name, family.documentation, family.type))
        known = {(one.name, *sorted(one.labels.items())) for one in into.samples}
        into.samples += [one for one in family.samples if (one.name, *sorted(one.labels.items())) not in known]
    return list(found.values())


def watch_app(*boards: WatchBoard, hosts: tuple[str, ...] = ()) -> ASGIApp:
    """Return the application: `/healthz` is well when each cluster was looked at lately.

    `hosts` are names by which it is called, beside localhost, IP addresses and names without a dot.
    """
    callers = Policy(token=None, hosts=hosts, bare_names=True)
    process = CollectorRegistry()
    ProcessCollector(registry=process)

    async def metrics(request: Request) -> Response:
        told = [family for board in boards for family in await board.metrics()]
        return exposition(Now([*merged(told), *process.collect()]), request)

    async def healthz(_request: Request) -> Response:
        clusters = [board.told() for board in boards]
        late = [one for one in clusters if one["status"] != "ok"]
        body = {
            "status": "late" if late else "ok",
            "says": str((late or clusters)[0]["says"]),
            "clusters": clusters,
        }
        return JSONResponse(body, status_code=503 if late else 200)

    async def elsewhere(_request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        return JSONResponse({"says": "There is nothing here. Try GET /metrics or GET /healthz."}, status_code=status)

    app = Starlette(
        routes=[Route("/metrics", metrics), Route("/healthz", healthz)],
        exception_handlers={404: elsewhere, 405: elsewhere},
    )

    async def called_by_name(scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        refusal = host_refusal(headers, callers) or origin_refusal(headers, callers)
        await (app(scope, receive, send) if refusal is None else refusal.response()(scope, receive, send))

    return called_by_name
