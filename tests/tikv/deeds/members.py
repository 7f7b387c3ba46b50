"""Deeds to PD members."""

from tests.tikv.deeds.register import deed
from tests.tikv.scene import AT, MEMBERS, ONSET, POINTS, STORES, Scene


@deed("pd_leader_down", "pd-a")
def the_pd_leader_is_killed(scene: Scene) -> None:
    _member_gone(scene, "pd-a", "refused", 0.0004)
    scene.log("pd-a", silent_seconds=135)
    _elect(scene, "pd-b", losers=("pd-a",))


@deed("pd_follower_down", "pd-c")
def a_pd_follower_dies_and_is_back_at_once(scene: Scene) -> None:
    scene.set("start_time", "pd-c", AT.timestamp() - 100, ONSET + 3)
    scene.set("up", "pd-c", 0, ONSET + 2, ONSET + 3)


@deed("pd_follower_down", "pd-c")
def a_pd_follower_is_killed(scene: Scene) -> None:
    _member_gone(scene, "pd-c", "refused", 0.0004)
    scene.log("pd-c", silent_seconds=135)


@deed("pd_leader_hang", "pd-a")
def the_pd_leader_is_frozen(scene: Scene) -> None:
    _member_gone(scene, "pd-a", "timed_out", 5.0)
    scene.log("pd-a", silent_seconds=136)
    _elect(scene, "pd-b", losers=("pd-a",))


@deed("pd_leader_partition", "pd-a")
def the_pd_leader_is_cut_off_from_all(scene: Scene) -> None:
    _member_gone(scene, "pd-a", "timed_out", 5.0)
    _elect(scene, "pd-b", losers=("pd-a",))


@deed("pd_leader_partition", "pd-a")
def the_pd_leader_is_cut_off_from_members(scene: Scene) -> None:
    scene.set("etcd_has_leader", "pd-a", 0)
    scene.set("leading", "pd-a", 0)
    scene.set("etcd_leading", "pd-a", 0)
    _elect(scene, "pd-b", losers=("pd-a",))
    scene.member("pd-a", sees_leader="")


@deed("pd_follower_partition", "pd-c")
def a_pd_follower_is_cut_off_from_members(scene: Scene) -> None:
    scene.set("etcd_has_leader", "pd-c", 0)
    scene.member("pd-c", sees_leader="")


@deed("pd_quorum_loss", "pd-a", "pd-b")
def two_of_three_members_are_killed(scene: Scene) -> None:
    for member in ("pd-a", "pd-b"):
        _member_gone(scene, member, "refused", 0.0004)
    scene.leader = None
    scene.stores_known = False
    scene.member("pd-c", sees_leader="")
    scene.set("etcd_has_leader", "pd-c", 0)
    for store in STORES:
        scene.set("requests", store, 0)
        scene.set("pd_reconnects", store, 10)
        scene.store(store, state="unknown", heartbeat_age_seconds=None)


@deed("pd_leader_flap", *MEMBERS)
def the_pd_leader_changes_again_and_again(scene: Scene) -> None:
    for index in range(ONSET, POINTS):
        holder = MEMBERS[(index // 2) % 3]
        for member in MEMBERS:
            scene.set("leading", member, float(member == holder), index, index + 1)
    holder = MEMBERS[((POINTS - 1) // 2) % 3]
    scene.leader = holder
    for member in MEMBERS:
        scene.member(member, is_leader=member == holder, sees_leader=holder)


@deed("pd_client_partition", "pd-a")
def stores_are_cut_off_from_the_pd_leader(scene: Scene) -> None:
    for store in STORES:
        scene.store(store, state="Disconnected", heartbeat_age_seconds=130.0)
        scene.set("pd_reconnects", store, 12)
        scene.set("region_heartbeats", store, 0)
        scene.set("requests", store, 1)


@deed("pd_disk_slow", "pd-a")
def the_pd_leaders_disk_is_slow(scene: Scene) -> None:
    scene.set("wal_fsync_p99", "pd-a", 0.6)


@deed("pd_disk_hang", "pd-c")
def a_pd_members_disk_hangs(scene: Scene) -> None:
    scene.set("wal_fsync_rate", "pd-c", 0)
    scene.set("wal_fsync_p99", "pd-c", None)


@deed("pd_disk_full", "pd-a")
def a_pd_members_disk_is_full(scene: Scene) -> None:
    scene.log("pd-a", "no_space", count=9)


@deed("pd_disk_error", "pd-a")
def a_pd_members_disk_fails(scene: Scene) -> None:
    scene.log("pd-a", "disk_error", count=9)


@deed("pd_cpu", "pd-a")
def a_pd_member_starves(scene: Scene) -> None:
    for name, value in {
        "schedule_latency_p99": 0.08,
        "wal_fsync_p99": 0.2,
        "peer_rtt_best": 0.2,
        "peer_rtt_p99": 0.4,
        "scrape_seconds": 1.5,
    }.items():
        scene.set(name, "pd-a", value)


@deed("pd_network_delay", "pd-a")
def a_pd_members_network_is_late(scene: Scene) -> None:
    scene.set("peer_rtt_best", "pd-a", 0.2)
    for member in MEMBERS:
        scene.set("peer_rtt_p99", member, 0.21)


@deed("pd_network_loss", "pd-a")
def a_pd_members_network_loses_packets(scene: Scene) -> None:
    scene.set("peer_rtt_p99", "pd-a", 0.4)
    for member in ("pd-b", "pd-c"):
        scene.set("peer_rtt_p99", member, 0.12)


def _member_gone(scene: Scene, member: str, port: str, scrape_seconds: float) -> None:
    scene.vanish(member)
    scene.set("scrape_seconds", member, scrape_seconds)
    scene.member(member, client_port=port, sees_leader=None, is_leader=False, health=False)


def _elect(scene: Scene, winner: str, losers: tuple[str, ...]) -> None:
    scene.leader = winner
    scene.set("leading", winner, 1, ONSET + 1)
    scene.set("etcd_leading", winner, 1, ONSET + 1)
    for member in MEMBERS:
        if member not in losers:
            lost = f"raft.node: b0b lost leader {int(scene.members[losers[0]].member_id):x} at term 3"
            scene.log(member, "etcd_leader_lost", age_seconds=130, sample=lost)
            scene.member(member, is_leader=member == winner, sees_leader=winner)
        else:
            scene.member(member, is_leader=False)
