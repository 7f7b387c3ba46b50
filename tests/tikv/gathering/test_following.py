"""Signals that are parted by a label, that speak of the whole cluster, or that are absent while nothing happens."""

import pytest

from opsai_subjects.promql.samples import Stored
from opsai_tikv.facts import CLUSTER, TikvFacts
from tests.tikv.cluster import STORES, healthy, subject
from tests.tikv.eyes import MemoryMetrics, stored
from tests.tikv.pd.fake import ADDRESSES

pytestmark = pytest.mark.anyio

PORT = f"{STORES['1']}:20180"


def threads(name: str, busy: float, tid: str) -> Stored:
    values = [busy * 15.0 * index for index in range(40)]
    plain = stored("tikv_thread_cpu_seconds_total", values, tid=tid, instance=PORT, job="tikv")
    return Stored({**plain.labels, "name": name}, plain.t, plain.v)


async def followed(*more: Stored) -> TikvFacts:
    up = [stored("up", [1.0] * 40, instance=PORT, job="tikv")]
    up += [stored("up", [1.0] * 40, instance=address, job="pd") for address in ADDRESSES.values()]
    async with subject(healthy(), metrics=MemoryMetrics([*up, *more])) as found:
        return await found.facts()


async def test_threads_are_followed_by_their_pool_whatever_their_number() -> None:
    facts = await followed(
        threads("raftstore_1_0", 0.9, "11"),
        threads("raftstore_1_1", 0.7, "12"),
        threads("unified_read_po", 0.2, "13"),
        threads("rocksdb_low_0", 1.0, "14"),
    )
    now = {name: entities["store:1"].now for name, entities in facts.tracks.by_name.items() if "pool_busy:" in name}

    assert now == {"pool_busy:raftstore": pytest.approx(0.8), "pool_busy:unified_read": pytest.approx(0.2)}


async def test_what_nobody_counted_yet_is_zero_while_its_target_is_scraped_and_else_unknown() -> None:
    facts = await followed()

    assert facts.tracks.by_name["operator_timeouts"][CLUSTER].now == 0
    assert facts.tracks.by_name["coprocessor_wait_p9999"]["store:1"].now == 0
    assert "store:4" not in facts.tracks.by_name["worker_pending"]
    assert CLUSTER not in facts.tracks.by_name["tso_p99"]


async def test_the_scrapes_that_fall_into_the_range_of_rates_are_counted() -> None:
    assert (await followed()).tracks.by_name["scrapes_in_range"][CLUSTER].now == 4
