"""What keeps PD from scheduling is named with its consequence and its reason."""

from datetime import timedelta

import pytest
from pydantic import JsonValue

from tests.tikv.cluster import store
from tests.tikv.eyes import AT
from tests.tikv.pd.fake import FakePd
from tests.tikv.probes.asked import ask_scheduling, configured, quiet, silent, stores_of

pytestmark = pytest.mark.anyio


async def blocked(fake: FakePd) -> str:
    return " | ".join((await ask_scheduling(fake))["blocked"])


@pytest.mark.parametrize(
    ("setting", "value", "says"),
    [
        ("halt-scheduling", True, "Nothing is scheduled, not even repair: halt-scheduling is true."),
        ("replica-schedule-limit", 0, "Lost and misplaced replicas are not replaced: replica-schedule-limit is 0."),
        ("leader-schedule-limit", 0, "Leaders are not balanced: leader-schedule-limit is 0."),
        ("enable-remove-down-replica", "false", "Replicas on Down stores are not replaced: enable-remove-down-replica"),
        (
            "store-limit",
            {"4": {"add-peer": 0, "remove-peer": 15}},
            "store:4 may take no replicas: store limit add-peer is 0",
        ),
    ],
)
async def test_a_setting_that_blocks_is_named_with_its_consequence(setting: str, value: JsonValue, says: str) -> None:
    assert says in await blocked(configured(**{setting: value}))


async def test_schedulers_that_are_paused_missing_or_made_by_hand_are_named() -> None:
    later = (AT + timedelta(minutes=9)).isoformat()
    evicting: JsonValue = {"store-id-ranges": {"5": [{"start-key": "", "end-key": ""}]}}
    fake = quiet(
        **{
            "schedulers": ["balance-leader-scheduler", "balance-region-scheduler", "evict-leader-scheduler"],
            "schedulers?status=paused&timestamp=true": [{"name": "balance-region-scheduler", "resume_at": later}],
            "scheduler-config/evict-leader-scheduler/list": evicting,
        }
    )
    found = await ask_scheduling(fake)
    says = " | ".join(found["blocked"])

    assert "balance-region-scheduler is paused for 9 min more." in says
    assert "balance-hot-region-scheduler is not there" in says
    assert "evict-leader-scheduler keeps leaders off store:5 until somebody removes it." in says
    assert "evict-leader-scheduler runs; added by hand, for store:5" in found["schedulers"]


@pytest.mark.parametrize(
    ("path", "answer", "says"),
    [
        (
            "admin/unsafe/remove-failed-stores/show",
            [{"info": "Unsafe recovery enters force leader stage", "time": "2023-06-06 14:01:52.365"}],
            "while an unsafe recovery is under way: “Unsafe recovery enters force leader stage”",
        ),
        ("checker/rule", {"paused": True}, "Checkers are paused (rule)"),
        (
            "config/region-label/rules",
            [
                {
                    "id": "br",
                    "labels": [{"key": "schedule", "value": "deny"}],
                    "data": [{"start_key": "", "end_key": ""}],
                }
            ],
            "Regions of 1 key range are left out of scheduling by region-label rule br",
        ),
        (
            "replication_mode/status",
            {"mode": "dr-auto-sync", "dr-auto-sync": {"label_key": "zone", "state": "async"}},
            "(dr-auto-sync by zone) is in state async",
        ),
        (
            "config/rules",
            [
                {
                    "group_id": "g",
                    "id": "r",
                    "role": "voter",
                    "count": 2,
                    "label_constraints": [{"key": "host", "op": "in", "values": ["a", "b"]}],
                }
            ],
            "placement rule g/r wants 2 voters with host in (a, b), and no store has that: host is h1, h4, h5.",
        ),
        (
            "config/rules",
            [{"group_id": "pd", "id": "default", "role": "voter", "count": 5}],
            "placement rule pd/default wants 5 voters and only store:1, store:4, store:5 fit",
        ),
        (
            "config/rules",
            [{"group_id": "g", "id": "r", "role": "voter", "count": 3, "isolation_level": "zone"}],
            "must keep 3 voters in different places of zone and stores that serve are in 0",
        ),
    ],
)
async def test_what_else_blocks_is_named_with_its_reason(path: str, answer: JsonValue, says: str) -> None:
    assert says in await blocked(quiet(**{path: answer}))


async def test_a_tiflash_store_fits_only_rules_that_ask_for_it() -> None:
    tiflash = store("9", labels=[{"key": "engine", "value": "tiflash"}], leader_count=0, status_address="")
    rules: JsonValue = [
        {"group_id": "pd", "id": "default", "role": "voter", "count": 3},
        {
            "group_id": "tiflash",
            "id": "table-7",
            "role": "learner",
            "count": 1,
            "start_key": "74",
            "end_key": "75",
            "label_constraints": [{"key": "engine", "op": "in", "values": ["tiflash"]}],
        },
    ]
    fake = quiet(stores=stores_of(store("1"), store("4"), store("5"), tiflash), **{"config/rules": rules})

    assert (await ask_scheduling(fake))["rules"] == [
        "pd/default: 3 voters on any store; 3 stores fit",
        "tiflash/table-7: 1 learner on engine in (tiflash) (a key range); 1 store fits",
    ]


async def test_rules_of_thousands_of_tables_are_told_in_a_line_for_all_that_ask_alike() -> None:
    def policy(number: int) -> dict[str, JsonValue]:
        where: JsonValue = [{"key": "host", "op": "in", "values": ["gone"]}]
        keys: dict[str, JsonValue] = {"start_key": f"74{number:04d}", "end_key": f"74{number + 1:04d}"}
        return {
            "group_id": f"TiDB_DDL_{number}",
            "id": "0",
            "role": "voter",
            "count": 3,
            "label_constraints": where,
            **keys,
        }

    default: JsonValue = {"group_id": "pd", "id": "default", "role": "voter", "count": 3}
    found = await ask_scheduling(quiet(**{"config/rules": [default, *(policy(number) for number in range(1, 3001))]}))

    assert found["rules"][1] == "TiDB_DDL_1/0 and 2,999 more: 3 voters on host in (gone) (a key range); 0 stores fit"
    assert len(found["blocked"]) == 1
    assert (
        "TiDB_DDL_1/0 and 2,999 more wants 3 voters with host in (gone), and no store has that" in found["blocked"][0]
    )


async def test_stores_that_take_nothing_are_named_with_why() -> None:
    stores = stores_of(
        store("1", available="5GiB", region_count=900),
        store("4", is_busy=True, slow_score=100),
        silent("5", 90),
    )
    says = await blocked(quiet(stores=stores))

    assert "store:1: less than 20% of the disk is free (low-space-ratio): no replicas go there." in says
    assert "store:4: busy: no replicas go there." in says
    assert "store:4: slow (score 80 or more): no leaders go there." in says
    assert "store:5: Disconnected: neither replicas nor leaders go there." in says
