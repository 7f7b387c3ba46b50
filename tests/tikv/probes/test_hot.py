"""Hot regions are those that carry a sensible share, not all that PD tracks."""

from typing import Any

import pytest
from pydantic import JsonValue

from opsai_tikv.probes.hot_regions import hot_regions
from tests.tikv.cluster import subject
from tests.tikv.pd.fake import FakePd
from tests.tikv.probes.asked import ROWS_OF_7, ask_regions, listed, quiet, region

pytestmark = pytest.mark.anyio


def peer(number: int, leader: int, bytes_: float, queries: float) -> dict[str, JsonValue]:
    return {
        "region_id": number,
        "store_id": leader,
        "stores": [1, 4, 5],
        "is_leader": True,
        "hot_degree": 9,
        "flow_bytes": bytes_,
        "flow_keys": 10.0,
        "flow_query": queries,
    }


def loaded(*peers: dict[str, JsonValue]) -> FakePd:
    flows: dict[str, Any] = {
        "bytes-write-rate": {"1": 3e6, "4": 3e6, "5": 3e6},
        "query-write-rate": {"1": 1000.0, "4": 100.0, "5": 100.0},
    }
    table = region(7, start=ROWS_OF_7[0], end=ROWS_OF_7[1])
    return quiet(
        **{
            "hotspot/stores": flows,
            "hotspot/regions/write": {"as_leader": {"1": {"statistics": list(peers)}}},
            "regions/key": listed(table),
        }
    )


async def test_only_regions_with_a_sensible_share_are_hot() -> None:
    found = await ask_regions(
        loaded(peer(7, 1, 9e5, 900.0), *(peer(n, 4, 2e3, 1.0) for n in range(20, 60))), check="hot"
    )
    write = found["write"]

    assert write["hot"] == 1
    assert write["says"] == "1 hot of 41 that PD tracks"
    assert [row[0] for row in write["regions"]] == ["region:7"]


async def test_a_hot_region_says_whose_keys_it_holds_and_its_shares() -> None:
    found = await ask_regions(loaded(peer(7, 1, 9e5, 900.0)), check="hot")

    assert found["write"]["regions"][0][:6] == ["region:7", "table 7 rows", "store:1", "75.0%", "90.0%", "queries"]


async def test_a_load_that_is_spread_has_no_hot_region_and_says_so() -> None:
    found = await ask_regions(loaded(*(peer(n, 4, 2e4, 3.0) for n in range(20, 60))), check="hot")

    assert found["write"]["hot"] == 0
    assert found["write"]["says"].startswith("none of 40 that PD tracks: the load is spread")
    assert found["read"]["says"] == "none: PD tracks no hot read"


async def test_hot_regions_that_could_not_be_read_are_unknown() -> None:
    found = await ask_regions(quiet(**{"hotspot/regions/read": (500, "broken")}), check="hot")

    assert found["read"]["says"].startswith("unknown")
    assert found["unread"]


async def test_what_was_read_once_in_a_round_is_not_asked_of_pd_again() -> None:
    fake = quiet()
    async with subject(fake) as cluster:
        await cluster.facts()
        counted = len(fake.of("regions/count"))
        await hot_regions(cluster.ask_pd(), await cluster.facts())

    assert counted == 1
    assert len(fake.of("hotspot/stores")) == 1
