"""Looks at what can be seen of the cluster, and how well."""

from statistics import median

from opsai_tikv.facts import CLUSTER, PROMETHEUS
from opsai_tikv.seen import ABSENT, Look, Seen, ago, unknown

TARGET_MISSES = 2
TARGET_GONE = 5
"""Points without any sample, not even a failed scrape: the target was taken out."""
MUTE = ("timed_out", "unroutable", "unresolved", "refused")


def target_unseen(look: Look, entity: str) -> Seen:
    """Prometheus cannot scrape a node that answers otherwise."""
    member = entity in look.members
    group = look.members if member else look.stores
    covered = look.once(f"targets {member}", lambda: any(look.track("up", other) for other in group))
    if not covered:
        return unknown("Prometheus has no target of any such node")
    track = look.track("up", entity)
    if track is None and not look.facts.tracks.known("up"):
        return unknown("what Prometheus scrapes was not told in full")
    if track is None:
        return Seen("shown", "Prometheus has no target for it and has some for others", value="no target")
    port = look.member(entity).client_port if member else look.store(entity).status_port
    if all(point == 0 for point in track.points[-TARGET_MISSES:]) and port == "answered":
        return Seen("shown", "its scrape fails and it answers otherwise", value="down")
    if all(point is None for point in track.points[-TARGET_GONE:]) and port == "answered":
        return Seen("shown", "its samples have ended and it answers otherwise: its target was taken out", value="gone")
    return ABSENT


def mute_to_us(look: Look, entity: str) -> Seen:
    """It gives us no answer while Prometheus scrapes it."""
    member = entity in look.members
    port = look.member(entity).client_port if member else look.store(entity).status_port
    which = "client port" if member else "status port"
    if port == "unknown":
        return unknown(f"its {which} was not asked")
    if port not in MUTE:
        return ABSENT
    if look.now("up", entity) != 1:
        return unknown(f"its {which} does not answer, and Prometheus does not scrape it either")
    return Seen("shown", f"its {which} does not answer us ({port}) and Prometheus scrapes it", value=port)


def log_silent_for_long(look: Look, entity: str) -> Seen:
    """Its log has had no line for long though it runs."""
    log = look.facts.logs.get(entity)
    if log is None:
        return unknown("its log is not readable from here: set `logs`")
    member = entity in look.members
    port = look.member(entity).client_port if member else look.store(entity).status_port
    if port != "answered" and look.now("up", entity) != 1:
        return unknown("nobody sees it run")
    age = ago(look.facts, log.last_at)
    limit = look.limit("log_written")
    if age is None:
        return Seen("shown", "its log has had no line for a day though it runs", value="no line", limit=limit)
    if age > limit:
        return Seen("shown", f"its last log line is {age / 60:.0f} min old", value=round(age), limit=limit)
    return ABSENT


def scrapes_sparse(look: Look, entity: str) -> Seen:
    """Too few scrapes fall into the range that rates are taken over."""
    count = look.now("scrapes_in_range", CLUSTER)
    if count is None:
        return unknown("Prometheus does not say how often it scrapes")
    limit = look.limit("rates_have_samples")
    if count < limit:
        says = f"{count:.0f} scrapes in the range of rates: set `rate_seconds` to four scrape intervals or more"
        return Seen("shown", says, value=count, limit=limit)
    return ABSENT


def source_unseen(look: Look, entity: str) -> Seen:
    """Prometheus as a whole cannot be read, or scrapes none of the nodes."""
    if not look.facts.tracks.by_name:
        why = next((entry.why for entry in look.facts.unread if entry.source == "prometheus"), "")
        if "no Prometheus is set" in why:
            return unknown(why)
        return Seen("shown", f"Prometheus cannot be read: {why[:200]}", value="prometheus")
    tracks = look.facts.tracks.by_name.get("up", {})
    if tracks and all(track.now is None for track in tracks.values()):
        return Seen("shown", "Prometheus answers and has no fresh sample of any node", value="stale")
    if not look.facts.tracks.known("up"):
        return unknown("what Prometheus scrapes was not told in full")
    for says, group in (("stores", look.stores), ("PD members", look.members)):
        if group and not any(look.track("up", entity) for entity in group):
            return Seen("shown", f"Prometheus has a target for none of the {len(group)} {says}", value=says)
    return ABSENT


def our_clock_apart(look: Look, entity: str) -> Seen:
    """Our own clock, or Prometheus's, differs from the nodes' clocks."""
    clocks = {name: ahead for name, ahead in (look.facts.clocks or {}).items() if name != PROMETHEUS}
    if not clocks:
        return unknown("no answer of a node tells the time")
    ahead, limit = median(clocks.values()), look.limit("our_clock_true")
    if abs(ahead) > limit:
        where = "behind" if ahead > 0 else "ahead of"
        says = f"our clock is {abs(ahead):.1f} s {where} the cluster's"
        return Seen("shown", says, value=round(-ahead, 1), limit=limit)
    theirs = (look.facts.clocks or {}).get(PROMETHEUS, ahead) - ahead
    if abs(theirs) > limit:
        where = "ahead of" if theirs > 0 else "behind"
        says = f"Prometheus's clock is {abs(theirs):.1f} s {where} the cluster's"
        return Seen("shown", says, value=round(theirs, 1), limit=limit)
    return ABSENT
