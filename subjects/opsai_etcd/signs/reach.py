"""Signs of how a member meets us and its peers: gone, silent, cut off, or well."""

from opsai_etcd.api.values import SILENT
from opsai_etcd.seen import ABSENT, Look, Seen, shown, unknown
from opsai_etcd.signs.rule import LOGS, TOPOLOGY, SignRule
from opsai_etcd.signs.voices import voices

SILENT_LOG_SECONDS = 8.0
"""A member without a leader writes of an election every second or two: so long without a line and it does not run."""
AFTER_LOSS_SECONDS = 1.5
"""What it wrote later than that after its peers had lost it, it wrote while they did not reach it."""
STEADY_POINTS = 4
"""Points in a row, a minute, at which its peers had it: then a port that refuses is no dead process."""


def _vouched(look: Look, entity: str) -> bool:
    """Say whether anybody knows the member: another one lists it, or it was scraped. A mistyped address is no dead member."""
    return look.facts.members_known or bool(look.points("up", entity))


def process_gone(look: Look, entity: str) -> Seen:
    """Nothing listens on its client port, or its container has ended."""
    member, end = look.member(entity), look.facts.ends.get(entity)
    if end is not None and not end.running:
        return shown(f"its container has ended ({end.how})", "ended", since=end.ended_at)
    if member.port == "unknown":
        return unknown("its client port was not asked")
    if member.port != "refused":
        return ABSENT
    if end is not None:
        return unknown("its client port refuses connections and its container runs: the way to it may be closed")
    if log_goes_on(look, entity).state == "shown":
        return unknown("its client port refuses connections and its log goes on: the way to it may be closed")
    if not _vouched(look, entity):
        return unknown("it refuses the connection and nobody has ever seen it: is its address right?")
    if _steady(look, entity):
        return unknown("it refuses our connection and its peers have it: is its client address right?")
    return shown("its client port refuses connections", "refused", since=voices(look, entity).since)


def _steady(look: Look, entity: str) -> bool:
    """Say whether its peers have had it for the last minute, by their metrics."""
    said = voices(look, entity)
    if not said.had_by or said.lost_by or look.member(entity).id in look.facts.met:
        return False  # a way that was open before is the right one: metrics are a scrape late
    ways = [look.facts.active.get(teller, {}).get(entity) for teller in said.had_by]
    return all(way is not None and all(point == 1 for point in way.points[-STEADY_POINTS:]) for way in ways)


def port_refuses_alone(look: Look, entity: str) -> Seen:
    """Its client port refuses connections though its process runs."""
    if look.member(entity).port != "refused":
        return ABSENT
    gone = process_gone(look, entity)
    return shown(gone.says, "refused") if gone.state == "unknown" else ABSENT


def process_runs(look: Look, entity: str) -> Seen:
    """Its container runs, or its log went on after its peers had lost it."""
    end = look.facts.ends.get(entity)
    if end is not None and end.running:
        return shown("its container runs", "running")
    seen = log_goes_on(look, entity)
    return seen if seen.state != "unknown" else unknown("neither a container runtime nor its log says whether it runs")


def port_silent(look: Look, entity: str) -> Seen:
    """Its client port gives no answer."""
    member = look.member(entity)
    if member.port == "unknown":
        return unknown("its client port was not asked")
    if member.port not in SILENT:
        return ABSENT
    return shown(member.why or member.port, member.port)


def port_hangs(look: Look, entity: str) -> Seen:
    """Its client port takes the connection and says nothing."""
    seen = port_silent(look, entity)
    return seen if seen.state == "unknown" or seen.value in ("timed_out", "disconnected") else ABSENT


def port_cut_off(look: Look, entity: str) -> Seen:
    """No connection to its client port comes about."""
    seen = port_silent(look, entity)
    return seen if seen.state == "unknown" or seen.value == "cut_off" else ABSENT


def answers(look: Look, entity: str) -> Seen:
    """It answers on its client port."""
    member = look.member(entity)
    if member.port == "unknown":
        return unknown("its client port was not asked")
    return shown(f"/version in {member.answer_seconds or 0:.3f} s") if member.port == "answered" else ABSENT


def lost_by_peers(look: Look, entity: str) -> Seen:
    """Every other member that tells has lost it."""
    said = voices(look, entity)
    if said.lost_by and not said.had_by:
        return shown(f"lost by {', '.join(said.lost_by)}", len(said.lost_by), since=said.since)
    if not said.lost_by and not said.had_by:
        return unknown("no other member tells whether it has it: neither its metrics nor its log are read")
    return ABSENT


def had_by_peers(look: Look, entity: str) -> Seen:
    """Every other member that tells has it."""
    said = voices(look, entity)
    if said.had_by and not said.lost_by:
        return shown(f"{', '.join(said.had_by)} have it", len(said.had_by))
    if not said.lost_by and not said.had_by:
        return unknown("no other member tells whether it has it: neither its metrics nor its log are read")
    return ABSENT


def scrape_fails(look: Look, entity: str) -> Seen:
    """Its metrics cannot be scraped."""
    points = look.points("up", entity)
    if not points:
        return unknown("its metrics are not scraped")
    return shown("the last two scrapes failed", 0) if not any(points[-2:]) else ABSENT


def lost_by_some(look: Look, entity: str) -> Seen:
    """Some other members have lost it, and others have it."""
    said = voices(look, entity)
    if said.lost_by and said.had_by:
        says = f"lost by {', '.join(said.lost_by)}, and {', '.join(said.had_by)} have it"
        return shown(says, len(said.lost_by), since=said.since)
    if not said.lost_by and not said.had_by:
        return unknown("no other member tells whether it has it")
    return ABSENT


def log_silent(look: Look, entity: str) -> Seen:
    """Its log has stopped, and not after its peers had lost it."""
    log = look.facts.logs.get(entity)
    age = look.ago(log.last_at) if log else None
    if log is None or age is None:
        return unknown("its log is not readable from here, or has no line of the last day")
    if log_goes_on(look, entity).state == "shown" or look.member(entity).port == "answered":
        return ABSENT  # a member that is well may write nothing for hours
    if age < SILENT_LOG_SECONDS:
        return unknown(f"its last log line is {age:.0f} s old: too young to tell")
    return shown(f"its last log line is {age:.0f} s old", round(age, 1), since=log.last_at)


def log_goes_on(look: Look, entity: str) -> Seen:
    """Its log went on after its peers had lost it."""
    log, since = look.facts.logs.get(entity), voices(look, entity).since
    if log is None or log.last_at is None:
        return unknown("its log is not readable from here, or has no line of the last day")
    if since is None:
        return unknown("when its peers lost it is not known")
    started = log.patterns.get("started")
    if started is not None and started.last_at > since:
        return ABSENT  # another process wrote it
    after = (log.last_at - since).total_seconds()
    if after > AFTER_LOSS_SECONDS:
        return shown(f"its last line is {after:.0f} s younger than the loss", round(after, 1), since=log.last_at)
    return ABSENT


def sees_no_leader(look: Look, entity: str) -> Seen:
    """It answers and sees no leader, while another member has one."""
    member, has = look.member(entity), look.now("has_leader", entity)
    if member.leader_id is None and (has is None or member.port != "answered"):
        return unknown("its own view of the leader is not known")
    if member.leader_id or (member.leader_id is None and has == 1):
        return ABSENT
    led = [other for other in look.others(entity) if look.member(other).leader_id]
    return shown(f"it sees no leader, and {', '.join(led)} do", "no leader") if led else ABSENT


def never_started(look: Look, entity: str) -> Seen:
    """It was added and has never started: it counts for the majority and casts no vote."""
    member = look.member(entity)
    if not look.facts.members_known:
        return unknown("no member says who the members are")
    if member.started or member.is_learner:
        return ABSENT  # a learner does not count
    return shown(f"it is listed with {member.peer_address} and has no name", "not started")


REACH: tuple[SignRule, ...] = (
    SignRule("process_gone", "its process is gone", process_gone, metrics=("up",), reads=(TOPOLOGY,)),
    SignRule("process_runs", "its process runs", process_runs, reads=(LOGS,)),
    SignRule("port_silent", "its client port gives no answer", port_silent, metrics=("up",), reads=(TOPOLOGY,)),
    SignRule("port_hangs", "its client port takes connections and says nothing", port_hangs, reads=(TOPOLOGY,)),
    SignRule("port_cut_off", "no connection to its client port comes about", port_cut_off, reads=(TOPOLOGY,)),
    SignRule("port_refuses_alone", "its client port refuses and its process runs", port_refuses_alone, reads=(LOGS,)),
    SignRule("scrape_fails", "its metrics cannot be scraped", scrape_fails, metrics=("up",)),
    SignRule("had_by_peers", "the other members have it", had_by_peers, reassures=True, metrics=("active_peers",)),
    SignRule("answers", "it answers on its client port", answers, reassures=True, reads=(TOPOLOGY,)),
    SignRule("lost_by_peers", "the other members have lost it", lost_by_peers, metrics=("active_peers",)),
    SignRule("lost_by_some", "some of the other members have lost it", lost_by_some, metrics=("active_peers",)),
    SignRule("log_silent", "its log has stopped", log_silent, reads=(LOGS,)),
    SignRule("log_goes_on", "its log went on after its peers had lost it", log_goes_on, reads=(LOGS,)),
    SignRule(
        "sees_no_leader", "it sees no leader and others do", sees_no_leader, metrics=("has_leader",), reads=(TOPOLOGY,)
    ),
    SignRule("never_started", "it was added and has never started", never_started, reads=(TOPOLOGY,)),
)
