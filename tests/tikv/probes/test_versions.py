"""The probes on answers of other versions. The bodies are hand-made from the source of each, none is recorded."""

from typing import Any

import pytest
from pydantic import JsonValue

from opsai_tikv.pd.client import V1
from tests.tikv.cluster import store
from tests.tikv.pd.fake import FakePd, members, refused
from tests.tikv.probes.asked import ask_regions, ask_scheduling, listed, quiet, region, stores_of

pytestmark = pytest.mark.anyio
NOT_THERE = (404, "404 page not found\n")


def v6_5() -> FakePd:
    """v6.5.11: a full-width comma in operators, diagnosing off, no joint-state checker, null for a missing region."""
    old = (
        "balance-leader {transfer leader: store 1 to 4} (kind:leader, region:2(83, 101), createAt:2026-05-04 02:59:00.0 +0000 UTC "
        "m=+7.3, startAt:2026-05-04 02:59:00.0 +0000 UTC m=+7.3, currentStep:0, size:1, "
        "steps:[transfer leader from store 1 to store 4]\uff0c timeout:[1m0s])"
    )
    off = (500, '"[PD:diagnostic:ErrDiagnosticDisabled]diagnostic is disabled"\n')
    return quiet(
        **{
            "operators": [old],
            "schedulers/diagnostic/balance-region-scheduler": off,
            "schedulers/diagnostic/balance-leader-scheduler": off,
            "checker/joint-state": NOT_THERE,
            "config/cluster-version": "6.5.11",
            "stores": stores_of(*(store(number, version="6.5.11") for number in ("1", "4", "5"))),
            "gc/safepoint": {"service_gc_safe_points": None, "gc_safe_point": 0},
        }
    )


def v7_5() -> FakePd:
    """v7.5.6: no diagnosis yet of a scheduler that never ran, lists that are null, rules with a witness mark."""
    none = (500, '"[PD:diagnostic:ErrNoDiagnosticResult]balance-region-scheduler has no diagnostic result"\n')
    rule: JsonValue = {
        "group_id": "pd",
        "id": "default",
        "start_key": "",
        "end_key": "",
        "role": "voter",
        "is_witness": False,
    }
    return quiet(
        **{
            "schedulers/diagnostic/balance-region-scheduler": none,
            "config/rules": [{**rule, "count": 3}],
            "config/region-label/rules": None,
            "operators": None,
            "regions/check/down-peer": {"count": 0, "regions": None},
            "config/cluster-version": "7.5.6",
        }
    )


def v8_5() -> FakePd:
    """v8.5.4: operators as JSON objects where asked so."""
    return quiet(operators=[{"desc": "admin-move", "brief": "mv peer: store [1] to [5]", "region_id": 45, "status": 1}])


def master() -> FakePd:
    """Master of August 2026: members without TSO allocators, affinity and processor figures nobody knows here."""
    told = {**region(2), "cpu_usage": 3, "approximate_columnar_kv_size": 0, "buckets": ["", ""]}
    fake = quiet(**{"regions/key": listed(told)})
    fake.answers[f"{V1}/members"] = {**members(), "kernel_type": "Classic"}
    return fake


@pytest.mark.parametrize("version", [v6_5, v7_5, v8_5, master])
async def test_every_version_is_read_whole(version: Any) -> None:
    for found in (
        await ask_regions(version()),
        await ask_scheduling(version()),
        await ask_regions(version(), stop="pd-b"),
    ):
        assert found["unread"] == ()


async def test_an_operator_of_v6_5_is_told_with_what_it_waits_for() -> None:
    row = (await ask_scheduling(v6_5()))["operators"]["rows"][0]

    assert (row[0], row[4], row[5]) == ("region:2", "60 s", "store:4 to take the lead")


@pytest.mark.parametrize("gone", ["pd-b", "pd-c"])
async def test_with_a_follower_gone_the_leader_is_asked_and_the_follower_is_told_as_unread(gone: str) -> None:
    fake = quiet(**{"regions/key": listed(region(2))})
    fake.silent = {gone: refused}
    found = await ask_scheduling(fake)

    assert found["says"].startswith("No operator under way")
    assert gone not in {name for name, path, _ in fake.asked if path.endswith("/operators")}


async def test_without_a_leader_each_member_is_still_asked_for_itself() -> None:
    fake = quiet()
    fake.leader = None
    for name, lease in (("pd-a", 5), ("pd-b", 3), ("pd-c", 5)):
        fake.only[name, f"{V1}/config"] = {"name": name, "lease": lease}
    found = await ask_scheduling(fake)

    assert found["blocked"] == ["Nothing is scheduled: PD has no leader."]
    assert found["settings_members_differ"] == {"lease": "5 on pd-a, pd-c; 3 on pd-b"}
