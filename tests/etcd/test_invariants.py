"""Each invariant held, violated and unknown. The facts are made by hand."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from opsai_etcd.facts import AlarmFacts, EtcdFacts
from opsai_etcd.invariants import INVARIANTS, judge
from opsai_subjects.invariant import Verdict
from opsai_subjects.model import Unread
from tests.etcd.scene import ALONE, AT, CUT, HANGING, REFUSED, count, facts, flat, lately, log, ways

LOST_3 = {"etcd1": log(lost={"etcd3": 20.0}), "etcd2": log(lost={"etcd3": 20.0})}
DARK = dict.fromkeys(("etcd1", "etcd2", "etcd3"), CUT)


def of(found: EtcdFacts, invariant: str, entity: str = "etcd3", **limits: float) -> Verdict:
    return next(one for one in judge(found, limits) if (one.invariant, one.entity) == (invariant, entity))


def slow(signal: str, value: float) -> EtcdFacts:
    return facts(tracks={signal: {"etcd1": flat(0.0), "etcd2": flat(0.0), "etcd3": lately(0.0, value)}})


VIOLATED: dict[str, list[tuple[Callable[[], EtcdFacts], str]]] = {
    "etcd_quorum": [
        (lambda: facts({"etcd1": {"leader_id": ""}, "etcd2": REFUSED, "etcd3": REFUSED}), "cluster"),
        (lambda: facts({"etcd1": {"leader_id": ""}, "etcd2": REFUSED, "etcd3": CUT}, logs={}, active={}), "cluster"),
    ],
    "etcd_has_leader": [(lambda: facts({name: {"leader_id": ""} for name in ("etcd1", "etcd2", "etcd3")}), "cluster")],
    "etcd_quorum_margin": [
        (lambda: facts({"etcd3": REFUSED}), "cluster"),
        (lambda: facts({"etcd4": {"started": False, "port": "unknown"}}), "cluster"),
    ],
    "etcd_members_enough": [(lambda: facts({"etcd2": {"is_learner": True}}), "cluster")],
    "etcd_leader_steady": [(lambda: facts(tracks={"leader_changes": {"etcd1": lately(1, 9)}}), "cluster")],
    "etcd_terms_agree": [(lambda: facts({"etcd3": {"raft_term": 40}}), "cluster")],
    "etcd_versions_agree": [(lambda: facts({"etcd3": {"version": "3.6.1"}}), "cluster")],
    "etcd_upgrade_done": [
        (lambda: facts({name: {"cluster_version": "3.4.0"} for name in ("etcd1", "etcd2", "etcd3")}), "cluster")
    ],
    "etcd_member_up": [
        (lambda: facts({"etcd3": REFUSED}), "etcd3"),
        (lambda: facts({"etcd3": HANGING}, logs=LOST_3), "etcd3"),
        (lambda: facts({"etcd3": CUT}, logs={}, active=ways(etcd3=("etcd1", "etcd2"))), "etcd3"),
    ],
    "etcd_member_stays_up": [
        (
            lambda: facts(
                {"etcd3": {"started_at": AT - timedelta(seconds=20)}},
                logs={"etcd3": log(restarts=(20.0,), started=count(20.0))},
            ),
            "etcd3",
        )
    ],
    "etcd_member_started": [(lambda: facts({"etcd4": {"started": False, "port": "unknown"}}), "etcd4")],
    "etcd_peers_connected": [
        (lambda: facts({"etcd3": ALONE}, logs=LOST_3), "etcd3"),
        (lambda: facts(active=ways(etcd3=("etcd2",))), "etcd3"),
    ],
    "etcd_client_port_reached": [
        (
            lambda: facts({"etcd3": CUT}, tracks={"up": {"etcd1": flat(1), "etcd2": flat(1), "etcd3": lately(1, 0)}}),
            "etcd3",
        )
    ],
    "etcd_member_follows": [(lambda: facts({"etcd3": ALONE}), "etcd3")],
    "etcd_member_healthy": [(lambda: facts({"etcd3": {"healthy": False}}), "etcd3")],
    "etcd_space_left": [(lambda: facts(alarms=[AlarmFacts(entity="etcd3", kind="NOSPACE")]), "etcd3")],
    "etcd_data_sound": [(lambda: facts(alarms=[AlarmFacts(entity="etcd3", kind="CORRUPT")]), "etcd3")],
    "etcd_db_within_quota": [
        (lambda: facts({"etcd3": {"db_bytes": int(0.9 * 2**31)}}), "etcd3"),
        (
            lambda: facts({"etcd3": {"db_bytes": None}}, tracks={"quota_ratio": {"etcd3": flat(0.9)}}),
            "etcd3",
        ),
    ],
    "etcd_db_compact": [(lambda: facts({"etcd3": {"db_bytes": 900 * 2**20}}), "etcd3")],
    "etcd_applies_in_step": [(lambda: facts({"etcd3": {"raft_index": 9000, "applied_index": 2000}}), "etcd3")],
    "etcd_follower_in_step": [(lambda: facts({"etcd1": {"raft_index": 90_000}}), "etcd3")],
    "etcd_learner_in_step": [(lambda: facts({"etcd3": {"is_learner": True, "raft_index": 100}}), "etcd3")],
    "etcd_clocks_agree": [(lambda: facts({"etcd3": {"clock_ahead_seconds": 9.0}}), "etcd3")],
    "etcd_wal_fast": [(lambda: slow("wal_fsync_p99", 0.4), "etcd3")],
    "etcd_backend_fast": [(lambda: slow("backend_commit_p99", 0.4), "etcd3")],
    "etcd_proposals_flow": [(lambda: slow("proposals_pending", 90.0), "etcd3")],
    "etcd_proposals_succeed": [(lambda: slow("proposals_failed", 4.0), "etcd3")],
    "etcd_applies_fast": [(lambda: slow("slow_applies", 4.0), "etcd3")],
    "etcd_network_fast": [
        (
            lambda: facts(tracks={"peer_rtt_best": {"etcd3": flat(0.001)}, "peer_rtt_usual": {"etcd3": flat(0.4)}}),
            "etcd3",
        )
    ],
    "etcd_cpu_enough": [
        (lambda: slow("scrape_seconds", 3.0), "etcd3"),
    ],
    "etcd_files_enough": [(lambda: slow("fd_ratio", 0.95), "etcd3")],
    "etcd_member_in_sight": [
        (lambda: facts({"etcd3": HANGING}), "etcd3"),
        (lambda: facts({"etcd3": CUT}, logs={}, active={}), "etcd3"),
    ],
    "etcd_members_listed": [(lambda: facts(DARK, members_known=False), "cluster")],
    "etcd_metrics_read": [(lambda: facts(tracks={"up": {"etcd1": lately(1, None)}}), "cluster")],
    "etcd_target_scraped": [
        (lambda: facts(tracks={"up": {"etcd1": flat(1), "etcd2": flat(1)}}), "etcd3"),
        (lambda: facts(tracks={"up": {"etcd1": flat(1), "etcd2": flat(1), "etcd3": lately(1, 0)}}), "etcd3"),
    ],
    "etcd_log_written": [
        (
            lambda: facts({"etcd3": {"started_at": AT - timedelta(hours=2)}}, logs={"etcd3": log(3 * 3600.0)}),
            "etcd3",
        )
    ],
    "etcd_our_clock_true": [
        (lambda: facts({name: {"clock_ahead_seconds": 60.0} for name in ("etcd1", "etcd2", "etcd3")}), "cluster")
    ],
}
UNKNOWN: list[tuple[str, Callable[[], EtcdFacts], str]] = [
    ("etcd_quorum", lambda: facts(DARK, logs={}, active={}, tracks={"up": {}}, members_known=False), "cluster"),
    ("etcd_quorum", lambda: facts(DARK, members_known=False, members_listed=False), "cluster"),
    ("etcd_has_leader", lambda: facts(DARK), "cluster"),
    ("etcd_quorum_margin", lambda: facts(DARK, members_known=False), "cluster"),
    ("etcd_leader_steady", lambda: facts(logs={}), "cluster"),
    ("etcd_member_up", lambda: facts({"etcd3": HANGING}), "etcd3"),
    ("etcd_member_up", lambda: facts({"etcd3": CUT}, logs={}, active={}), "etcd3"),
    ("etcd_member_up", lambda: facts({"etcd3": {"port": "unresolved"}}), "etcd3"),
    ("etcd_member_up", lambda: facts({"etcd3": REFUSED}, met=frozenset()), "etcd3"),
    ("etcd_client_port_reached", lambda: facts({"etcd3": CUT}), "etcd3"),
    (
        "etcd_client_port_reached",
        lambda: facts({"etcd3": CUT}, scraped_by_us=True, tracks={"up": {"etcd3": lately(1, 0)}}),
        "etcd3",
    ),
    ("etcd_member_stays_up", lambda: facts(logs={}), "etcd3"),
    ("etcd_peers_connected", lambda: facts(logs={}, active={}), "etcd3"),
    ("etcd_space_left", lambda: facts(DARK), "etcd3"),
    ("etcd_db_within_quota", lambda: facts({"etcd3": {"quota_bytes": None}}), "etcd3"),
    ("etcd_wal_fast", facts, "etcd3"),
    (
        "etcd_metrics_read",
        lambda: facts(unread=(Unread(source="metrics", asked="", why="none are read"),), tracks={}).model_copy(
            update={"tracks": facts().tracks.model_copy(update={"by_name": {}})}
        ),
        "cluster",
    ),
]


@pytest.mark.parametrize("invariant", [one.id for one in INVARIANTS])
def test_an_invariant_is_held_by_a_well_cluster_and_violated_by_what_it_is_there_for(invariant: str) -> None:
    for make, entity in VIOLATED[invariant]:
        verdict = of(make(), invariant, entity)
        assert verdict.state == "violated", verdict
        assert verdict.says
    assert {one.state for one in judge(facts()) if one.invariant == invariant} <= {"held", "unknown"}


@pytest.mark.parametrize(("invariant", "make", "entity"), UNKNOWN)
def test_what_cannot_be_seen_is_unknown_with_its_reason(
    invariant: str, make: Callable[[], EtcdFacts], entity: str
) -> None:
    verdict = of(make(), invariant, entity)

    assert verdict.state == "unknown", verdict
    assert verdict.says


def test_a_limit_that_is_set_for_the_cluster_is_judged_by() -> None:
    found = facts({"etcd3": {"db_bytes": int(0.5 * 2**31)}})

    assert of(found, "etcd_db_within_quota").state == "held"
    verdict = of(found, "etcd_db_within_quota", etcd_db_within_quota=0.4)
    assert (verdict.state, verdict.limit) == ("violated", 0.4)


def test_a_member_that_stops_in_order_has_a_minute_to_come_back() -> None:
    young = facts({"etcd3": REFUSED}, logs={"etcd3": log(20.0, signal=count(20.0))})
    late = facts({"etcd3": REFUSED}, logs={"etcd3": log(90.0, signal=count(90.0))})

    assert of(young, "etcd_member_up").state == "held"
    assert of(late, "etcd_member_up").state == "violated"


def test_what_a_member_in_a_minority_says_of_the_others_does_not_count() -> None:
    found = facts({"etcd3": ALONE}, active=ways(etcd1=("etcd3",), etcd2=("etcd3",), etcd3=("etcd1", "etcd2")))

    assert of(found, "etcd_peers_connected", "etcd1").state == "held"
    assert of(found, "etcd_peers_connected", "etcd3").state == "violated"
