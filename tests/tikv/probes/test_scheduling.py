"""The tool `scheduling`: what blocks and why, when it ends, and what each operator waits for."""

from datetime import timedelta

import pytest
from pydantic import JsonValue

from opsai_subjects.errors import UnknownName
from opsai_tikv.pd.client import V1
from tests.tikv.cluster import store
from tests.tikv.eyes import AT, MemoryMetrics
from tests.tikv.pd.fake import FakePd, member, members, refused
from tests.tikv.probes.asked import CONFIG, ask_scheduling, configured, counted, quiet, silent, stores_of

pytestmark = pytest.mark.anyio


def running(step: int = 0, *, ago: float = 40.0, to: int = 5, number: int = 45) -> str:
    """Return an operator as v8.5 prints it (pd pkg/schedule/operator/operator.go)."""
    at = (AT - timedelta(seconds=ago)).strftime("%Y-%m-%d %H:%M:%S.000000000 +0000 UTC m=+9.0")
    steps = (
        f"0:{{add learner peer 990 on store {to}}}, 1:{{use joint consensus, promote learner peer 990 on store {to} to voter, "
        f"demote voter peer 12 on store 1 to learner}}, 2:{{remove peer on store 1}}"
    )
    return (
        f"replace-rule-down-peer {{mv peer: store [1] to [{to}]}} (kind:replica,region, region:{number}(3, 5), createAt:{at}, "
        f"startAt:{at}, currentStep:{step}, size:97, steps:[{steps}], timeout:[13m0s])"
    )


async def test_a_quiet_cluster_is_said_to_be_unblocked() -> None:
    found = await ask_scheduling(quiet())

    assert found["says"] == "No operator under way; nothing blocks scheduling as far as PD shows."
    assert found["blocked"] == []
    assert found["rules"] == ["pd/default: 3 voters on any store, apart by host; 3 stores fit"]
    assert found["unread"] == ()


async def test_operators_tell_their_age_and_what_they_wait_for() -> None:
    fake = quiet(operators=[running(0), running(1, ago=7, number=46), running(2, ago=3, number=47)])
    found = (await ask_scheduling(fake))["operators"]

    assert found["running"] == 3
    assert [row[0] for row in found["rows"]] == ["region:45", "region:46", "region:47"]
    assert [row[3] for row in found["rows"]] == ["40 s", "7 s", "3 s"]
    assert [row[5] for row in found["rows"]] == [
        "a snapshot to store:5",
        "the learner to catch up, then the region to change its members",
        "the region's leader to drop the replica on store:1",
    ]


async def test_an_operator_whose_target_is_silent_says_so() -> None:
    fake = quiet(stores=stores_of(store("1"), store("4"), silent("5", 90)), operators=[running(0)])

    assert (await ask_scheduling(fake))["operators"]["rows"][0][5] == "a snapshot to store:5; store:5 does not serve"


async def test_operators_of_older_versions_are_read_as_well() -> None:
    """v5.2 (tikv/pd#4128): no numbers before steps; v6.5 to v7.4: a full-width comma before `timeout:`."""
    old = (
        "balance-region {mv peer: store [4] to [1]} (kind:region, region:2094(83,101), createAt:2026-05-04 02:59:00.0 +0000 UTC "
        "m=+7263.3, startAt:2026-05-04 02:59:00.0 +0000 UTC m=+7263.3, currentStep:0, steps:[add learner peer 6008 on store 1, "
        "remove peer on store 4])"
    )
    found = (await ask_scheduling(quiet(operators=[old, running(0).replace(", timeout", "，timeout")])))["operators"]

    assert [row[0] for row in found["rows"]] == ["region:2094", "region:45"]
    assert found["rows"][0][5] == "a snapshot to store:1"


async def test_only_the_operators_of_one_store_are_shown_when_asked() -> None:
    fake = quiet(operators=[running(0), running(0, to=4, number=46)])

    assert [row[0] for row in (await ask_scheduling(fake, of="store:4"))["operators"]["rows"]] == ["region:46"]
    assert [row[0] for row in (await ask_scheduling(fake, of="region:45"))["operators"]["rows"]] == ["region:45"]
    with pytest.raises(UnknownName, match="store:1"):
        await ask_scheduling(fake, of="pd-a")


async def test_operators_that_ended_are_counted_by_how() -> None:
    end = " (finishAt:2026-05-04 02:59:30.0 +0000 UTC m=+30.0, duration:12.5s)"
    records = [running(2) + " finished" + end, running(1) + " timeout" + end, running(1) + end]
    recent = (await ask_scheduling(quiet(**{"operators/records": records})))["operators"]["recent"]

    assert recent["ended"] == {"canceled, replaced or expired": 1, "finished": 1, "timeout": 1}
    assert recent["not_finished"] == {"replace-rule-down-peer": 2}


async def test_a_silent_store_is_told_when_it_counts_as_down_and_how_long_repair_takes_at_least() -> None:
    fake = configured()
    fake.answers[f"{V1}/stores"] = stores_of(store("1"), store("4"), silent("5", 600, region_count=900))

    (says,) = (await ask_scheduling(fake))["ends"]
    assert says.startswith(
        "store:5 is silent for 10 min: in 20 min it counts as Down, then PD replaces its 900 replicas"
    )
    assert says.endswith(", 60 min at least by its store limit (15 a minute).")


async def test_many_down_stores_are_told_in_one_sentence_with_what_the_fullest_takes() -> None:
    fake = configured(**{"store-limit": {number: {"add-peer": 15, "remove-peer": 15} for number in ("5", "6", "7")}})
    gone = [silent(number, 3000, "Down", region_count=count) for number, count in (("5", 30), ("6", 900), ("7", 60))]
    fake.answers[f"{V1}/stores"] = stores_of(store("1"), store("4"), *gone)

    assert (await ask_scheduling(fake))["ends"] == [
        "store:5, store:6, store:7 count as Down: their 990 replicas are being replaced, 60 min at least by each one's store limit (15 a minute), or they return."
    ]
    assert (await ask_scheduling(fake, of="store:5"))["ends"] == [
        "store:5 counts as Down: its 30 replicas are being replaced, 2 min at least by its store limit (15 a minute), or it returns."
    ]


async def test_a_store_limit_of_version_2_foretells_nothing() -> None:
    fake = configured(**{"store-limit-version": "v2"})
    fake.answers[f"{V1}/stores"] = stores_of(store("1"), store("4"), silent("5", 3000, "Down", region_count=30))

    assert (await ask_scheduling(fake))["ends"] == [
        "store:5 counts as Down: its 30 replicas are being replaced, or it returns."
    ]


async def test_all_that_is_to_be_made_up_is_told_against_what_the_stores_may_take() -> None:
    fake = configured(**{"store-limit": {number: {"add-peer": 15, "remove-peer": 15} for number in ("1", "4", "5")}})
    found = await ask_scheduling(fake, metrics=MemoryMetrics(counted(miss_peer=900)))

    (says,) = found["ends"]
    assert says.startswith("900 replicas to be made up (900 miss-peer): 20 min at least")


async def test_a_store_that_leaves_tells_pds_reckoning_and_when_it_never_ends() -> None:
    async def ends(speed: float, left: float) -> list[str]:
        leaving = store("5", state_name="Offline", node_state=2, region_count=40)
        fake = quiet(stores=stores_of(store("1"), store("4"), leaving))
        fake.answers[f"{V1}/stores/progress"] = {
            "action": "removing",
            "progress": 0.25,
            "current_speed": speed,
            "left_seconds": left,
        }
        found: list[str] = (await ask_scheduling(fake))["ends"]
        return found

    assert await ends(10.0, 300.0) == [
        "store:5 leaves with 40 replicas left: 25% done at 10 MiB/s, 5 min left by PD's reckoning."
    ]
    assert "at this rate it never ends" in (await ends(0.0, 1.7e308))[0]


async def test_settings_are_compared_with_the_defaults_of_that_version() -> None:
    def at(version: str) -> FakePd:
        fake = configured(**{"max-merge-region-size": 20, "max-store-down-time": "1m0s"})
        fake.answers[f"{V1}/config/cluster-version"] = version
        return fake

    old = (await ask_scheduling(at("6.5.11")))["settings_not_default"]
    new = (await ask_scheduling(at("8.5.4")))["settings_not_default"]

    assert old == {"schedule.max-store-down-time": "1m0s (default 30m0s)"}
    assert new == {"schedule.max-merge-region-size": "20 (default 54)", **old}


async def test_settings_in_which_members_differ_are_named_but_not_what_each_has_of_its_own() -> None:
    fake = quiet()
    for name, lease in (("pd-a", 5), ("pd-b", 5), ("pd-c", 3)):
        fake.only[name, f"{V1}/config"] = {"name": name, "data-dir": f"/{name}", "lease": lease, **CONFIG}

    assert (await ask_scheduling(fake))["settings_members_differ"] == {"lease": "5 on pd-a, pd-b; 3 on pd-c"}


async def test_gc_that_is_not_used_is_told_apart_from_gc_that_is_held_back() -> None:
    day_old = (int((AT - timedelta(days=3)).timestamp() * 1000)) << 18
    held: JsonValue = {
        "service_gc_safe_points": [{"service_id": "ticdc", "safe_point": day_old, "expired_at": 9223372036854775807}],
        "gc_safe_point": day_old,
    }

    assert (await ask_scheduling(quiet()))["gc"][0].startswith("GC is not used")
    assert (await ask_scheduling(quiet(**{"gc/safepoint": held})))["gc"] == [
        "safe point 3.0 days old: versions pile up",
        "ticdc keeps versions of the last 3.0 days, without end",
    ]


async def test_versions_that_are_mixed_are_told() -> None:
    stores = stores_of(store("1"), store("4"), store("5", version="8.5.7"))
    fake = quiet(stores=stores, **{"config/cluster-version": "8.1.2"})
    fake.answers[f"{V1}/members"] = {**members(), "members": [member("pd-a"), member("pd-b", "v8.5.7"), member("pd-c")]}
    lines = (await ask_scheduling(fake))["versions"]

    assert lines[0] == "PD 8.5.4 (2), 8.5.7 (1); stores 8.5.4 (2), 8.5.7 (1); cluster-version 8.1.2"
    assert any("Stores run different versions" in line for line in lines)
    assert any("behind the oldest store (8.5.4)" in line for line in lines)


async def test_stores_are_compared_with_their_like_only() -> None:
    """A disk of another size, TiFlash, and stores that no rule lets a leader on are no peers."""
    usual = [store(number, leader_count=100, region_count=300, status_address="") for number in ("1", "4", "5")]
    piled = store("6", leader_count=400, region_count=300, status_address="")
    larger = store("7", capacity="900GiB", leader_count=900, region_count=2700, status_address="")
    tiflash = store(
        "9", labels=[{"key": "engine", "value": "tiflash"}], leader_count=0, region_count=5, status_address=""
    )
    found = await ask_scheduling(quiet(stores=stores_of(*usual, piled, larger, tiflash)))

    assert found["uneven"] == ["leaders: store:6 400; stores like them have 100 (median of 4)"]


async def test_stores_for_followers_only_are_not_blamed_for_leading_nothing() -> None:
    near = [
        store(number, leader_count=100, labels=[{"key": "zone", "value": "z1"}], status_address="") for number in "145"
    ]
    far = [
        store(number, leader_count=0, labels=[{"key": "zone", "value": "z2"}], status_address="") for number in "678"
    ]
    rules: JsonValue = [
        {
            "group_id": "pd",
            "id": role,
            "role": role,
            "count": count,
            "label_constraints": [{"key": "zone", "op": "in", "values": [zone]}],
        }
        for role, count, zone in (("voter", 2, "z1"), ("follower", 1, "z2"))
    ]
    found = await ask_scheduling(quiet(stores=stores_of(*near, *far), **{"config/rules": rules}))

    assert found["uneven"] == []
    assert found["blocked"] == []


async def test_without_a_leader_nothing_is_scheduled_and_without_any_answer_it_is_unknown() -> None:
    leaderless = quiet()
    leaderless.leader = None
    deaf = quiet()
    deaf.silent = dict.fromkeys(("pd-a", "pd-b", "pd-c"), refused)

    assert (await ask_scheduling(leaderless))["says"] == "Nothing is scheduled: PD has no leader."
    assert (await ask_scheduling(deaf))["says"] == "Unknown: no PD member answers from here."


async def test_what_could_not_be_read_is_told_as_unread_not_as_well() -> None:
    found = await ask_scheduling(quiet(operators=(500, "broken")))

    assert found["says"].startswith("Unknown in part")
    assert [part.why for part in found["unread"]] == ["HTTP 500: “broken”"]
