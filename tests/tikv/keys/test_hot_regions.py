"""A hot region is shown with the table, index or keyspace that its keys belong to, where they name one."""

from opsai_tikv.facts import HotRegion
from opsai_tikv.gathering.hot import hottest
from opsai_tikv.pd.traffic import read_traffic
from opsai_tikv.signs import signs
from tests.tikv.scene import STORES, Scene


def region(number: int, start: str, end: str, written_keys: int) -> dict[str, object]:
    leader = {"id": number + 1, "store_id": 1}
    return {"id": number, "start_key": start, "end_key": end, "leader": leader, "written_keys": written_keys}


def test_the_hottest_regions_name_their_table_and_a_client_s_own_keys_name_nothing() -> None:
    table = (
        "7480000000000000FF015F728000000000FF000000FF00000000FB",
        "7480000000000000FF015F728000000000FF000001FF00000000FB",
    )
    usertable = ("757365727461626CFF653A757365723030FF3030303033363437FF0000000000000000F7", "")
    regions = read_traffic({"regions": [region(1, *table, 900), region(2, *usertable, 100), {"id": 3}]})
    found = hottest(regions, "written_keys")
    assert [(hot.region_id, hot.owner) for hot in found] == [("1", "table 1 rows"), ("2", "")]


def test_the_sign_of_a_hot_region_says_whose_keys_they_are() -> None:
    scene = Scene()
    for store in STORES:
        scene.set("writes", store, 900)
    scene.hot_writes = (
        HotRegion(region_id="7", leader_store="store:1", owner="table 57 index 2", share=0.6, keys_per_second=800),
    )
    said = [sign.says for sign in signs(scene.facts()) if sign.id == "hot_write_region" and sign.state == "shown"]
    assert len(said) == 1
    assert said[0].endswith("region 7 (table 57 index 2, leader on store:1) carries 60% of the cluster's keys")
