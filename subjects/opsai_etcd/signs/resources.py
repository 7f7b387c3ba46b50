"""Signs of what a member lacks: a quick disk, processor time, a quick network, room."""

from statistics import median

from opsai_etcd.seen import ABSENT, Look, Seen, figure, shown, unknown
from opsai_etcd.signs.rule import SignRule
from opsai_etcd.signs.voices import cut_lately

WAL_FACTOR = 3.0
"""Times its peers': below that the load, not its disk, is what all of them feel."""
SCRAPE_FACTOR = 5.0
ANSWER_SECONDS = 0.5
"""Of the plainest question: half an election timeout."""
STUCK_PEERS_RATE = 0.5
QUOTA_NEAR = 0.95
SMOOTHED = "round trips are noted smoothed over minutes, and a way to its peers was lost lately: it is still felt"
"""rafthttp notes the prober's smoothed figure: minutes after a partition it tells of it (seen on 3.4.23)."""


def wal_late(look: Look, entity: str) -> Seen:
    """Its log fsync is late, many times its peers'."""
    return look.over("wal_fsync_p99", entity, floor=look.limit("etcd_wal_fast"), factor=WAL_FACTOR, at_least=3)


def backend_late(look: Look, entity: str) -> Seen:
    """Its backend commit is late, many times its peers'."""
    return look.over("backend_commit_p99", entity, floor=look.limit("etcd_backend_fast"), factor=WAL_FACTOR, at_least=3)


def wal_stuck(look: Look, entity: str) -> Seen:
    """No fsync of its log completes while those of its peers do."""

    def test(index: int, value: float) -> bool:
        peers = look.peer_median("wal_fsyncs", entity, index)
        return value == 0 and peers is not None and peers > STUCK_PEERS_RATE

    seen = look.when("wal_fsyncs", entity, test)
    if seen.state != "shown":
        return seen
    peers = look.peer_median("wal_fsyncs", entity, -1)
    return Seen("shown", f"no fsync, its peers {figure(peers)}/s", seen.active, seen.value, 0, seen.since)


def scrape_late(look: Look, entity: str) -> Seen:
    """It answers its scrape late, many times its peers': it gets too little processor time."""
    return look.over("scrape_seconds", entity, floor=look.limit("etcd_cpu_enough"), factor=SCRAPE_FACTOR, at_least=3)


def answer_late(look: Look, entity: str) -> Seen:
    """It answered our plainest question late."""
    seconds = look.member(entity).answer_seconds
    if seconds is None:
        return unknown("it gave no answer")
    limit = ANSWER_SECONDS
    others = [one for other in look.others(entity) if (one := look.member(other).answer_seconds) is not None]
    if seconds <= limit or (others and seconds <= SCRAPE_FACTOR * sorted(others)[len(others) // 2]):
        return ABSENT
    return shown(f"/version took {seconds:.2f} s", round(seconds, 3), limit=limit)


def rtt_over(look: Look, entity: str) -> Seen:
    """Its round trips to a peer stand above the limit."""
    if cut_lately(look, entity):
        return unknown(SMOOTHED)
    limit = look.limit("etcd_network_fast")
    seen = look.when("peer_rtt_usual", entity, lambda _, value: value > limit, 3)
    if seen.state != "shown" or not isinstance(seen.value, float):
        return seen
    return Seen(
        "shown",
        f"its round trips to a peer take {figure(seen.value)} s",
        seen.active,
        round(seen.value, 4),
        limit,
        seen.since,
    )


def rtt_late(look: Look, entity: str) -> Seen:
    """Its best round trip to its peers is late: the common end of slow ways is the slow one."""
    if look.now("peer_rtt_best", entity) is None:
        return unknown("too few round trips are noted")
    if cut_lately(look, entity):
        return unknown(SMOOTHED)
    return look.over("peer_rtt_best", entity, floor=look.limit("etcd_network_fast") / 2, factor=1.5)


def quota_near(look: Look, entity: str) -> Seen:
    """Its backend has all but reached its quota."""
    ratio = quota_ratio(look, entity)
    if ratio is None:
        return unknown(
            "its quota is not known: the metric etcd_server_quota_backend_bytes has it, and Status from 3.6 on"
        )
    return shown(f"{ratio:.0%} of its quota", round(ratio, 3), limit=QUOTA_NEAR) if ratio > QUOTA_NEAR else ABSENT


def quota_ratio(look: Look, entity: str) -> float | None:
    """Return how much of its quota the backend's file takes."""
    member = look.member(entity)
    if member.db_bytes is not None and member.quota_bytes:
        return member.db_bytes / member.quota_bytes
    return look.now("quota_ratio", entity)


def clock_off(look: Look, entity: str) -> Seen:
    """Its clock differs from the others' by more than the limit."""
    ahead = look.member(entity).clock_ahead_seconds
    told = [one.clock_ahead_seconds for one in look.facts.members if one.clock_ahead_seconds is not None]
    if ahead is None or len(told) < 2:
        return unknown("its answers, or the others', tell no time")
    off, limit = ahead - median(told), look.limit("etcd_clocks_agree")
    if abs(off) <= limit:
        return ABSENT
    where = "ahead of" if off > 0 else "behind"
    return shown(f"{abs(off):.1f} s {where} the others", round(off, 1), limit=limit)


RESOURCES: tuple[SignRule, ...] = (
    SignRule("wal_late", "its log fsync is late", wal_late, metrics=("wal_fsync_p99",)),
    SignRule("backend_late", "its backend commit is late", backend_late, metrics=("backend_commit_p99",)),
    SignRule("wal_stuck", "no fsync of its log completes", wal_stuck, metrics=("wal_fsyncs",)),
    SignRule("scrape_late", "it answers its scrape late", scrape_late, metrics=("scrape_seconds",)),
    SignRule("answer_late", "it answers us late", answer_late),
    SignRule("rtt_late", "its round trips to its peers are late", rtt_late, metrics=("peer_rtt_p99",)),
    SignRule("quota_near", "its backend has all but reached its quota", quota_near, metrics=("quota_ratio", "db_size")),
    SignRule("clock_off", "its clock differs from the others'", clock_off),
)
