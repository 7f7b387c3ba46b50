"""The topology: what is told of members and stores, with PD, without its leader, and without it at all."""

from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import JsonValue

from opsai_subjects.opening import open_replay
from opsai_subjects.recording.folder import open_recording
from opsai_tikv.pd.client import V1
from tests.tikv.cluster import PEOPLE, healthy, store, subject
from tests.tikv.eyes import AT, DeafMetrics, MemoryMetrics, stored
from tests.tikv.pd.fake import FakePd, late, member, members, refused

pytestmark = pytest.mark.anyio
INCIDENTS = sorted(path for path in (Path(__file__).parents[3] / "compose" / "incidents").iterdir() if path.is_dir())


async def test_a_healthy_cluster_is_told_whole() -> None:
    async with subject(healthy()) as found:
        topology = await found.topology()

    assert topology.cluster == "prod"
    assert topology.cluster_id == "7388103445672349876"
    assert [(node.entity, node.name, node.role, node.state) for node in topology.nodes] == [
        ("pd-a", "pda", "pd", "leader"),
        ("pd-b", "pdb", "pd", "follower"),
        ("pd-c", "pdc", "pd", "follower"),
        ("store:1", "kv1", "tikv", "Up"),
        ("store:4", "kv2", "tikv", "Up"),
        ("store:5", "kv3", "tikv", "Up"),
    ]
    one = topology.nodes[3]
    assert one.status_address == "10.1.0.21:20180"
    assert (one.details["leaders"], one.details["capacity_gib"], one.details["available_ratio"]) == (30, 100.0, 0.6)
    assert (one.details["heartbeat_age_seconds"], one.details["labels"]) == (5.0, "host=h1")
    assert topology.summary == {
        "version": "8.5.4",
        "pd_members": 3,
        "pd_members_answering": 3,
        "pd_leader": "pda",
        "stores": 3,
        "store_states": "3 Up",
        "regions": 90,
        "leaders": 90,
        "max_replicas": 3,
        "placement_rules": True,
        "location_labels": "host",
    }
    assert (topology.notes, topology.unread) == ((), ())


async def test_a_member_whose_own_etcd_sees_no_leader_is_told_apart() -> None:
    fake = healthy()
    fake.only["pd-b", "/health"] = (503, '{"health":"false","reason":"RAFT NO LEADER"}')
    async with subject(fake) as found:
        topology = await found.topology()

    assert [node.details["etcd_healthy"] for node in topology.nodes[:3]] == [True, False, True]


async def test_a_store_limit_that_somebody_set_is_told() -> None:
    limits: JsonValue = {"1": {"add-peer": 15, "remove-peer": 15}, "4": {"add-peer": 0, "remove-peer": 15}}
    config: JsonValue = {"schedule": {"store-limit": limits}, "replication": {"max-replicas": 3}}
    async with subject(healthy(**{f"{V1}/config": config})) as found:
        topology = await found.topology()

    limited = {
        node.entity: node.details["add_peer_per_minute"]
        for node in topology.nodes
        if "add_peer_per_minute" in node.details
    }
    assert limited == {"store:4": 0.0}


async def test_without_names_a_node_goes_by_its_address() -> None:
    async with subject(healthy(), names={}) as found:
        topology = await found.topology()

    assert [node.name for node in topology.nodes][::3] == ["10.1.0.1:2379", "10.1.0.21:20160"]


async def test_a_store_that_advertises_every_host_is_looked_for_on_its_own() -> None:
    stores = {"stores": [store("1", status_address="0.0.0.0:20180")]}
    async with subject(healthy(**{f"{V1}/stores": stores})) as found:
        topology = await found.topology()

    assert topology.nodes[3].status_address == "10.1.0.21:20180"


async def test_what_is_unusual_of_a_store_is_told_and_what_is_not_is_left_out() -> None:
    stores = {"stores": [store("1", is_busy=True, leader_weight=0, pending_peer_count=7), store("4")]}
    async with subject(healthy(**{f"{V1}/stores": stores})) as found:
        first, second = (await found.topology()).nodes[3:]

    assert (first.details["busy"], first.details["leader_weight"], first.details["pending_peers"]) == (True, 0.0, 7)
    assert not {"busy", "leader_weight", "pending_peers"} & set(second.details)


async def test_different_versions_are_noted() -> None:
    stores = {"stores": [store("1", version="8.5.4"), store("4", version="8.5.3"), store("5", version="8.5.4")]}
    async with subject(healthy(**{f"{V1}/stores": stores})) as found:
        (note,) = (await found.topology()).notes

    assert "8.5.3 (1), 8.5.4 (2)" in note
    assert "upgrade" in note


async def test_a_leader_that_etcd_does_not_share_is_noted() -> None:
    pd = healthy()
    pd.answers[f"{V1}/members"] = members("pd-a", "pd-b")
    async with subject(pd) as found:
        (note,) = (await found.topology()).notes

    assert "The PD leader (pd-a) is not etcd's leader (pd-b)" in note


async def test_a_leader_of_the_last_minute_is_noted_since_its_view_of_stores_is_old() -> None:
    role = {"service": "PD", "job": "pd"}
    metrics = MemoryMetrics([stored("service_member_role", [1.0, 1.0], instance="10.1.0.1:2379", **role)])
    async with subject(healthy(), metrics=metrics) as found:
        (note,) = (await found.topology()).notes

    assert "The PD leader is new" in note


async def test_a_new_leader_is_noted_also_while_etcd_says_so_too() -> None:
    before, now = {"instance": "10.1.0.2:2379", "job": "pd"}, {"instance": "10.1.0.1:2379", "job": "pd"}
    metrics = MemoryMetrics(
        [
            stored("service_member_role", [1.0] * 38, service="PD", end=AT - timedelta(seconds=30), **before),
            stored("service_member_role", [1.0, 1.0], service="PD", **now),
            stored("etcd_server_is_leader", [1.0] * 40, **now),
            stored("pd_tso_role", [0.0] * 38 + [1.0, 1.0], group="0", **now),
        ]
    )
    async with subject(healthy(), metrics=metrics) as found:
        (note,) = (await found.topology()).notes

    assert "The PD leader is new" in note


async def test_a_leader_of_long_standing_is_not_noted() -> None:
    role = {"service": "PD", "job": "pd"}
    metrics = MemoryMetrics([stored("service_member_role", [1.0] * 40, instance="10.1.0.1:2379", **role)])
    async with subject(healthy(), metrics=metrics) as found:
        assert (await found.topology()).notes == ()


async def test_one_member_that_is_gone_is_told_with_how_it_met_us() -> None:
    pd = healthy()
    pd.silent = {"pd-c": refused}
    async with subject(pd) as found:
        topology = await found.topology()

    gone = topology.nodes[2]
    assert (gone.entity, gone.state, gone.details["sees_leader"]) == ("pd-c", "refused", None)
    assert topology.summary["pd_members_answering"] == 2
    assert [unread.source for unread in topology.unread] == ["pd:pd-c"]


async def test_without_a_leader_members_tell_what_they_see_and_stores_are_those_the_metrics_named_last() -> None:
    pd = FakePd(
        leader=None,
        silent={"pd-a": refused, "pd-b": refused},
        only={("pd-c", f"{V1}/members"): late, ("pd-c", f"{V1}/leader"): member("pd-a")},
        answers={f"{V1}/stores": (500, "[PD:apiutil:ErrRedirect]redirect failed\n")},
    )
    series = [
        stored("pd_scheduler_store_status", [90.0], address=address, store=number, type="region_count", instance="pd")
        for number, address in (("10", "10.1.0.22:20160"), ("4", "10.1.0.21:20160"))
    ]
    async with subject(pd, metrics=MemoryMetrics(series)) as found:
        topology = await found.topology()

    assert [(node.entity, node.name, node.state, node.status_address) for node in topology.nodes[3:]] == [
        ("store:4", "kv1", "unknown", "10.1.0.21:20180"),
        ("store:10", "kv2", "unknown", "10.1.0.22:20180"),
    ]
    assert topology.summary["stores"] is None
    assert any("leads" in note for note in topology.notes)
    assert any("named last" in note for note in topology.notes)
    assert any("its etcd may have no quorum" in unread.advice for unread in topology.unread)


async def test_with_nothing_to_read_every_blindness_is_told_and_nothing_is_made_up() -> None:
    pd = FakePd(silent=dict.fromkeys(("pd-a", "pd-b", "pd-c"), refused))
    async with subject(pd, metrics=DeafMetrics()) as found:
        topology = await found.topology()

    assert [node.state for node in topology.nodes] == ["refused"] * 3
    assert topology.cluster_id is None
    assert {unread.source for unread in topology.unread} >= {"pd", "prometheus"}
    assert any("which stores there are is unknown" in note for note in topology.notes)


async def test_hundreds_of_stores_are_told_with_a_word_on_narrowing() -> None:
    stores = {"stores": [store(str(number)) for number in range(1, 301)]}
    async with subject(healthy(**{f"{V1}/stores": stores}), names=PEOPLE) as found:
        topology = await found.topology()

    assert len(topology.nodes) == 303
    assert any(note.startswith("300 stores") for note in topology.notes)


@pytest.mark.parametrize("folder", INCIDENTS, ids=lambda path: path.name)
async def test_each_recorded_cluster_is_told_at_every_moment(folder: Path) -> None:
    incident = open_recording(folder).incident
    length = incident.end - incident.start
    async with open_replay(folder) as cluster:
        for share in (0.3, 0.5, 0.7, 0.9):
            cluster.clock.set(incident.start + length * share)
            topology = await cluster.subject.topology()
            named = {node.name for node in topology.nodes}
            assert {node.name for node in incident.nodes} == named
            assert all(node.state for node in topology.nodes)
