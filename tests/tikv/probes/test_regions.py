"""The tool `regions`: what is counted, what is listed and what is never asked for, and why one region is not well."""

import pytest
from pydantic import JsonValue

from opsai_subjects.errors import ArgumentInvalid, SourceMalformed, UnknownName
from opsai_tikv.pd.client import V1
from tests.tikv.cluster import store
from tests.tikv.eyes import MemoryMetrics
from tests.tikv.pd.fake import FakePd
from tests.tikv.probes.asked import ROWS_OF_7, ask_regions, counted, listed, quiet, region, silent, stores_of

pytestmark = pytest.mark.anyio


DEAD = {"4": "refused", "5": "refused"}
"""Stores whose status port refuses: what PD does not hear is gone."""


def large(**more: object) -> FakePd:
    """Return a PD with more regions than may be listed."""
    return quiet(**{"regions/count": {"count": 2_000_000, "regions": None}, **more})


async def test_a_healthy_cluster_is_said_to_be_so_and_its_whole_list_is_the_proof() -> None:
    found = await ask_regions(quiet(**{"regions/key": listed(region(2), region(3))}))

    assert found["says"] == "All 90 regions have the replicas they should."
    assert found["majority"] == "each of 2 regions has a majority of voters on stores that serve"


async def test_causes_are_counted_by_the_store_they_lie_with() -> None:
    down = [region(number, down={5: 700}) for number in (2, 3)]
    fake = quiet(
        **{"regions/check/down-peer": listed(*down), "regions/check/pending-peer": listed(region(3, pending=[4]))}
    )
    found = await ask_regions(fake)

    assert found["counts"]["down-peer"] == 2
    assert [(cause["cause"], cause["stores"]) for cause in found["causes"]] == [
        ("down-peer", "store:5 (2)"),
        ("pending-peer", "store:4 (1)"),
    ]


async def test_of_a_large_cluster_only_short_lists_are_asked_for() -> None:
    fake = large(**{"regions/check/miss-peer": listed(region(2, (1, 4)))})
    found = await ask_regions(fake, metrics=MemoryMetrics(counted(down_peer=1640, miss_peer=1)))

    assert found["counts"]["down-peer"] == 1640
    assert "not listed: over 500" in found["causes"][0]["stores"]
    assert [path for _, path, _ in fake.asked if path.startswith(f"{V1}/regions/check")] == [
        f"{V1}/regions/check/miss-peer"
    ]
    assert fake.count("regions/key") == 0
    assert fake.count("regions") == 0


async def test_a_cause_too_long_to_list_is_laid_to_the_silent_stores() -> None:
    fake = large(stores=stores_of(store("1"), store("4"), silent("5", 700, region_count=1700)))
    found = await ask_regions(fake, metrics=MemoryMetrics(counted(down_peer=1640)))

    assert "store:5 (1,700)" in found["causes"][0]["stores"]


async def test_without_a_count_a_large_cluster_is_unknown_not_well() -> None:
    found = await ask_regions(large())

    assert found["says"].startswith("Unknown")
    assert "down-peer" in found["not_counted"]


async def test_without_a_leader_nothing_is_counted_whatever_metrics_say() -> None:
    fake = quiet()
    fake.leader = None
    fake.answers = {}
    found = await ask_regions(fake, metrics=MemoryMetrics(counted()))

    assert found["counts"] == {}
    assert found["says"].startswith("Unknown")
    assert found["majority"].startswith("unknown")


async def test_a_region_with_two_of_three_voters_on_silent_stores_is_named_as_without_majority() -> None:
    fake = quiet(
        stores=stores_of(store("1"), silent("4", 90), silent("5", 90)),
        **{"regions/key": listed(region(2, leader=4), region(3, (1, 4, 9)))},
    )
    found = await ask_regions(fake, dead=DEAD)

    assert found["without_majority"] == 1
    assert found["regions_without_majority"][0][0] == "region:2"
    assert found["says"].startswith("1 region of 90 regions without a majority")


@pytest.mark.parametrize(
    ("leaders", "says"), [(12, "12 regions still led by silent stores"), (0, "lead no region any more")]
)
async def test_what_a_silent_store_still_leads_tells_of_lost_majorities_where_nothing_can_be_listed(
    leaders: int, says: str
) -> None:
    gone = store("5", heard=300.0, state_name="Disconnected", leader_count=leaders)
    fake = large(stores=stores_of(store("1"), store("4"), gone))
    found = await ask_regions(fake, metrics=MemoryMetrics(counted(down_peer=900)), dead={"5": "refused"})

    assert says in found["majority"]


async def test_stores_that_only_pd_does_not_hear_are_not_said_to_have_taken_a_majority_away() -> None:
    fake = quiet(
        stores=stores_of(store("1"), silent("4", 90), silent("5", 90)), **{"regions/key": listed(region(2, leader=4))}
    )
    found = await ask_regions(fake)

    assert found["without_majority"] == 0
    assert "its process answers here, so it may be cut off from PD alone" in found["silent_stores"][0]


async def test_status_ports_that_nobody_reaches_from_here_say_nothing_of_stores_that_pd_hears() -> None:
    fake = quiet(**{"regions/key": listed(region(2))})
    unreachable = dict.fromkeys(("1", "4", "5"), "late")

    assert (await ask_regions(fake, dead=unreachable))["without_majority"] == 0
    assert (await ask_regions(fake, dead=unreachable, stop="store:4"))["stop"]["state"] == "safe"
    assert (await ask_regions(fake, dead={"5": "late"}, stop="store:4"))["stop"]["state"] == "at_risk"


async def test_a_region_whose_followers_all_lag_is_not_said_to_have_lost_its_majority() -> None:
    """Just after an election a leader counts every follower as pending (tikv raftstore collect_pending_peers)."""
    fake = quiet(**{"regions/key": listed(region(2, pending=[4, 5]))})

    assert (await ask_regions(fake))["without_majority"] == 0
    assert (await ask_regions(fake, stop="store:1"))["stop"]["state"] == "at_risk"


async def test_one_region_is_found_by_id_and_says_why_it_is_not_well() -> None:
    fake = quiet(
        stores=stores_of(store("1"), store("4"), silent("5", 700)),
        **{"region/id/45": region(45, down={5: 700}, start=ROWS_OF_7[0], end=ROWS_OF_7[1])},
    )
    found = await ask_regions(fake, region="45")

    assert found["has_majority"]
    assert not found["well"]
    assert found["why"][0] == (
        "The replica on store:5 (Disconnected, silent for 12 min) has been silent for 12 min: one replica less. "
        "PD replaces it once the store counts as Down."
    )
    assert found["holds"] == "table 7 rows"
    assert found["peers"][2][1:] == ["store:5", "Voter", "Disconnected, down for 12 min, host=h5"]


async def test_a_region_without_a_majority_says_that_it_serves_nothing() -> None:
    fake = quiet(
        stores=stores_of(store("1"), silent("4", 700), silent("5", 700)), **{"region/id/45": region(45, leader=5)}
    )
    found = await ask_regions(fake, region="region:45", dead=DEAD)

    assert not found["has_majority"]
    assert found["why"][0].startswith("It has no majority: 1 of 3 voters could take part in a vote and 2 are needed")
    assert "PD keeps the last leader it heard of" in found["why"][1]


async def test_a_region_that_lags_learns_or_lacks_a_replica_says_so() -> None:
    async def why(**changes: object) -> str:
        return " ".join((await ask_regions(quiet(**{"region/id/45": region(45, **changes)}), region="45"))["why"])  # type: ignore[arg-type]  # a region's own arguments

    assert "lags behind its leader" in await why(pending=[4])
    assert "a learner that has no vote yet" in await why(stores=(1, 4, 5, 9), learners=[9])
    assert "It has 2 voters and the rules ask for 3" in await why(stores=(1, 4))
    assert "It is well" in await why()


async def test_a_region_with_a_replica_on_a_store_that_pd_does_not_hear_is_not_well() -> None:
    stores = stores_of(store("1"), store("4"), silent("5", 120.0))
    fake = quiet(**{"region/id/45": region(45), "stores": stores})

    gone = await ask_regions(fake, region="45", dead={"5": "refused"})
    cut_off = await ask_regions(fake, region="45")
    unlisted = await ask_regions(quiet(**{"region/id/45": region(45), "stores": (500, "no")}), region="45")

    assert (gone["well"], gone["has_majority"]) == (False, True)
    (why,) = gone["why"]
    assert why.startswith(
        "PD does not hear store:5 (Disconnected, silent for 2 min), which holds a replica: one replica less."
    )
    assert "its process answers here, so it may be cut off from PD alone" in cut_off["why"][0]
    assert (unlisted["well"], unlisted["why"][0]) == (
        False,
        "Whether the stores of its replicas serve is not known: PD did not say how they are.",
    )


async def test_rules_of_a_table_that_may_override_the_default_are_not_added_to_it() -> None:
    default: dict[str, JsonValue] = {"group_id": "pd", "id": "default", "role": "voter", "count": 3}
    policy = {**default, "group_id": "TiDB_DDL_7", "count": 5, "start_key": "", "end_key": ""}
    fake = quiet(**{"region/id/45": region(45), "config/rules": [default, policy]})

    assert (await ask_regions(fake, region="45"))["well"]


async def test_whether_a_region_has_its_majority_is_unknown_while_nobody_knows_its_stores() -> None:
    blind = await ask_regions(quiet(stores=(500, "broken"), **{"region/id/45": region(45)}), region="45")

    assert (blind["well"], blind["has_majority"]) == (False, None)


async def test_regions_are_listed_with_what_their_rules_ask_for_and_not_with_what_is_not_known() -> None:
    rule: dict[str, JsonValue] = {"group_id": "pd", "id": "default", "role": "voter", "count": 5}
    lacking = {"regions/check/miss-peer": listed(region(2)), "region/id/2": region(2)}
    ruled = await ask_regions(quiet(**lacking, **{"config/rules": [rule]}), check="miss-peer")
    unread = await ask_regions(quiet(**{"region/id/2": region(2, (1, 4)), "config/rules": (500, "broken")}), region="2")

    assert ruled["listed"][0][-1] == "It has 3 voters and the rules ask for 5: PD has to add one."
    assert (unread["well"], unread["has_majority"]) == (False, True)
    assert unread["why"] == ("How many voters it should have is unknown: the placement rules could not be read.",)


async def test_a_region_is_found_by_a_key_in_hex_or_escaped_or_as_tidb_has_it() -> None:
    key = ROWS_OF_7[0]
    answer = region(45, start=ROWS_OF_7[0], end=ROWS_OF_7[1])
    for asked in (key, f"key:{key.lower()}", "t\\x80\\0\\0\\0\\0\\0\\0\\007_r\\x80\\0\\0\\0\\0\\0\\0\\001"):
        fake = quiet()
        fake.answers[f"{V1}/region/key/{bytes.fromhex(key).decode(errors='replace')}"] = answer
        assert (await ask_regions(fake, region=asked))["region"] == "region:45"


async def test_an_old_pd_that_answers_with_another_region_than_the_keys_is_not_believed() -> None:
    """Before v7.5 PD knows no `format=hex`, which a key with a slash needs: it then looks up the hex text itself."""
    key = "782F79"
    fake = quiet(**{f"region/key/{key}": region(45, start="79")})
    with pytest.raises(SourceMalformed, match="region 45, which does not hold it"):
        await ask_regions(fake, region=f"key:{key}")


@pytest.mark.parametrize("body", [None, (404, '"[PD:region:ErrRegionNotFound]region 45 not found"\n')])
async def test_a_region_that_is_not_there_is_told_in_every_version(body: object) -> None:
    """A PD before v8 answers null with status 200, later ones 404."""
    with pytest.raises(UnknownName, match=r"no region '45'.*merged or never there"):
        await ask_regions(quiet(**{"region/id/45": body}), region="45")


@pytest.mark.parametrize("asked", ["\\400", "key:", "\\xFF" * 2000])
async def test_what_is_no_key_is_refused_with_what_would_be_one(asked: str) -> None:
    with pytest.raises(ArgumentInvalid, match="an id"):
        await ask_regions(quiet(), region=asked)


async def test_one_cause_lists_its_regions_with_whose_keys_they_hold() -> None:
    fake = quiet(**{"regions/check/empty-region": listed(region(2, start=ROWS_OF_7[0], end=ROWS_OF_7[1]))})
    found = await ask_regions(fake, check="empty-region")

    assert found["regions"] == 1
    assert found["listed"][0][:2] == ["region:2", "table 7 rows"]


async def test_two_questions_at_once_and_an_unknown_cause_are_refused() -> None:
    with pytest.raises(ArgumentInvalid, match="different questions"):
        await ask_regions(quiet(), region="2", check="hot")
    with pytest.raises(UnknownName, match="down-peer"):
        await ask_regions(quiet(), check="lost-peer")
