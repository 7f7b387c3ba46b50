"""Signs of a PD member: who reaches it, whether it led, its disk, network and processor."""

from dataclasses import replace

from opsai_tikv.seen import ABSENT, Look, Seen, ago, figure, unknown
from opsai_tikv.signs.process import restarts
from opsai_tikv.signs.reach import LOG_SILENT_SECONDS, leader_is_new, port_answers, port_is_silent, port_refuses
from opsai_tikv.signs.rule import SignRule


def _ever_met(look: Look, entity: str) -> bool:
    """Say whether anybody vouches for the member: one that answers lists it, or Prometheus has had it as a target.

    An address that never answered from here may be mistyped, or we may be the one cut off: that is no sign that it is down.
    """
    return look.once(
        "a member answers", lambda: any(member.client_port == "answered" for member in look.facts.members)
    ) or (look.track("up", entity) is not None)


def member_refused(look: Look, entity: str) -> Seen:
    """Nothing listens on its client port."""
    port = look.member(entity).client_port
    if port == "refused" and not _ever_met(look, entity):
        return unknown("it refuses the connection and nobody has ever seen it: is its address right?")
    return port_refuses(look, entity, port, "client port")


def member_silent(look: Look, entity: str) -> Seen:
    """Its client port gives no answer in time."""
    port = look.member(entity).client_port
    if port in ("timed_out", "unroutable") and not _ever_met(look, entity):
        return unknown("it gives no answer and nobody has ever seen it: can it be reached from here?")
    return port_is_silent(look, entity, port, "client port")


def member_answers(look: Look, entity: str) -> Seen:
    """It answers on its client port."""
    return port_answers(look, entity, look.member(entity).client_port, "client port")


def was_leader(look: Look, entity: str) -> Seen:
    """It leads PD, or led when it was last seen well."""
    if look.member(entity).is_leader:
        return Seen("shown", "it is the PD leader", value="leader")
    led = _led(look, entity, "leading") or _led(look, entity, "etcd_leading")
    if not led:
        return _led_by_logs(look, entity)
    return Seen("shown", "it led when it was last seen well", value="led") if any(led[-3:]) else ABSENT


def led_lately(look: Look, entity: str) -> Seen:
    """It led PD at some point of the look-back."""
    led = _led(look, entity, "leading")
    if not led:
        return _led_by_logs(look, entity)
    return Seen("shown", "it led PD within the look-back", value="led") if any(led) else ABSENT


def _led(look: Look, entity: str, name: str) -> list[bool]:
    """Return whether it led at each moment that Prometheus knows of, oldest first."""
    track = look.track(name, entity)
    return [point == 1 for point in track.points if point is not None] if track else []


def _led_by_logs(look: Look, entity: str) -> Seen:
    """Say from the other members' logs whether it led: each says whom it lost, by etcd's id, and PD's leader is etcd's.

    Where none of them lost a leader, the one that leads now did all along.
    """
    ident = look.member(entity).member_id
    logs = [look.facts.logs[other] for other in look.members if other != entity and other in look.facts.logs]
    heard = [log for log in logs if log.lines]
    if not heard or look.facts.leader is None or not ident.isdecimal():
        return unknown("neither Prometheus nor the other members' logs say who led before")
    lost = [log.patterns["etcd_leader_lost"] for log in heard if "etcd_leader_lost" in log.patterns]
    name = f"{int(ident):x}"
    mine = [count for count in lost if f"lost leader {name} " in count.sample]
    if not mine:
        return ABSENT
    since = min(count.last_at for count in mine)
    return Seen("shown", f"{len(mine)} other members lost it as their leader", value="led", since=since)


def leader_history(look: Look) -> list[str]:
    """Return the PD leaders of the look-back in order, consecutive ones folded."""
    names: list[str] = []
    count = max((len(track.points) for track in look.facts.tracks.by_name.get("leading", {}).values()), default=0)
    for index in range(count):
        leading: list[str] = []
        for member in look.members:
            track = look.track("leading", member)
            if track and track.points[index] == 1:
                leading.append(member)
        if len(leading) == 1 and (not names or names[-1] != leading[0]):
            names.append(leading[0])
    return names


def leader_changes(look: Look) -> int:
    """Return how often the PD leader changed within the look-back, changes that an orderly stop explains left out."""
    stops = sum(log.patterns["pd_stop"].count for log in look.facts.logs.values() if "pd_stop" in log.patterns)
    return max(0, len(leader_history(look)) - 1 - stops)


def leader_flaps(look: Look, entity: str) -> Seen:
    """The PD leader changed at least twice within the look-back, and this member led."""
    if not look.facts.tracks.known("leading"):
        return unknown("Prometheus does not say who led before")
    count = leader_changes(look)
    limit = look.limit("pd_leader_stable")
    if count > limit and led_lately(look, entity).state == "shown":
        return Seen("shown", f"{count} changes of the PD leader", value=count, limit=limit)
    return ABSENT


def member_isolated(look: Look, entity: str) -> Seen:
    """It answers and sees no leader, while other members have one."""
    member = look.member(entity)
    has = look.now("etcd_has_leader", entity)
    others = [other for other in look.facts.members if other.entity != entity]
    led = any(other.sees_leader or other.is_leader for other in others)
    if member.sees_leader == "" or has == 0:
        return Seen("shown", "it sees no leader and other members have one", value="isolated") if led else ABSENT
    return (
        ABSENT
        if member.sees_leader is not None or has is not None
        else unknown("its own view of the leader is not known")
    )


def majority_of_members_gone(look: Look, entity: str) -> Seen:
    """More than half of the members are gone or cut off, this one among them."""
    gone = [member.entity for member in look.facts.members if _gone(look, member.entity)]
    if entity in gone and 2 * len(gone) > len(look.facts.members):
        return Seen(
            "shown",
            f"{len(gone)} of {len(look.facts.members)} members do not answer",
            value=len(gone),
            limit=len(look.facts.members) // 2,
        )
    return ABSENT


def _gone(look: Look, entity: str) -> bool:
    if member_refused(look, entity).state == "shown":
        return True
    # a survivor without a majority may be too slow to answer and still be scraped: it is not gone
    return member_silent(look, entity).state == "shown" and look.now("up", entity) != 1


def stores_cut_from_pd(look: Look, entity: str) -> Seen:
    """Every store has lost PD while its members answer each other."""
    stores = look.facts.data_stores
    if not stores or not look.facts.stores_known:
        return unknown("PD's stores are not known")
    if not look.member(entity).is_leader:
        return ABSENT
    if leader_is_new(look):
        return unknown("the PD leader changed less than a minute ago: stores are only coming back to it")
    ages = [store.heartbeat_age_seconds for store in stores]
    late = [age for age in ages if age is not None and age > 25]
    if len(late) < len(stores):
        return ABSENT
    reconnecting = [store.entity for store in stores if (look.now("pd_reconnects", store.entity) or 0) > 0.5]
    alive = [store.entity for store in stores if store.status_port == "answered"]
    if len({*reconnecting, *alive}) >= len(stores) / 2:
        says = f"no heartbeat of any of {len(stores)} stores, {len(reconnecting)} keep reconnecting, {len(alive)} answer us"
        return Seen("shown", says, value=len(late))
    return ABSENT


def member_log_silent(look: Look, entity: str) -> Seen:
    """Its log has stopped while the other members' logs go on."""
    log = look.facts.logs.get(entity)
    age = ago(look.facts, log.last_at) if log else None
    others = [
        ago(look.facts, look.facts.logs[other].last_at) for other in look.peers_of(entity) if other in look.facts.logs
    ]
    if log is None or age is None:
        return unknown("its log is not readable from here, or has no line in the look-back")
    if age > LOG_SILENT_SECONDS and any(other is not None and other < age - 10 for other in others):
        return Seen("shown", f"its last log line is {age:.0f} s old", value=round(age, 1), since=log.last_at)
    return ABSENT


def member_log_goes_on(look: Look, entity: str) -> Seen:
    """Its log goes on while nobody reaches it."""
    log = look.facts.logs.get(entity)
    age = ago(look.facts, log.last_at) if log else None
    if log is None or age is None:
        return unknown("its log is not readable from here, or has no line in the look-back")
    return (
        Seen("shown", f"its last log line is {age:.0f} s old", value=round(age, 1))
        if age <= LOG_SILENT_SECONDS
        else ABSENT
    )


def wal_late(look: Look, entity: str) -> Seen:
    """The fsync of its etcd log is late."""
    return look.over("wal_fsync_p99", entity, floor=look.limit("pd_disk_fast"), factor=4, own=3)


def wal_stuck(look: Look, entity: str) -> Seen:
    """Its etcd log completes no fsync while its peers' do."""
    past = look.before("wal_fsync_rate", entity) or 0
    if past < 0.5:
        return unknown("it wrote too little before to tell")

    def also(index: int, value: float) -> bool:
        return (look.peer_median("wal_fsync_rate", entity, index) or 0.0) > 0.3 * past

    return look.fell("wal_fsync_rate", entity, ratio=0.05, also=also)


def rtt_late(look: Look, entity: str) -> Seen:
    """Its way to most other members is late."""
    return look.over("peer_rtt_best", entity, floor=look.limit("pd_network_fast"), factor=3, own=3)


def rtt_late_at_times(look: Look, entity: str) -> Seen:
    """Some of its messages to the other members are late and most are not: loss."""
    often = rtt_late(look, entity)
    if often.state == "shown":
        return ABSENT
    return look.over("peer_rtt_p99", entity, floor=0.1, factor=2, own=4)


def member_cpu_late(look: Look, entity: str) -> Seen:
    """Its goroutines wait for a processor, or its disk, network and metrics page are late together."""
    waiting = look.over("schedule_latency_p99", entity, floor=look.limit("pd_cpu_enough"), factor=5, own=5)
    if waiting.state == "shown":
        return waiting
    together = [sign(look, entity) for sign in (wal_late, rtt_late, member_scrape_late)]
    if all(seen.state == "shown" for seen in together):
        says = "; ".join(seen.says for seen in together)
        return Seen("shown", says, all(seen.active for seen in together), len(together), 3)
    return waiting


def member_scrape_late(look: Look, entity: str) -> Seen:
    """Answering a scrape takes it long."""
    return look.over("scrape_seconds", entity, floor=0.8, factor=4, own=4)


def member_restarted(look: Look, entity: str) -> Seen:
    """Its process restarted within the look-back."""
    count = restarts(look, entity)
    if count is None:
        return unknown("its start time is not known")
    return Seen("shown", f"{count} restarts", look.now("up", entity) == 1, count) if count else ABSENT


def member_crashed(look: Look, entity: str) -> Seen:
    """Its process restarted and its log tells of no order to stop."""
    again = member_restarted(look, entity)
    if again.state != "shown":
        return again
    log = look.facts.logs.get(entity)
    if log is None:
        return unknown("its log is not readable: an orderly stop cannot be told from a crash")
    return ABSENT if "pd_stop" in log.patterns else again


def member_crashed_and_back(look: Look, entity: str) -> Seen:
    """It died unasked and serves again: that is over."""
    seen = member_crashed(look, entity)
    back = look.now("up", entity) == 1
    return replace(seen, active=False) if seen.state == "shown" and back else seen


def member_disk_full(look: Look, entity: str) -> Seen:
    """Its log says there is no space left."""
    return _logged(look, entity, "no_space")


def member_disk_error(look: Look, entity: str) -> Seen:
    """Its log tells of a failing disk."""
    return _logged(look, entity, "disk_error")


def _logged(look: Look, entity: str, pattern: str) -> Seen:
    log = look.facts.logs.get(entity)
    if log is None:
        return unknown("its log is not readable")
    found = log.patterns.get(pattern)
    return Seen("shown", found.sample, value=found.count, since=found.first_at) if found else ABSENT


def quota_near(look: Look, entity: str) -> Seen:
    """Its etcd database is near its quota."""
    ratio = look.now("etcd_quota_ratio", entity)
    if ratio is None:
        return unknown("the size of its database is not known")
    limit = look.limit("pd_disk_space")
    return Seen("shown", f"{figure(ratio)} of the quota", value=ratio, limit=limit) if ratio > limit else ABSENT


MEMBERS = (
    SignRule("member_refused", "nothing listens on it", member_refused, metrics=("up",)),
    SignRule("member_silent", "it takes connections and says nothing", member_silent, metrics=("up",)),
    SignRule("member_answers", "it answers", member_answers, reassures=True),
    SignRule("was_leader", "it led PD", was_leader, metrics=("pd_leader",)),
    SignRule("led_lately", "it led PD within the look-back", led_lately, metrics=("pd_leader",)),
    SignRule(
        "leader_flaps",
        "the PD leader changes again and again",
        leader_flaps,
        metrics=("pd_leader", "etcd_leader_changes"),
    ),
    SignRule("member_isolated", "it is cut off from the other members", member_isolated, metrics=("etcd_has_leader",)),
    SignRule(
        "majority_of_members_gone", "most members are gone", majority_of_members_gone, metrics=("up", "etcd_has_leader")
    ),
    SignRule("stores_cut_from_pd", "every store has lost PD", stores_cut_from_pd, metrics=("pd_reconnects",)),
    SignRule("member_log_silent", "its log has stopped", member_log_silent),
    SignRule("member_log_goes_on", "its log goes on", member_log_goes_on, reassures=True),
    SignRule("wal_late", "its etcd log's fsync is late", wal_late, metrics=("wal_fsync_p99",)),
    SignRule("wal_stuck", "its etcd log completes no fsync", wal_stuck),
    SignRule("rtt_late", "its way to the other members is late", rtt_late, metrics=("peer_rtt_p99",)),
    SignRule(
        "rtt_late_at_times",
        "some of its messages to the other members are late",
        rtt_late_at_times,
        metrics=("peer_rtt_p99",),
    ),
    SignRule("member_cpu_late", "it waits for a processor", member_cpu_late, metrics=("pd_cpu_cores",)),
    SignRule("member_scrape_late", "answering a scrape takes it long", member_scrape_late),
    SignRule("member_restarted", "its process restarted", member_restarted),
    SignRule("member_crashed_and_back", "its process died and is back", member_crashed_and_back, metrics=("uptime",)),
    SignRule("member_disk_full", "its disk is full", member_disk_full),
    SignRule("member_disk_error", "its disk fails", member_disk_error),
    SignRule("quota_near", "its etcd database is near its quota", quota_near, metrics=("etcd_quota_ratio",)),
)
