"""What no recording shows, on hand-made samples: clients, the network, garbage, stalls, hung disks, blindness, size."""

from datetime import timedelta
from typing import Any

import pytest

from opsai_subjects.errors import ArgumentInvalid, UnknownName
from opsai_subjects.model import MetricsReply, Window
from opsai_subjects.sources.scoped import narrowed
from tests.tikv.cluster import STORES, healthy, store, subject
from tests.tikv.eyes import AT, DeafMetrics, MemoryMetrics, late
from tests.tikv.latency.asking import asked, of_hand, shown, verdicts
from tests.tikv.latency.samples import (
    APPEND,
    APPLY,
    APPLY_WAIT,
    ASYNC_WRITE,
    COMMIT,
    FSYNC,
    INSTANCES,
    MESSAGES,
    ONSET,
    PROPOSE_WAIT,
    READ_POOL,
    READS,
    SCHEDULER,
    SCRAPES,
    SNAPSHOT,
    USUAL,
    WORK,
    WRITES,
    Family,
    Hand,
)
from tests.tikv.pd.fake import NAMES, refused

pytestmark = pytest.mark.anyio

ONE, FOUR = INSTANCES["store:1"], INSTANCES["store:4"]
SENT_WRITES: Family = ("tidb_tikvclient_request_seconds", {"type": "Prewrite", "job": "tidb"})
ON_THE_WAY: Family = ("tidb_tikvclient_rpc_net_latency_seconds", {"job": "tidb"})
BACKOFF: Family = ("tidb_tikvclient_backoff_seconds", {"job": "tidb"})
READ_INDEX: Family = ("tikv_storage_engine_async_request_duration_seconds", {"type": "snapshot_read_index_confirm"})
LOCK_WAIT: Family = ("tikv_lock_manager_waiter_lifetime_duration", {})
COP_WAIT: Family = ("tikv_coprocessor_request_wait_seconds", {"type": "all", "req": "select"})


class SlowMetrics(MemoryMetrics):
    """An engine that answers nothing in time, and counts what it is asked."""

    async def range(self, promql: str, window: Window, step_seconds: float) -> MetricsReply:
        self.asked.append(promql)
        raise late(promql)


def usual(family: Family) -> float:
    """Return what a stage usually takes."""
    return next(seconds for one, seconds in USUAL if one == family)


def later(hand: Hand, instance: str, seconds: float, *families: Family, until: int = SCRAPES) -> None:
    """Let these stages take so much longer on one store."""
    for family in families:
        hand.histogram(family, usual(family), usual(family) + seconds, instance=instance, until=until)


async def write_of(hand: Hand, **arguments: Any) -> dict[str, Any]:
    return verdicts(await of_hand(hand, path="write", **arguments))["write"]


async def read_of(hand: Hand, **arguments: Any) -> dict[str, Any]:
    return verdicts(await of_hand(hand, path="read", **arguments))["read"]


async def test_a_cluster_that_stays_as_it_was_has_no_stage_that_grew() -> None:
    found = verdicts(await of_hand(Hand()))
    assert {path: verdict["where"] for path, verdict in found.items()} == {
        "write": "nothing grew",
        "read": "nothing grew",
    }
    assert "there are no client metrics" in found["write"]["says"]


async def test_a_hung_disk_has_no_completions_and_is_not_taken_for_a_quick_one() -> None:
    hand = Hand()
    for family in (FSYNC, APPEND):
        hand.histogram(family, usual(family), instance=FOUR, stops=True)
    write = await write_of(hand)
    assert (write["where"], write["stage"], write["entities"]) == ("tikv", "fsync", ["store:4"])
    assert "no completions any more (before 20/s)" in write["says"].lower()


async def test_a_log_that_stops_everywhere_is_no_hung_disk() -> None:
    hand = Hand()
    for family, seconds in USUAL:
        for instance in INSTANCES.values():
            hand.histogram(family, seconds, instance=instance, stops=True)
    write = await write_of(hand)
    assert write["where"] == "unknown"
    assert "no store completes writes any more" in write["says"]


async def test_a_late_log_without_a_late_fsync_is_not_the_disk() -> None:
    hand = Hand()
    later(hand, FOUR, 0.2, APPEND)
    for instance in INSTANCES.values():
        later(hand, instance, 0.05, COMMIT, ASYNC_WRITE, SCHEDULER, WRITES)
    write = await write_of(hand)
    assert (write["stage"], write["entities"]) == ("append", ["store:4"])
    assert "not the disk" in write["says"]
    assert write["share_of_growth_ratio"] == pytest.approx(1.0, abs=0.05)


async def test_late_raft_messages_are_the_network_and_name_the_store_they_reach_late() -> None:
    hand = Hand()
    later(hand, FOUR, 0.2, MESSAGES)
    later(hand, ONE, 0.05, MESSAGES)
    for instance in INSTANCES.values():
        later(hand, instance, 0.1, COMMIT, ASYNC_WRITE, SCHEDULER, WRITES)
    write = await write_of(hand)
    assert (write["where"], write["stage"], write["entities"]) == ("network", "message_delay", ["store:4"])
    assert "no store writes its log slower" in write["says"].lower()


async def test_a_late_commit_that_nothing_explains_is_a_late_peer() -> None:
    hand = Hand()
    later(hand, ONE, 0.1, COMMIT, ASYNC_WRITE, SCHEDULER, WRITES)
    write = await write_of(hand)
    assert (write["where"], write["stage"], write["entities"]) == ("tikv", "commit", ["store:1"])
    assert "a peer answers late" in write["says"]


async def test_tasks_of_several_pools_that_wait_are_a_want_of_cpu_whatever_else_grew() -> None:
    hand = Hand()
    later(hand, FOUR, 0.03, READ_POOL, PROPOSE_WAIT, APPLY_WAIT)
    later(hand, FOUR, 0.2, APPEND, FSYNC, COMMIT, ASYNC_WRITE, SCHEDULER, WRITES)
    later(hand, FOUR, 0.04, READS)
    found = verdicts(await of_hand(hand))
    for path in ("write", "read"):
        assert (found[path]["where"], found[path]["entities"]) == ("tikv", ["store:4"])
        assert found[path]["short_of_cpu"] is True
    assert found["read"]["says"].startswith("TiKV: too little CPU")
    assert "as told above" in found["read"]["says"]


async def test_a_write_stall_explains_a_late_apply() -> None:
    hand = Hand()
    later(hand, FOUR, 0.3, APPLY, ASYNC_WRITE, SCHEDULER, WRITES)
    assert (await write_of(hand))["stage"] == "apply"
    hand.gauge("tikv_engine_write_stall", 0, 900_000, instance=FOUR, db="kv", type="write_stall_max")
    write = await write_of(hand)
    assert (write["stage"], write["entities"]) == ("write_stall", ["store:4"])


async def test_a_scheduler_that_is_late_by_itself_is_named() -> None:
    hand = Hand()
    later(hand, ONE, 0.1, SCHEDULER, WRITES)
    assert (await write_of(hand))["stage"] == "scheduler"


async def test_requests_that_wait_outside_all_stages_are_told_to_be_unexplained() -> None:
    hand = Hand()
    later(hand, ONE, 0.1, WRITES)
    write = await write_of(hand)
    assert write["stage"] == "write_requests"
    assert "No stage inside explains it" in write["says"]
    assert "share_of_growth_ratio" not in write


async def test_slowest_requests_alone_are_found_while_the_mean_is_as_before() -> None:
    hand = Hand()
    hand.histogram(APPEND, 0.0001, 0.0001, instance=FOUR, rate=1000.0)
    hand.histogram(APPEND, 0.0001, 0.08, instance=FOUR, rate=12.0, also="tail")
    before = Hand()
    before.histogram(APPEND, 0.0001, instance=FOUR, rate=1000.0)
    assert (await write_of(before))["where"] == "nothing grew"
    write = await write_of(hand)
    assert (write["stage"], write["entities"]) == ("append", ["store:4"])
    assert "slowest requests alone" in write["says"]


def with_clients(hand: Hand, more: float = 0.0, on_the_way: float = 0.0) -> None:
    """Let a client see requests of store 4 take so much longer, and their way."""
    for number, host in STORES.items():
        here = number == "4"
        hand.histogram(SENT_WRITES, 0.01, 0.01 + (more if here else 0.0), store=number)
        hand.histogram(ON_THE_WAY, 0.001, 0.001 + (on_the_way if here else 0.0), store=f"{host}:20160")


async def test_what_grows_between_client_and_store_is_the_network_between_them() -> None:
    hand = Hand()
    with_clients(hand, more=0.1, on_the_way=0.1)
    write = await write_of(hand)
    assert (write["where"], write["stage"], write["entities"]) == ("network", "client_network", ["store:4"])


async def test_what_grows_for_clients_alone_is_the_clients_own() -> None:
    hand = Hand()
    with_clients(hand, more=0.1)
    write = await write_of(hand)
    assert (write["where"], write["stage"]) == ("client", "client_writes")
    assert "the rest is the client's own" in write["says"]


async def test_what_clients_see_and_a_store_explains_is_tikv() -> None:
    hand = Hand()
    with_clients(hand, more=0.2)
    later(hand, FOUR, 0.2, APPEND, FSYNC, COMMIT, ASYNC_WRITE, SCHEDULER, WRITES)
    write = await write_of(hand)
    assert (write["where"], write["stage"], write["entities"]) == ("tikv", "fsync", ["store:4"])


async def test_clients_that_back_off_while_stores_are_quick_say_why() -> None:
    hand = Hand()
    with_clients(hand)
    hand.histogram(BACKOFF, 0.002, 0.2, type="regionMiss")
    write = await write_of(hand)
    assert (write["where"], write["stage"]) == ("client", "client_backoff")
    assert "back off because of regionMiss" in write["says"]


async def test_old_versions_that_reads_walk_are_told_as_garbage() -> None:
    hand = Hand()
    hand.histogram(WORK, 0.015, 0.4, instance=FOUR)
    later(hand, FOUR, 0.4, READS)
    for instance in INSTANCES.values():
        walked = 200_000.0 if instance == FOUR else 1_500.0
        labels = {"instance": instance, "cf": "write", "req": "select"}
        hand.counter("tikv_coprocessor_scan_details", 1_500.0, walked, tag="next", **labels)
        hand.counter("tikv_coprocessor_scan_details", 1_000.0, 1_000.0, tag="processed_keys", **labels)
    read = await read_of(hand)
    assert (read["where"], read["stage"], read["entities"]) == ("tikv", "versions_walked", ["store:4"])
    assert "200 versions are walked for each key used, before 1.5" in read["says"]


async def test_blocks_read_from_disk_explain_late_reads() -> None:
    hand = Hand()
    hand.histogram(WORK, 0.015, 0.1, instance=FOUR)
    later(hand, FOUR, 0.1, READS)
    for instance in INSTANCES.values():
        nanoseconds = 20 * 0.08e9 if instance == FOUR else 20 * 0.001e9
        labels = {"instance": instance, "req": "select", "metric": "block_read_time"}
        hand.counter("tikv_coprocessor_rocksdb_perf", 20 * 0.001e9, nanoseconds, **labels)
    read = await read_of(hand)
    assert (read["stage"], read["entities"]) == ("block_read", ["store:4"])


async def test_reads_that_queue_for_the_pool_are_told_apart_from_reads_that_work_longer() -> None:
    hand = Hand()
    later(hand, FOUR, 0.3, READ_POOL, READS)
    hand.histogram(COP_WAIT, 0.0005, 0.3, instance=FOUR)
    read = await read_of(hand)
    assert (read["stage"], read["entities"]) == ("read_pool_wait", ["store:4"])


async def test_lapsed_leases_are_told_as_read_index() -> None:
    hand = Hand()
    later(hand, ONE, 0.05, SNAPSHOT, READS)
    hand.histogram(READ_INDEX, 0.001, 0.05, instance=ONE)
    assert (await read_of(hand))["stage"] == "read_index"


async def test_trouble_that_is_over_is_told_with_its_end() -> None:
    hand = Hand()
    later(hand, FOUR, 0.2, APPEND, FSYNC, COMMIT, ASYNC_WRITE, SCHEDULER, WRITES, until=ONSET + 8)
    write = await write_of(hand)
    assert (write["stage"], write["since"][:16], write["until"][:16]) == (
        "fsync",
        "2026-05-04T02:55",
        "2026-05-04T02:57",
    )
    assert "now over" in write["says"]


async def test_a_window_without_a_past_is_compared_with_its_own_beginning_and_says_so() -> None:
    hand = Hand()
    later(hand, FOUR, 0.2, APPEND, FSYNC, COMMIT, ASYNC_WRITE, SCHEDULER, WRITES)
    answer = await of_hand(hand, minutes=None, start="2026-05-04T02:39:00Z", path="write")
    assert verdicts(answer)["write"]["stage"] == "fsync"
    assert "the first third of the samples" in shown(answer)


async def test_a_store_without_samples_is_unknown() -> None:
    hand = Hand()
    for family, seconds in USUAL:
        hand.histogram(family, seconds, instance=FOUR, ends=True)
    write = await write_of(hand)
    assert (write["where"], write["entities"]) == ("unknown", ["store:4"])
    assert "no samples of store:4 (kv2) any more" in write["says"]


async def test_a_path_that_nobody_uses_is_unknown_and_not_quick() -> None:
    hand = Hand()
    for instance in INSTANCES.values():
        hand.histogram(READS, 0.001, instance=instance, rate=0.0)
    read = await read_of(hand)
    assert read["where"] == "unknown"
    assert "an empty histogram has no percentile" in read["says"]


async def test_without_an_engine_or_without_series_or_without_an_answer_all_is_unknown() -> None:
    for metrics, why in (
        (None, "no metrics engine is set"),
        (MemoryMetrics(), "no series of TiKV"),
        (DeafMetrics(), "did not answer"),
    ):
        for verdict in verdicts(await of_hand(metrics)).values():
            assert verdict["where"] == "unknown"
            assert why in verdict["says"]


async def test_a_hung_engine_is_asked_a_few_times_and_spared() -> None:
    metrics = SlowMetrics()
    answer = await of_hand(metrics)
    assert len(metrics.asked) < 12
    assert len(shown(answer)) < 2_000


async def test_no_stage_costs_more_than_two_range_queries() -> None:
    metrics = Hand().metrics()
    await of_hand(metrics)
    of_stages = [query for query in metrics.asked if '"is"' in query]
    assert len(of_stages) == len(set(of_stages)) <= 60
    assert len(metrics.asked) - len(of_stages) <= 3


async def test_an_unknown_store_or_an_empty_window_is_refused() -> None:
    with pytest.raises(UnknownName, match="store:4"):
        await of_hand(Hand(), store="store:9")
    with pytest.raises(ArgumentInvalid):
        await of_hand(Hand(), minutes=None, start="2026-05-04T04:00:00Z")


async def test_three_hundred_stores_are_told_the_worst_first_and_the_others_counted() -> None:
    addresses = {str(number): f"10.2.{number // 250}.{number % 250}" for number in range(1, 301)}
    written = (WRITES, ASYNC_WRITE, COMMIT, APPEND, FSYNC)
    hand = Hand([f"{host}:20180" for host in addresses.values()], written)
    for number in ("7", "8", "9", "10", "11", "12"):
        later(hand, f"{addresses[number]}:20180", 0.1 * int(number), *written)
    stores = [
        store(number, address=f"{host}:20160", status_address=f"{host}:20180") for number, host in addresses.items()
    ]
    pd = healthy(**{"/pd/api/v1/stores": {"count": len(stores), "stores": stores}})
    async with subject(pd, metrics=hand.metrics(), names={}) as one:
        answer = await asked(one, path="write", minutes=5.0)
    write = verdicts(answer)["write"]
    assert (write["stage"], write["entities"][0]) == ("fsync", "store:12")
    assert "store:12, store:11, store:10 and 3 more" in write["says"]
    assert len(shown(answer)) <= 4_000


async def test_every_query_can_be_narrowed_to_one_cluster_of_a_shared_engine() -> None:
    hand = Hand()
    later(hand, FOUR, 0.2, APPEND, FSYNC, COMMIT, ASYNC_WRITE, SCHEDULER, WRITES)
    write = verdicts(await of_hand(narrowed(hand.metrics(), {"job": "tikv"})))["write"]
    assert (write["stage"], write["entities"]) == ("fsync", ["store:4"])
    none = verdicts(await of_hand(narrowed(hand.metrics(), {"job": "another"})))["write"]
    assert none["where"] == "unknown"


async def test_a_few_long_waits_for_locks_weigh_as_few_as_they_are() -> None:
    hand = Hand()
    later(hand, FOUR, 0.1, APPEND, FSYNC, COMMIT, ASYNC_WRITE, SCHEDULER, WRITES)
    hand.histogram(LOCK_WAIT, 0.01, 2.0, instance=FOUR, rate=0.2)
    assert (await write_of(hand))["stage"] == "fsync"
    hand.histogram(LOCK_WAIT, 0.01, 2.0, instance=FOUR, rate=10.0)
    assert (await write_of(hand))["stage"] == "lock_wait"


async def test_a_baseline_is_as_long_as_the_window_unless_it_is_given() -> None:
    as_long = await of_hand(Hand(), minutes=7.0)
    given = await of_hand(Hand(), minutes=7.0, baseline_minutes=3.0)
    assert [answer.shown["baseline"] for answer in (as_long, given)] == [
        {"start": AT - timedelta(minutes=minutes), "end": AT - timedelta(minutes=7)} for minutes in (14, 10)
    ]


async def test_stores_that_nobody_lists_go_by_the_names_of_their_instances() -> None:
    hand = Hand()
    later(hand, FOUR, 0.2, APPEND, FSYNC, COMMIT, ASYNC_WRITE, SCHEDULER, WRITES)
    pd = healthy()
    pd.silent = dict.fromkeys(NAMES, refused)
    async with subject(pd, metrics=hand.metrics(), names={}) as one:
        answer = await asked(one, path="write", minutes=5.0)
    write = verdicts(answer)["write"]
    assert (write["stage"], write["entities"]) == ("fsync", [FOUR])
    assert answer.value["unread"]


async def test_another_cluster_in_the_same_engine_is_not_taken_for_this_one() -> None:
    hand = Hand((*INSTANCES.values(), "10.9.9.9:20180"))
    for instance in INSTANCES.values():
        hand.gauge("up", 1, 1, instance=instance)
    hand.gauge("up", 1, 1, instance="10.9.9.9:20180")
    later(hand, "10.9.9.9:20180", 0.3, APPEND, FSYNC, COMMIT, ASYNC_WRITE, SCHEDULER, WRITES)
    hand.histogram(SENT_WRITES, 0.01, 0.5, store="4", instance="10.9.9.8:10080")
    assert (await write_of(hand))["where"] == "nothing grew"
