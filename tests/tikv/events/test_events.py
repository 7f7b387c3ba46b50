"""What happened: told once, in order, by whom it befell, and with what could not be read."""

from datetime import timedelta
from pathlib import Path

import pytest

from opsai_subjects.model import Event, Events, LogSource, MetricsSource, Window
from opsai_subjects.opening import open_replay
from opsai_subjects.promql.samples import STALE_NAN, Stored
from tests.tikv.cluster import healthy, subject
from tests.tikv.eyes import AT, DeafMetrics, MemoryLogs, MemoryMetrics, said, stored

pytestmark = pytest.mark.anyio
INCIDENTS = sorted(path for path in (Path(__file__).parents[3] / "compose" / "incidents").iterdir() if path.is_dir())
WINDOW = Window(start=AT - timedelta(minutes=10), end=AT)
KV1 = {"instance": "10.1.0.21:20180", "job": "tikv"}
PDA = {"instance": "10.1.0.1:2379", "job": "pd"}
PDB = {"instance": "10.1.0.2:2379", "job": "pd"}
GONE = float(STALE_NAN)


async def told(metrics: MetricsSource | None = None, logs: LogSource | None = None, window: Window = WINDOW) -> Events:
    async with subject(healthy(), metrics=metrics, logs=logs) as found:
        return await found.events(window)


async def of_series(*series: Stored) -> list[Event]:
    return list((await told(MemoryMetrics(series), MemoryLogs({}))).events)


async def of_lines(*lines: str, node: str = "kv1") -> list[Event]:
    return list((await told(MemoryMetrics(), MemoryLogs({node: lines}))).events)


async def test_nothing_happened_is_no_event() -> None:
    series = [
        stored("up", [1.0] * 41, **KV1),
        stored("process_start_time_seconds", [AT.timestamp() - 90_000] * 41, **KV1),
        stored("tikv_raftstore_region_count", [30.0, 31.0] * 20, type="leader", **KV1),
    ]
    assert await of_series(*series) == []


async def test_a_process_with_a_new_start_time_has_restarted_then() -> None:
    old, new = AT.timestamp() - 90_000, AT.timestamp() - 200
    (event,) = await of_series(stored("process_start_time_seconds", [old] * 20 + [new] * 10, **KV1))

    assert (event.entity, event.kind, event.at) == ("store:1", "restart", AT - timedelta(seconds=200))
    assert "kv1 has restarted" in event.says
    assert "its log was not read" in event.says


async def test_a_restart_after_a_signal_to_stop_is_an_orderly_one() -> None:
    old, new = AT.timestamp() - 90_000, AT.timestamp() - 200
    series = [stored("process_start_time_seconds", [old] * 20 + [new] * 10, **KV1)]
    lines = [said(-215, "receive signal 15, stopping server..."), said(-200, "Welcome to TiKV")]
    events = (await told(MemoryMetrics(series), MemoryLogs({"kv1": lines}))).events

    assert [event.kind for event in events] == ["signal_stop", "orderly_restart"]
    assert "15 s after it was asked to stop" in events[1].says


async def test_a_restart_without_one_is_a_death() -> None:
    old, new = AT.timestamp() - 90_000, AT.timestamp() - 200
    series = [stored("process_start_time_seconds", [old] * 20 + [new] * 10, **KV1)]
    lines = [said(-400, "still well"), said(-200, "Welcome to TiKV")]
    (event,) = (await told(MemoryMetrics(series), MemoryLogs({"kv1": lines}))).events

    assert event.kind == "crash_restart"
    assert "nothing in its log says that it was asked to stop" in event.says


async def test_a_stop_just_before_the_window_still_makes_the_start_an_orderly_one() -> None:
    lines = [said(-610, "receive signal 15, stopping server..."), said(-595, "Welcome to TiKV")]
    (event,) = await of_lines(*lines)

    assert event.kind == "orderly_restart"


async def test_a_target_that_was_lost_and_came_back_is_told_with_how_long() -> None:
    events = await of_series(stored("up", [1.0] * 10 + [0.0] * 8 + [1.0] * 10, **KV1))

    assert [event.kind for event in events] == ["target_down", "target_up"]
    assert "again after 120 s" in events[1].says


async def test_a_target_that_is_no_longer_scraped_is_not_taken_for_down() -> None:
    assert await of_series(stored("up", [1.0] * 10 + [GONE], end=AT - timedelta(minutes=2), **KV1)) == []


async def test_pd_leadership_is_told_from_whom_to_whom_and_when_the_new_leader_was_ready() -> None:
    role = {"service": "PD"}
    series = [
        stored("service_member_role", [1.0] * 20 + [GONE], end=AT - timedelta(seconds=300), **role, **PDA),
        stored("service_member_role", [1.0] * 18, **role, **PDB),
        stored("etcd_server_is_leader", [1.0] * 20 + [0.0] * 20, **PDA),
        stored("etcd_server_is_leader", [0.0] * 20 + [1.0] * 20, **PDB),
    ]
    logs = MemoryLogs({"pdb": [said(-266, "PD leader is ready to serve", leader_name="pd-b")]})
    (event,) = (await told(MemoryMetrics(series), logs)).events

    assert (event.kind, event.entity, event.at) == ("pd_leader_change", "pd-b", AT - timedelta(seconds=266))
    assert "from pda to pdb" in event.says


async def test_a_change_of_etcd_s_leader_alone_is_told_as_that() -> None:
    series = [
        stored("etcd_server_is_leader", [1.0] * 20 + [0.0] * 20, **PDA),
        stored("etcd_server_is_leader", [0.0] * 20 + [1.0] * 20, **PDB),
    ]
    (event,) = await of_series(*series)

    assert (event.kind, event.entity) == ("etcd_leader_change", "pd-b")


async def test_leaders_that_move_at_once_are_one_event_and_slow_drift_is_none() -> None:
    moved = stored("tikv_raftstore_region_count", [30.0] * 20 + [12.0, 0.0] + [0.0] * 10, type="leader", **KV1)
    drift = stored(
        "tikv_raftstore_region_count", [30.0 + index for index in range(32)], type="leader", instance="10.1.0.22:20180", job="tikv"
    )  # fmt: skip
    (event,) = await of_series(moved, drift)

    assert (event.entity, event.kind, event.count) == ("store:1", "leaders_lost", 30)
    assert "30 → 0" in event.says


async def test_a_store_s_states_for_pd_are_told_by_store_where_the_version_tells_it() -> None:
    by_store = stored(
        "pd_cluster_status", [0.0] * 10 + [1.0] * 8 + [0.0] * 10, type="store_disconnected_count", store="4", engine="tikv", **PDA
    )  # fmt: skip
    events = await of_series(by_store)

    assert [(event.entity, event.kind) for event in events] == [
        ("store:4", "store_disconnected"),
        ("store:4", "store_disconnected_over"),
    ]
    assert events[0].says == "for PD kv2 is Disconnected: no heartbeat for 20 s"
    assert events[1].says == "for PD kv2 is no longer Disconnected"


async def test_before_v8_5_5_pd_tells_only_how_many_stores_are_in_a_state() -> None:
    (event,) = await of_series(stored("pd_cluster_status", [0.0] * 10 + [2.0] * 8, type="store_down_count", **PDA))

    assert (event.entity, event.says) == ("cluster", "for PD 2 stores are Down")


async def test_elections_are_told_by_store_and_not_one_by_one() -> None:
    (event,) = await of_lines(
        *[said(-100 + index / 4, "became pre-candidate at term 9", region_id="7") for index in range(40)]
    )

    assert (event.kind, event.entity, event.count) == ("elections", "store:1", 40)
    assert "40 times in 10 s" in event.says


async def test_an_election_or_two_are_no_event() -> None:
    assert (
        await of_lines(said(-100, "became pre-candidate at term 9"), said(-99, "became pre-candidate at term 9")) == []
    )


async def test_etcd_s_own_elections_are_not_taken_for_regions() -> None:
    lines = [said(-100 + index, "became pre-candidate at term 9") for index in range(9)]
    assert await of_lines(*lines, node="pda") == []


async def test_bursts_apart_in_time_are_two_events() -> None:
    lines = [said(-300 + index, "wait connect timeout", addr="10.1.0.22:20160") for index in range(5)]
    lines += [said(-100 + index, "wait connect timeout", addr="10.1.0.22:20160") for index in range(5)]
    lines += [said(-100 + index, "wait connect timeout", addr="10.1.0.23:20160") for index in range(5)]
    events = await of_lines(*lines)

    assert [(event.kind, event.count) for event in events] == [("connect_timeout", 5)] * 3
    assert "(kv2)" in events[0].says
    assert {"(kv2)" in event.says for event in events[1:]} == {True, False}


async def test_an_added_and_a_removed_scheduler_are_told_by_their_name() -> None:
    events = await of_lines(
        said(-200, "add scheduler successfully", scheduler_name="evict-leader-scheduler", scheduler_args="[4]"),
        said(-100, "scheduler has been stopped", scheduler_name="evict-leader-scheduler"),
        node="pda",
    )

    assert [(event.entity, event.kind) for event in events] == [
        ("scheduler:evict-leader-scheduler", "scheduler_added"),
        ("scheduler:evict-leader-scheduler", "scheduler_removed"),
    ]
    assert "[4]" in events[0].says


async def test_a_leader_that_stops_all_its_schedulers_has_removed_none() -> None:
    lines = [said(-100, "scheduler has been stopped", scheduler_name=f"balance-{name}-scheduler") for name in "abcd"]
    (event,) = await of_lines(*lines, node="pda")

    assert (event.entity, event.kind) == ("pd-a", "schedulers_stopped")


async def test_a_changed_setting_is_told_from_what_to_what() -> None:
    new = '{\\"leader-schedule-limit\\":0,\\"store-limit\\":{\\"1\\":{\\"add-peer\\":15}},\\"x\\":1}'
    old = '{\\"leader-schedule-limit\\":4,\\"store-limit\\":{\\"1\\":{\\"add-peer\\":15}},\\"x\\":1}'
    (event,) = await of_lines(said(-100, "schedule config is updated", new=new, old=old), node="pda")

    assert (event.entity, event.kind) == ("config:schedule.leader-schedule-limit", "config_change")
    assert event.says == "schedule.leader-schedule-limit was changed: 4 → 0"


@pytest.mark.parametrize(
    ("message", "name"),
    [
        ("PD server config is updated", "config:pd-server.a"),
        ("replication config is updated", "config:replication.a"),
        ("replication mode config is updated", "config:replication-mode.a"),
    ],
)
async def test_a_changed_setting_goes_by_its_dotted_name(message: str, name: str) -> None:
    (event,) = await of_lines(said(-100, message, new='{\\"a\\":2}', old='{\\"a\\":1}'), node="pda")
    assert event.entity == name


async def test_a_setting_whose_line_is_cut_off_is_compared_as_far_as_it_goes() -> None:
    limits = ",".join(f'\\"{store}\\":{{\\"add-peer\\":15,\\"remove-peer\\":15}}' for store in range(300))
    new = f'{{\\"max-store-down-time\\":\\"1m0s\\",\\"a\\":1,\\"store-limit\\":{{{limits}}}}}'
    old = f'{{\\"max-store-down-time\\":\\"30m0s\\",\\"a\\":1,\\"store-limit\\":{{{limits}}}}}'
    (event,) = await of_lines(said(-100, "schedule config is updated", new=new, old=old), node="pda")

    assert event.says == "schedule.max-store-down-time was changed: 30m0s → 1m0s"


async def test_region_leaders_that_moved_are_told_by_their_ways() -> None:
    lines = [said(-100 + index / 10, "leader changed", region_id=str(index), **{"from": "1", "to": "4" if index % 3 else "5"}) for index in range(9)]  # fmt: skip
    (event,) = await of_lines(*lines, node="pda")

    assert (event.kind, event.count) == ("region_leaders_moved", 9)
    assert "6 from kv1 to kv2, 3 from kv1 to kv3" in event.says


async def test_what_a_store_is_told_of_by_pd_befalls_that_store() -> None:
    (event,) = await of_lines(said(-100, "detected slow store, start to evict leaders", store_id="4").replace("store_id", "store-id"), node="pda")  # fmt: skip

    assert (event.entity, event.kind) == ("store:4", "slow_store_evicted")


async def test_events_come_in_order_and_within_the_window() -> None:
    lines = [
        said(-50, "Welcome to TiKV"),
        said(-900, "Welcome to TiKV"),
        said(-300, "disk usage Normal->AlmostFull (x)"),
    ]
    events = await of_lines(*sorted(lines))

    assert [event.kind for event in events] == ["disk_usage_changed", "start"]
    assert all(WINDOW.start <= event.at <= WINDOW.end for event in events)


async def test_sources_that_cannot_be_read_are_told_and_the_others_still_speak() -> None:
    logs = MemoryLogs({"kv1": [said(-50, "Welcome to TiKV")], "kv2": []}, unread={"kv2": "permission denied"})
    found = await told(DeafMetrics(), logs)

    assert [event.kind for event in found.events] == ["start"]
    assert {unread.source for unread in found.unread} == {"prometheus", "logs:kv2"}
    assert len(found.unread) == 2, "the same failure of six queries is one"


async def test_no_metrics_and_no_logs_are_told_with_what_to_set() -> None:
    found = await told()

    assert found.events == ()
    assert {unread.advice for unread in found.unread} == {
        "set `prometheus` to the URL of the engine",
        "set `logs`: node to a file or glob",
    }


async def test_a_flood_of_lines_is_read_up_to_a_bound_and_says_so() -> None:
    lines = [said(-100 + index / 1000, "request failed, retry") for index in range(4500)]
    found = await told(MemoryMetrics(), MemoryLogs({"kv1": lines}))
    (event,) = found.events

    assert event.count == 4000
    assert any("only the first 4,000 of 4,500 lines" in unread.why for unread in found.unread)


async def test_the_number_of_queries_does_not_grow_with_the_window() -> None:
    short, long = MemoryMetrics(), MemoryMetrics()
    await told(short, MemoryLogs({}))
    await told(long, MemoryLogs({}), Window(start=AT - timedelta(days=7), end=AT))

    assert len(short.asked) == len(long.asked)


async def test_text_from_a_log_is_stripped_of_control_characters() -> None:
    (event,) = await of_lines(said(-100, "disk usage \\u001b[31mNormal\\u0007->AlmostFull"))
    assert "\x1b" not in event.says
    assert "\x07" not in event.says


@pytest.mark.parametrize("folder", INCIDENTS, ids=lambda path: path.name)
async def test_the_events_of_each_recording_name_its_nodes_and_are_few(folder: Path) -> None:
    async with open_replay(folder, "end") as cluster:
        incident = cluster.recording.incident
        found = await cluster.subject.events(Window(start=incident.start, end=incident.end))

    assert len(found.events) < 80
    assert [event.at for event in found.events] == sorted(event.at for event in found.events)
    entities = {event.entity for event in found.events}
    assert all(entity.startswith(("store:", "pd-", "scheduler:", "config:", "cluster", "10.")) for entity in entities)
