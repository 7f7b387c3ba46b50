"""What somebody changed by hand, and regions and snapshots at work, told with who, what, how many and how long."""

import pytest

from opsai_tikv.events.changes import seconds
from tests.tikv.events.test_events import of_lines
from tests.tikv.eyes import said

pytestmark = pytest.mark.anyio


async def test_a_call_of_pd_s_api_is_told_with_who_asked_and_what() -> None:
    # as the recording of a scheduler that was added has it
    info = (
        "{ServiceLabel:CreateScheduler, Method:HTTP/1.1/POST:/pd/api/v1/schedulers, CallerID:anonymous, IP:10.77.0.2, Port:59276, "
        'StartTime:2026-11-23 23:58:20 +0000 UTC, URLParam:{}, BodyParam:{\\"name\\": \\"evict-leader-scheduler\\", \\"store_id\\": 5}}'
    )
    (event,) = await of_lines(said(-50, "audit log", service_info=info), node="pda")

    assert event.kind == "asked_by_hand"
    assert event.says.startswith("pda: somebody at 10.77.0.2 called POST /pd/api/v1/schedulers with “{")
    assert "evict-leader-scheduler" in event.says


async def test_two_calls_in_a_row_are_two_events_and_one_repeated_is_one() -> None:
    info = (
        "{ServiceLabel:L, Method:HTTP/1.1/POST:%s, CallerID:anonymous, IP:10.77.0.2, Port:59276, "
        "StartTime:2026-11-23 23:58:20 +0000 UTC, URLParam:{}, BodyParam:{}}"
    )
    first, second, again = (
        said(-50 + n, "audit log", service_info=info % path)
        for n, path in enumerate(("/pd/api/v1/schedulers", "/pd/api/v1/config", "/pd/api/v1/config"))
    )

    found = await of_lines(first, second, again, node="pda")

    assert [(event.says.split("called ")[1].split(",")[0], event.count) for event in found] == [
        ("POST /pd/api/v1/schedulers", 1),
        ("POST /pd/api/v1/config", 2),
    ]


async def test_a_store_limit_is_told_of_the_store_it_is_for() -> None:
    # hand-made after a line that pd server/cluster/cluster.go v8 logs
    line = said(-50, "store limit changed", type="remove-peer", rate_per_min="100000000").replace(
        "[type", "[store-id=4] [type"
    )
    (event,) = await of_lines(line, node="pda")

    assert (event.entity, event.kind) == ("store:4", "store_limit_changed")
    assert "the store limit of remove-peer was set to 100000000 a minute" in event.says


async def test_a_placement_rule_is_told_by_what_it_is_now_or_was_called() -> None:
    # hand-made from pd pkg/schedule/placement/rule_manager.go, v8.5
    rule = '{\\"group_id\\":\\"pd\\",\\"id\\":\\"default\\",\\"role\\":\\"voter\\",\\"count\\":5}'
    set_, removed = await of_lines(
        said(-50, "placement rule updated", rule=rule),
        said(-20, "placement rule removed", group="pd", id="extra"),
        node="pda",
    )

    assert (set_.kind, removed.kind) == ("placement_rule_changed", "placement_rule_changed")
    assert '"count":5' in set_.says
    assert "pd/extra" in removed.says


async def test_snapshots_are_told_together_with_the_slowest() -> None:
    # hand-made from tikv src/server/tablet_snap.rs and raftstore worker/region.rs, v8.5
    lines = [said(-50 + n, "apply new data", time_takes=f"{100 * (n + 1)}ms", region_id="7").replace("time-takes", "time_takes") for n in range(3)]  # fmt: skip
    lines += [said(-20, "sent snapshot", duration="1m2.5s", region_id="7")]
    applied, sent = await of_lines(*lines)

    assert (applied.kind, applied.count) == ("snapshot_applied", 3)
    assert "the slowest in 0.3 s" in applied.says
    assert "the slowest in 62 s" in sent.says


async def test_a_wave_of_splits_is_told_and_a_split_or_two_are_not() -> None:
    few = [said(-50 + n, "notify pd with split", region_id="10", split_count="2") for n in range(2)]
    many = [said(-50 + n, "notify pd with split", region_id="10", split_count="2") for n in range(6)]

    assert await of_lines(*few) == []
    assert [(event.kind, event.count) for event in await of_lines(*many)] == [("regions_split", 6)]


@pytest.mark.parametrize(
    ("text", "expected"), [("812.5ms", 0.8125), ("1m2.5s", 62.5), ("4.1s", 4.1), ("", None), ("soon", None)]
)
def test_a_duration_is_read_as_rust_and_go_write_it(text: str, expected: float | None) -> None:
    assert seconds(text) == expected
