"""Hot regions of a cluster that is too large to read each region: made by hand after PD's source."""

from typing import Any

import pytest

from opsai_subjects.attempts import Attempts
from opsai_subjects.model import WallClock
from opsai_tikv.facts import HotRegion
from opsai_tikv.gathering.hot import read_traffic
from opsai_tikv.pd.client import Pd
from tests.tikv.pd.fake import URLS, FakePd, opened

pytestmark = pytest.mark.anyio
V1 = "/pd/api/v1"
STORES = 200


def flows(**loads: float) -> dict[str, Any]:
    """Return what PD says of each store's writes: 1,000 bytes a second, or what is given for it."""
    return {"bytes-write-rate": {str(n): loads.get(f"s{n}", 1000.0) for n in range(1, STORES + 1)} | {"other": 0.0}}


def large(stores: dict[str, Any], **answers: Any) -> FakePd:
    del stores["bytes-write-rate"]["other"]
    usual: dict[str, Any] = {f"{V1}/regions/count": {"count": 2_000_000}, f"{V1}/hotspot/stores": stores}
    return FakePd(answers=usual | {f"{V1}/{path}": answer for path, answer in answers.items()})


async def look(fake: FakePd) -> tuple[dict[str, tuple[HotRegion, ...]], Attempts]:
    tries = Attempts()
    async with opened(fake) as web:
        found = await read_traffic(Pd(web, URLS, {}, WallClock()), tries)
    return {str(direction): hot for direction, hot in found.items()}, tries


async def test_where_no_store_stands_out_nothing_more_is_asked_and_nothing_is_hot() -> None:
    fake = large(flows())

    found, tries = await look(fake)

    assert found == {"write": (), "read": ()}
    assert tries.unread == ()
    assert not any("hotspot/regions" in path or path.endswith(("flow", "/regions/key")) for _, path, _ in fake.asked)


async def test_a_store_that_stands_out_is_asked_about_alone_and_its_hot_region_is_named_with_its_table() -> None:
    peer = {"region_id": 45, "store_id": 7, "stores": [7, 8, 9], "is_leader": True, "flow_bytes": 90_000.0}
    fake = large(
        flows(s7=300_000.0),
        **{
            "hotspot/regions/write?store_id=7": {"as_leader": {"7": {"statistics": [peer]}}},
            "region/id/45": {
                "id": 45,
                "start_key": "7480000000000000FF075F720000000000FA",
                "end_key": "7480000000000000FF075F730000000000FA",
                "peers": [],
            },
        },
    )

    found, tries = await look(fake)
    (hot,) = found["write"]

    assert tries.unread == ()
    assert (hot.region_id, hot.leader_store, hot.owner) == ("45", "store:7", "table 7 rows")
    assert hot.share == pytest.approx(90_000 / (499_000 / 3), abs=1e-3)
    assert found["read"] == ()


async def test_what_pd_refuses_leaves_the_direction_unknown_and_says_so() -> None:
    fake = large(flows(s7=300_000.0), **{"hotspot/regions/write?store_id=7": (500, "no")})

    found, tries = await look(fake)

    assert "write" not in found
    assert [one.asked for one in tries.unread] == [f"{V1}/hotspot/regions/write?store_id=7"]
