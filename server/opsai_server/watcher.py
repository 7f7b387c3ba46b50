"""The loop around watching: gather, judge, decide, and store it as one."""

import logging
import os
import platform
import time
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

import anyio

from opsai_server.recognising import recognise
from opsai_server.tickets.store import Store
from opsai_server.tickets.tick import Judged, Ticked
from opsai_server.tickets.ticket import Heartbeat
from opsai_server.watching import watch
from opsai_subjects.config import WatchSettings
from opsai_subjects.errors import SourceTimedOut, StoreError
from opsai_subjects.opening import Cluster, ReplayCluster
from opsai_subjects.subject import Facts

log = logging.getLogger(__name__)

OnTick = Callable[[Ticked], Awaitable[None]]

GIVE_UP_SECONDS = 300.0
"""A look that gathers for longer is given up: every request has its own, far shorter limit, so something is wrong with it."""


class Pace(Protocol):
    """When the next tick is due."""

    async def next(self) -> None:
        """Return when it is."""
        ...


class MonotonicPace:
    """A beat on the monotonic clock, without drift: the first at once; beats that a long tick missed are left out."""

    def __init__(self, interval_seconds: float) -> None:
        self._interval_seconds = interval_seconds
        self._next: float | None = None

    async def next(self) -> None:
        """Sleep until the next beat."""
        now = anyio.current_time()
        due = now if self._next is None else next_beat(self._next, self._interval_seconds, now)
        self._next = due
        await anyio.sleep_until(due)


def next_beat(last: float, interval_seconds: float, now: float) -> float:
    """Return the first beat after `last` that is not over; a beat that is just due counts."""
    missed = max(0, -int((last + interval_seconds - now) // interval_seconds))
    return last + interval_seconds * (1 + missed)


async def tick(
    cluster: Cluster,
    store: Store,
    settings: WatchSettings,
    *,
    watcher: str | None = None,
    give_up_seconds: float = GIVE_UP_SECONDS,
) -> Ticked:
    """Look once, and store what follows. Raises StoreError, ClusterSwapped, SourceTimedOut, and whatever an adapter fails with."""
    begun = time.monotonic()
    facts = await _facts(cluster, give_up_seconds)
    await recognise(store, facts)
    verdicts = cluster.subject.judge(facts)
    signs = cluster.subject.signs(facts)
    took_seconds = time.monotonic() - begun
    judged = Judged(cluster=cluster.name, facts=facts, verdicts=verdicts, signs=signs, took_seconds=took_seconds)
    heartbeat = Heartbeat(
        cluster=cluster.name,
        watcher=watcher or watcher_name(),
        at=facts.at,
        tick_seconds=took_seconds,
        interval_seconds=settings.interval_seconds,
    )
    decide = partial(watch, judged=judged, invariants=cluster.subject.invariants, settings=settings)
    ticked = await store.record_tick(judged, decide, heartbeat)
    kept = ticked.tick
    log.info(
        "tick cluster=%s at=%s held=%d violated=%d unknown=%d unread=%d steps=%d took_seconds=%.2f",
        kept.cluster,
        kept.at.isoformat(timespec="seconds"),
        kept.held,
        kept.violated,
        kept.unknown,
        len(kept.unread),
        len(ticked.steps),
        kept.took_seconds,
    )
    return ticked


async def run(
    cluster: Cluster,
    store: Store,
    settings: WatchSettings,
    *,
    on_tick: OnTick | None = None,
    on_failure: Callable[[], None] | None = None,
    pace: Pace | None = None,
) -> None:
    """Tick at the interval until cancelled, one at a time. A tick that fails is logged, and the next one goes on.

    Cancelled, it says goodbye with a last heartbeat.
    """
    beat = pace or MonotonicPace(settings.interval_seconds)
    watcher = watcher_name()
    try:
        while True:
            await beat.next()
            ticked = await _try_one(cluster, store, settings, watcher)
            if ticked is None and on_failure is not None:
                on_failure()
            if ticked is not None and on_tick is not None:
                await on_tick(ticked)
    finally:
        with anyio.CancelScope(shield=True):
            await _say_goodbye(cluster, store, settings, watcher)


async def play(
    cluster: ReplayCluster,
    store: Store,
    settings: WatchSettings,
    *,
    start: datetime,
    until: datetime,
    on_tick: OnTick | None = None,
) -> None:
    """Set a recording's clock to start, start + interval, … up to and with `until`, and tick at each.

    Raises what a tick raises: a recording that cannot be played is no recording.
    """
    at = start
    while at <= until:
        cluster.clock.set(at)
        ticked = await tick(cluster, store, settings)
        if on_tick is not None:
            await on_tick(ticked)
        at += timedelta(seconds=settings.interval_seconds)


def watcher_name() -> str:
    """Return who this process is in a heartbeat: host:pid."""
    return f"{platform.node()}:{os.getpid()}"


async def _facts(cluster: Cluster, at_most_seconds: float) -> Facts:
    with anyio.move_on_after(at_most_seconds):
        return await cluster.subject.facts()
    raise SourceTimedOut(
        "the facts of one look", cluster.name, f"not gathered within {at_most_seconds:g} s", "see which source is slow"
    )


async def _try_one(cluster: Cluster, store: Store, settings: WatchSettings, watcher: str) -> Ticked | None:
    try:
        return await tick(cluster, store, settings, watcher=watcher)
    except Exception:  # the top of the process: one bad tick must not end the watch
        log.exception("tick_failed cluster=%s", cluster.name)
        return None


async def _say_goodbye(cluster: Cluster, store: Store, settings: WatchSettings, watcher: str) -> None:
    last = Heartbeat(
        cluster=cluster.name,
        watcher=watcher,
        at=cluster.clock.now(),
        tick_seconds=0.0,
        interval_seconds=settings.interval_seconds,
        stopped=True,
    )
    try:
        await store.put_heartbeat(last)
    except StoreError as error:
        log.warning("goodbye_not_stored cluster=%s error=%s", cluster.name, error)
