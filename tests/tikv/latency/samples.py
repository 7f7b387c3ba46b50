"""Hand-made samples of TiKV's and its clients' histograms: what no recording shows."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from opsai_subjects.promql.samples import Stored
from tests.tikv.cluster import STORES
from tests.tikv.eyes import AT, MemoryMetrics

SCRAPE_SECONDS = 15
SCRAPES = 82
"""Twenty minutes and a little more before AT."""
ONSET = 61
"""The scrape at which trouble begins: five minutes before AT."""
LES = (*(1e-5 * 2**n for n in range(26)), float("inf"))
INSTANCES = {f"store:{number}": f"{host}:20180" for number, host in STORES.items()}

Family = tuple[str, dict[str, str]]
Floats = NDArray[np.float64]
WRITES: Family = ("tikv_grpc_msg_duration_seconds", {"type": "kv_prewrite"})
READS: Family = ("tikv_grpc_msg_duration_seconds", {"type": "kv_get"})
COPROCESSOR: Family = ("tikv_grpc_msg_duration_seconds", {"type": "coprocessor"})
SCHEDULER: Family = ("tikv_scheduler_command_duration_seconds", {"type": "prewrite"})
ASYNC_WRITE: Family = ("tikv_storage_engine_async_request_duration_seconds", {"type": "write"})
SNAPSHOT: Family = ("tikv_storage_engine_async_request_duration_seconds", {"type": "snapshot"})
PROPOSE_WAIT: Family = ("tikv_raftstore_request_wait_time_duration_secs", {})
APPEND: Family = ("tikv_raftstore_append_log_duration_seconds", {})
FSYNC: Family = ("raft_engine_sync_log_duration_seconds", {})
COMMIT: Family = ("tikv_raftstore_commit_log_duration_seconds", {})
APPLY_WAIT: Family = ("tikv_raftstore_apply_wait_time_duration_secs", {})
APPLY: Family = ("tikv_raftstore_apply_log_duration_seconds", {})
MESSAGES: Family = ("tikv_server_raft_message_duration_seconds", {"type": "receive_delay"})
READ_POOL: Family = ("tikv_yatp_pool_schedule_wait_duration", {"name": "unified-read-pool"})
WORK: Family = ("tikv_coprocessor_request_handle_seconds", {"req": "select"})
USUAL: tuple[tuple[Family, float], ...] = (
    (WRITES, 0.008),
    (READS, 0.001),
    (SCHEDULER, 0.0075),
    (ASYNC_WRITE, 0.006),
    (SNAPSHOT, 0.0001),
    (PROPOSE_WAIT, 0.0003),
    (APPEND, 0.002),
    (FSYNC, 0.0018),
    (COMMIT, 0.005),
    (APPLY_WAIT, 0.0004),
    (APPLY, 0.0005),
    (MESSAGES, 0.0006),
    (READ_POOL, 0.0003),
)


class Hand:
    """The metrics of a cluster that is well until ONSET; what a test gives replaces what was there."""

    def __init__(self, instances: Sequence[str] = tuple(INSTANCES.values()), families: Sequence[Family] = ()) -> None:
        self._series: dict[str, list[Stored]] = {}
        for family, seconds in USUAL:
            for instance in instances if not families or family in families else ():
                self.histogram(family, seconds, instance=instance)

    def histogram(
        self,
        family: Family,
        before: float,
        now: float | None = None,
        *,
        rate: float = 20.0,
        stops: bool = False,
        ends: bool = False,
        until: int = SCRAPES,
        **labels: str,
    ) -> None:
        """Give a histogram: every observation takes `before` seconds, from ONSET to `until` `now`.

        `stops`: no observation after ONSET. `ends`: no sample after it.
        """
        name, own = family
        every = {"job": "tikv", **own, **labels}
        counts = np.full(SCRAPES, rate * SCRAPE_SECONDS)
        if stops:
            counts[ONSET:] = 0.0
        took = _steps(before, before if now is None else now)
        took[until:] = before
        parts = [("bucket", {**every, "le": f"{le:g}"}, counts * (took <= le)) for le in LES]
        parts += [("sum", every, counts * took), ("count", every, counts)]
        last = ONSET if ends else SCRAPES
        self._series[f"{name} {every}"] = [
            _stored(f"{name}_{part}", each, np.cumsum(values)[:last]) for part, each, values in parts
        ]

    def counter(self, name: str, before: float, now: float, **labels: str) -> None:
        """Give a counter that grows by so much a second, from ONSET on by `now`."""
        values = np.cumsum(_steps(before, now) * SCRAPE_SECONDS)
        self._series[f"{name} {labels}"] = [_stored(name, {"job": "tikv", **labels}, values)]

    def gauge(self, name: str, before: float, now: float, **labels: str) -> None:
        """Give a gauge, from ONSET on `now`."""
        self._series[f"{name} {labels}"] = [_stored(name, {"job": "tikv", **labels}, _steps(before, now))]

    def metrics(self) -> MemoryMetrics:
        """Return an engine over what was given."""
        return MemoryMetrics(one for kept in self._series.values() for one in kept)


def _steps(before: float, now: float) -> Floats:
    return np.where(np.arange(SCRAPES) < ONSET, before, now)


def _stored(name: str, labels: dict[str, str], values: Floats) -> Stored:
    first = AT.timestamp() - SCRAPE_SECONDS * (SCRAPES - 1)
    return Stored({"__name__": name, **labels}, first + SCRAPE_SECONDS * np.arange(len(values)), values)
