"""Whether nodes can be stopped: safe only where everything needed was seen, and the regions that would lose are named."""

from collections.abc import Sequence
from typing import Any

import pytest
from pydantic import JsonValue

from opsai_subjects.errors import UnknownName
from opsai_subjects.promql.samples import Stored
from opsai_tikv.pd.client import V1
from tests.tikv.cluster import STORES, store
from tests.tikv.eyes import MemoryMetrics, stored
from tests.tikv.pd.fake import FakePd, refused
from tests.tikv.probes.asked import ask_regions, counted, listed, quiet, region, silent, stores_of

pytestmark = pytest.mark.anyio


async def asked(fake: FakePd, stop: str, **more: Any) -> dict[str, Any]:
    found = (await ask_regions(fake, stop=stop, **more))["stop"]
    assert isinstance(found, dict)
    return found


def small(*regions: dict[str, JsonValue], **more: Any) -> FakePd:
    return quiet(**{"regions/key": listed(*regions), **more})


def zoned(number: int, zone: str, **changes: JsonValue) -> dict[str, JsonValue]:
    """Return one of many stores: two hosts to a zone and more."""
    labels: JsonValue = [{"key": "zone", "value": zone}, {"key": "host", "value": f"h{number}"}]
    heard = changes.pop("heard", 5.0)
    where: JsonValue = f"10.2.0.{number}:20160"
    return store(str(number), labels=labels, heard=heard, address=where, status_address="", **changes)


def wide(stores: Sequence[dict[str, JsonValue]] | None = None, **more: Any) -> FakePd:
    """Return a PD of nine stores in three zones and two million regions."""
    nine = [zoned(number, f"z{number % 3}") for number in range(1, 10)]
    return quiet(
        **{
            "regions/count": {"count": 2_000_000, "regions": None},
            "stores": stores_of(*(stores or nine)),
            "config": {"replication": {"max-replicas": 3, "location-labels": "zone,host"}},
            "config/rules": [
                {"group_id": "pd", "id": "default", "role": "voter", "count": 3, "location_labels": ["zone", "host"]}
            ],
            **more,
        }
    )


def isolated(**levels: float) -> list[Stored]:
    return [stored("pd_regions_label_level", [count], type=level) for level, count in levels.items()]


async def test_one_of_three_stores_can_be_stopped_when_each_region_keeps_a_majority() -> None:
    found = await asked(small(region(2), region(3)), "store:4")

    assert found["state"] == "safe"
    assert found["why"] == ("each of all 2 regions keeps a majority of its voters on other stores",)


async def test_the_regions_that_would_lose_their_majority_are_named() -> None:
    found = await asked(small(region(2), region(3, down={5: 700}), region(7, (1, 4))), "store:4")

    assert found["state"] == "at_risk"
    assert [row[0] for row in found["regions"]] == ["region:3", "region:7"]


async def test_no_store_can_be_stopped_while_another_is_silent() -> None:
    fake = small(region(2), stores=stores_of(store("1"), store("4"), silent("5", 90)))
    found = await asked(fake, "store:4")

    assert found["state"] == "at_risk"
    assert found["why"][0] == "store:5 is not well: regions there stand on one replica less already"


async def test_a_host_is_all_nodes_on_it_and_pd_members_count_against_their_own_quorum() -> None:
    together = "10.1.0.2"  # where pd-b is
    fake = small(region(2), stores=stores_of(store("1"), store("4", address=f"{together}:20160"), store("5")))
    fake.silent = {"pd-c": refused}
    found = await asked(fake, together)

    assert found["would_stop"] == "1 store (store:4); 1 PD member (pd-b)"
    assert found["state"] == "at_risk"
    assert "only 1 other PD members are well and 2 are needed" in found["why"][0]


async def test_a_host_goes_by_its_label_too() -> None:
    found = await asked(small(region(2)), "host=h4")

    assert (found["state"], found["would_stop"]) == ("safe", "1 store (store:4)")


async def test_a_zone_can_be_stopped_where_every_region_is_apart_by_zone_and_pd_members_are_placed() -> None:
    metrics = MemoryMetrics([*counted(), *isolated(zone=2_000_000)])
    found = await asked(wide(), "zone=z1,pd-a", metrics=metrics)

    assert found["state"] == "safe"
    assert found["would_stop"] == "3 stores (store:1, store:4, store:7); 1 PD member (pd-a)"
    assert "each peer in another zone, and only zone=z1 goes" in " ".join(found["why"])


async def test_a_zone_is_at_risk_where_some_regions_are_not_apart_by_zone() -> None:
    metrics = MemoryMetrics([*counted(), *isolated(zone=1_999_991, host=9)])
    found = await asked(wide(), "zone=z1,pd-a", metrics=metrics)

    assert found["state"] == "at_risk"
    assert "9 of 2,000,000 regions have two or more peers in one zone, maybe in zone=z1" in " ".join(found["why"])


@pytest.mark.parametrize("levels", [{}, {"zone": 1_000_000.0}])
async def test_a_zone_is_unknown_where_nobody_counted_how_far_regions_are_apart(levels: dict[str, float]) -> None:
    found = await asked(wide(), "zone=z1,pd-a", metrics=MemoryMetrics([*counted(), *isolated(**levels)]))

    assert found["state"] == "unknown"
    assert "pd_regions_label_level" in found["why"][0]


async def test_a_zone_is_unknown_while_no_label_tells_where_pd_members_stand() -> None:
    metrics = MemoryMetrics([*counted(), *isolated(zone=2_000_000)])
    found = await asked(wide(), "zone=z1", metrics=metrics)

    assert found["state"] == "unknown"
    assert "whether PD members stand there too (pd-a, pd-b, pd-c)" in found["why"][0]


async def test_labels_of_pd_members_tell_where_they_stand() -> None:
    metrics = MemoryMetrics([*counted(), *isolated(zone=2_000_000)])
    fake = wide()
    for name, zone in (("pd-a", "z1"), ("pd-b", "z2"), ("pd-c", "z0")):
        fake.only[name, f"{V1}/config"] = {
            "name": name,
            "labels": {"zone": zone},
            "replication": {"max-replicas": 3, "location-labels": "zone,host"},
        }
    found = await asked(fake, "zone=z1", metrics=metrics)

    assert found["state"] == "safe"
    assert found["would_stop"].endswith("1 PD member (pd-a)")


async def test_a_second_zone_cannot_be_stopped_while_a_store_of_another_is_silent() -> None:
    stores = [zoned(number, f"z{number % 3}") for number in range(1, 9)]
    stores.append(zoned(9, "z0", heard=90.0, state_name="Disconnected", region_count=700_000))
    metrics = MemoryMetrics([*counted(), *isolated(zone=2_000_000)])
    other = await asked(wide(stores), "zone=z1,pd-a", metrics=metrics)
    same = await asked(wide(stores), "store:3", metrics=metrics)

    assert other["state"] == "at_risk"
    assert "700,000 peers are on stores that do not serve already" in " ".join(other["why"])
    assert same["state"] == "safe"  # both are in z0, and every region has one peer there


async def test_regions_that_lack_a_peer_and_are_too_many_to_list_are_never_called_safe() -> None:
    metrics = MemoryMetrics([*counted(miss_peer=9000), *isolated(zone=2_000_000)])
    found = await asked(wide(), "store:1", metrics=metrics)

    assert found["state"] == "at_risk"
    assert "9,000 miss-peer" in found["why"][-1]


async def test_regions_that_lack_a_peer_and_are_few_are_looked_at_one_by_one() -> None:
    metrics = MemoryMetrics([*counted(miss_peer=2), *isolated(zone=2_000_000)])
    there = wide(**{"regions/check/miss-peer": listed(region(2, (1, 2)), region(3, (5, 9)))})
    elsewhere = wide(**{"regions/check/miss-peer": listed(region(3, (5, 9)))})

    assert [row[0] for row in (await asked(there, "store:1", metrics=metrics))["regions"]] == ["region:2"]
    assert (await asked(elsewhere, "store:1", metrics=metrics))["state"] == "safe"


async def test_without_pds_stores_it_is_unknown() -> None:
    found = await asked(quiet(stores=(500, "broken")), "pd-b")
    assert found["state"] == "safe"  # etcd's quorum does not need them

    with pytest.raises(UnknownName):
        await asked(quiet(stores=(500, "broken")), "store:1")


async def test_learners_alone_lose_no_vote() -> None:
    tiflash = store("9", labels=[{"key": "engine", "value": "tiflash"}], leader_count=0)
    found = await asked(small(region(2), stores=stores_of(*map(store, STORES), tiflash)), "store:9")

    assert found["state"] == "safe"
    assert "no region loses a vote" in found["why"][0]


async def test_rules_that_ask_for_five_voters_bear_the_loss_of_two() -> None:
    rule: dict[str, JsonValue] = {"group_id": "pd", "id": "default", "role": "voter", "count": 5}
    metrics = MemoryMetrics(counted())
    five = await asked(wide(**{"config/rules": [rule]}), "store:1,store:2", metrics=metrics)
    three = await asked(wide(), "store:1,store:2", metrics=metrics)

    assert (five["state"], three["state"]) == ("safe", "at_risk")


async def test_regions_that_nobody_counted_are_not_taken_for_none() -> None:
    one = [stored("pd_regions_status", [3.0], type="empty-region-count", instance="10.1.0.1:2379", job="pd")]
    found = await asked(wide(), "store:1", metrics=MemoryMetrics(one))

    assert found["state"] == "unknown"
    assert any("nobody counted miss-peer, down-peer, pending-peer" in why for why in found["why"])


async def test_rules_that_hold_and_cannot_be_read_are_not_guessed() -> None:
    config: JsonValue = {
        "replication": {"max-replicas": 3, "enable-placement-rules": "true", "location-labels": "zone,host"}
    }
    found = await asked(
        wide(**{"config": config, "config/rules": (500, "broken")}), "store:1", metrics=MemoryMetrics(counted())
    )

    assert found["state"] == "unknown"
    assert "placement rules hold and could not be read" in found["why"][0]


async def test_a_voter_on_a_store_that_pd_does_not_list_or_as_a_tombstone_is_not_counted_on() -> None:
    gone = store("9", state_name="Tombstone", leader_count=0)
    unlisted = await asked(small(region(2, (1, 4, 9))), "store:4")
    buried = await asked(small(region(2, (1, 4, 9)), stores=stores_of(*map(store, STORES), gone)), "store:4")

    assert (unlisted["state"], buried["state"]) == ("at_risk", "at_risk")
    assert buried["regions"] == [["region:2", "store:1, store:4, store:9"]]


async def test_what_names_no_node_is_refused_with_the_labels_there_are() -> None:
    with pytest.raises(UnknownName, match=r"zone=z0, zone=z1, zone=z2"):
        await asked(wide(), "zone=z9")
    with pytest.raises(UnknownName, match=r"store:1"):
        await asked(quiet(), "kv77")
