"""Signs of who reaches a store: PD, its peers, Prometheus and we."""

from opsai_tikv.pd.values import Outcome
from opsai_tikv.seen import ABSENT, Look, Seen, ago, unknown
from opsai_tikv.signs.rule import SignRule

REFUSED_SCRAPE_SECONDS = 0.1
"""A scrape that fails within this time was refused: a time-out takes Prometheus its whole scrape_timeout."""
SILENT_SCRAPE_SECONDS = 1.0
DISCONNECT_SECONDS = 20.0
"""pd pkg/core/store.go storeDisconnectDuration."""
LEADER_SETTLE_SECONDS = 45.0
"""A new PD leader knows heartbeats that are up to 5 min old until each store's next one, 10 s apart (pd storePersistInterval)."""
FLIPS = 4.0
"""Changes of `up` within 5 minutes: one break makes two."""
HEARTBEATS_SETTLE_SECONDS = 180.0
LOG_SILENT_SECONDS = 30.0


def port_refuses(look: Look, entity: str, port: Outcome, which: str) -> Seen:
    """Nothing listens on a port that was asked, or, if it was not, Prometheus's scrape fails at once."""
    if port == "refused":
        return Seen("shown", f"its {which} refuses the connection", value="refused")
    if port in ("answered", "error", "timed_out", "unroutable"):
        return ABSENT
    up, seconds = look.now("up", entity), look.now("scrape_seconds", entity)
    if up == 0 and seconds is not None and seconds < REFUSED_SCRAPE_SECONDS:
        return Seen("shown", f"Prometheus's scrape fails after {seconds * 1000:.1f} ms", value="refused")
    return ABSENT if up is not None else _unasked(port, which)


def port_is_silent(look: Look, entity: str, port: Outcome, which: str) -> Seen:
    """A port that was asked gives no answer in time, or, if it was not, Prometheus's scrape times out."""
    if port == "timed_out":
        return Seen("shown", f"its {which} gives no answer in time", value="timed_out")
    if port == "unroutable":
        return Seen("shown", f"no route leads to its {which}", value="unroutable")
    if port in ("answered", "error", "refused"):
        return ABSENT
    up, seconds = look.now("up", entity), look.now("scrape_seconds", entity)
    if up == 0 and seconds is not None and seconds >= SILENT_SCRAPE_SECONDS:
        return Seen("shown", f"Prometheus's scrape times out after {seconds:.1f} s", value="timed_out")
    return ABSENT if up is not None else _unasked(port, which)


def port_answers(look: Look, entity: str, port: Outcome, which: str) -> Seen:
    """A port that was asked answers, or, if it was not, Prometheus scrapes it."""
    if port in ("answered", "error"):
        return Seen("shown", f"its {which} answers", value=port)
    if port in ("refused", "timed_out", "unroutable"):
        return ABSENT
    up = look.now("up", entity)
    if up == 1:
        return Seen("shown", "Prometheus scrapes it", value="scraped")
    return ABSENT if up == 0 else _unasked(port, which)


def _unasked(port: Outcome, which: str) -> Seen:
    why = "its host's name is not known here" if port == "unresolved" else f"its {which} was not asked"
    return unknown(f"{why} and Prometheus has no target for it")


def process_gone(look: Look, entity: str) -> Seen:
    """Nothing listens on its status port."""
    return port_refuses(look, entity, look.store(entity).status_port, "status port")


def status_silent(look: Look, entity: str) -> Seen:
    """Its status port takes the connection or drops it, and says nothing."""
    return port_is_silent(look, entity, look.store(entity).status_port, "status port")


def status_answers(look: Look, entity: str) -> Seen:
    """Its process answers on the status port."""
    return port_answers(look, entity, look.store(entity).status_port, "status port")


def pd_disconnected(look: Look, entity: str) -> Seen:
    """Its heartbeats do not reach PD."""
    store = look.store(entity)
    age = store.heartbeat_age_seconds
    if age is None:
        return unknown("PD does not say when it last heard from it")
    if leader_is_new(look):
        return unknown("the PD leader changed less than a minute ago: heartbeat times are not yet fresh")
    # PD itself says Disconnected after 20 s; only an Offline or unnamed state hides whether the store is alive
    limit = look.limit("store_up")
    lost = store.state in ("Disconnected", "Down") and limit <= DISCONNECT_SECONDS
    if lost or (store.state != "Up" and age > limit):
        return Seen(
            "shown",
            f"PD says {store.state}, last heartbeat {age:.0f} s ago",
            value=round(age, 1),
            limit=limit,
        )
    return ABSENT


def leader_is_new(look: Look, settle_seconds: float = LEADER_SETTLE_SECONDS) -> bool:
    """Say whether the PD leader took over so lately that its store states are not yet to be trusted."""
    leader = look.facts.leader
    track = look.track("leading", leader) if leader else None
    if track is None:
        return False
    back = int(settle_seconds / look.facts.tracks.step_seconds) + 1
    others = [look.track("leading", member) for member in look.members if member != leader]
    led_before = any(other and any(point == 1 for point in other.points[-back - 1 :]) for other in others)
    return led_before or (
        track.now == 1 and track.points[-back] != 1 and any(point is not None for point in track.points[:-back])
    )


def peers_accuse(look: Look, entity: str) -> Seen:
    """The other stores report that they cannot reach it."""
    return _accused(look, entity, share=0.5)


def one_peer_accuses(look: Look, entity: str) -> Seen:
    """One other store, and not most of them, reports that it cannot reach it."""
    everyone = _accused(look, entity, share=0.5)
    if everyone.state != "absent":
        return ABSENT if everyone.state == "shown" else everyone
    return _accused(look, entity, share=0.0)


def _reporters(look: Look, entity: str) -> list[str]:
    return [
        reporter
        for reporter, targets in look.facts.unreachable.items()
        if targets.get(entity, 0.0) > look.limit("store_reachable")
    ]


def _accused(look: Look, entity: str, share: float) -> Seen:
    if not look.facts.tracks.known("accused"):
        return unknown("the stores' reports of unreachable peers could not be queried")
    others = look.once("scraped stores", lambda: sum(look.now("up", store) == 1 for store in look.stores))
    others -= look.now("up", entity) == 1
    limit = look.limit("store_reachable")
    if others <= 0:
        return unknown("no other store could be asked")
    now = _reporters(look, entity)
    if len(now) > share * others or (share and len(now) == others):
        rate = sum(look.facts.unreachable[reporter][entity] for reporter in now)
        since = look.when("accused", entity, lambda _, value: value > limit, 1).since
        return Seen(
            "shown",
            f"{len(now)} of {others} other stores report it unreachable",
            value=round(rate, 2),
            limit=limit,
            since=since,
        )
    if now or not share:
        return ABSENT
    past = look.when("accused", entity, lambda _, value: value > limit)
    if past.state == "shown":
        return Seen(
            "shown", "was reported unreachable by other stores", active=False, value=past.value, since=past.since
        )
    return ABSENT


def accuses_peers(look: Look, entity: str) -> Seen:
    """It reports that it cannot reach other stores that others do reach."""
    if not look.facts.tracks.known("unreachable_reports"):
        return unknown("its reports of unreachable peers could not be queried")
    if look.now("up", entity) != 1:
        return _log_accuses_stores(look, entity)
    limit = look.limit("store_reachable")
    accused = [target for target, rate in look.facts.unreachable.get(entity, {}).items() if rate > limit]
    alone = [target for target in accused if not _accused_by_others(look, target, entity)]
    if alone:
        return Seen("shown", f"it cannot reach {', '.join(sorted(alone))}, which others reach", value=len(alone))
    return ABSENT


def _accused_by_others(look: Look, target: str, reporter: str) -> bool:
    others = [other for other in look.peers_of(reporter) if other != target and look.now("up", other) == 1]
    return any(other in _reporters(look, target) for other in others) if others else False


def _log_accuses_stores(look: Look, entity: str) -> Seen:
    log = look.facts.logs.get(entity)
    if log is None:
        return unknown("it cannot be scraped and its log is not readable")
    addresses = {store.address: store.entity for store in look.facts.stores}
    accused = sorted(
        addresses[address] for address in log.accuses if address in addresses and addresses[address] != entity
    )
    if accused:
        return Seen("shown", f"its log says it cannot reach {', '.join(accused)}", value=len(accused))
    return ABSENT


def log_silent(look: Look, entity: str) -> Seen:
    """Its log has stopped."""
    log = look.facts.logs.get(entity)
    if log is None:
        return unknown("its log is not readable from here")
    age = ago(look.facts, log.last_at)
    if age is None:
        return unknown("its log has no line in the look-back")
    if age > LOG_SILENT_SECONDS:
        return Seen(
            "shown",
            f"its last log line is {age:.0f} s old",
            value=round(age, 1),
            limit=LOG_SILENT_SECONDS,
            since=log.last_at,
        )
    return ABSENT


def log_goes_on(look: Look, entity: str) -> Seen:
    """Its log goes on while nobody reaches it."""
    silent = log_silent(look, entity)
    if silent.state == "unknown":
        return silent
    return ABSENT if silent.state == "shown" else Seen("shown", "its log goes on", value="writing")


def pd_reconnecting(look: Look, entity: str) -> Seen:
    """It keeps reconnecting to PD while the other stores do not."""
    limit = look.limit("store_pd_link")

    def test(index: int, value: float) -> bool:
        peers = look.peer_median("pd_reconnects", entity, index)
        return value > limit and peers is not None and peers < 0.1 * value

    seen = look.when("pd_reconnects", entity, test)
    if seen.state != "shown":
        return seen
    return Seen(
        "shown", f"{seen.value:.1f} reconnects/s, other stores none", seen.active, seen.value, limit, seen.since
    )


def heartbeats_missing(look: Look, entity: str) -> Seen:
    """PD hears nothing of the regions it leads, and hears the other stores' regions."""
    leaders = look.now("leaders", entity)
    track = look.track("region_heartbeats", entity)
    if leaders is None or track is None or track.now is None:
        return unknown("its leaders or PD's count of its region heartbeats are not known")
    if leaders < 3:
        return ABSENT
    if leader_is_new(look, HEARTBEATS_SETTLE_SECONDS):
        return unknown("the PD leader changed lately: region heartbeats are only coming back to it")
    last = track.points[-6:]
    heard = look.peer_median("region_heartbeats", entity)
    if all(point == 0 for point in last) and len(last) == 6 and heard:
        return Seen("shown", f"it leads {leaders:.0f} regions and PD got no region heartbeat of it for 75 s", value=0.0)
    return ABSENT


def unreachable_again_and_again(look: Look, entity: str) -> Seen:
    """The other stores lose it and find it again, repeatedly."""
    track = look.track("accused", entity)
    flips = look.now("up_flips", entity)
    limit = look.limit("store_reachable")
    lost = track is not None and (track.peak or 0.0) > limit  # else it is the monitoring alone
    if flips is not None and flips >= FLIPS and lost:
        return Seen(
            "shown",
            f"its scrape failed and succeeded {flips:.0f} times in turn within 5 minutes",
            value=flips,
            limit=FLIPS,
        )
    if track is None:
        return unknown("the stores' reports of unreachable peers could not be queried")
    hits = [point is not None and point > limit for point in track.points]
    starts = sum(1 for index, hit in enumerate(hits) if hit and (index == 0 or not hits[index - 1]))
    if starts >= 3:
        return Seen("shown", f"{starts} times in the look-back", any(hits[-4:]), starts, 3)
    return ABSENT


def store_recently_troubled(look: Look, stores: tuple[str, ...]) -> bool:
    """Say whether one of these stores was not scraped, restarted or lost most leaders within the look-back."""
    for entity in stores:
        up, start, leaders = (look.track(name, entity) for name in ("up", "start_time", "leaders"))
        if up is None or any(point == 0 for point in up.points):
            return True
        if start and start.now and start.before is not None and start.now > start.before + 2:
            return True
        if leaders and leaders.before and (leaders.now or 0) < 0.3 * leaders.before:
            return True
    return False


REACH = (
    SignRule("process_gone", "nothing listens on it", process_gone, metrics=("up",)),
    SignRule("status_silent", "it takes connections and says nothing", status_silent, metrics=("up",)),
    SignRule("status_answers", "its process answers", status_answers, reassures=True),
    SignRule(
        "pd_disconnected",
        "its heartbeats do not reach PD",
        pd_disconnected,
        metrics=("region_heartbeats", "store_states"),
    ),
    SignRule("peers_accuse", "most other stores cannot reach it", peers_accuse, metrics=("unreachable_reports",)),
    SignRule("one_peer_accuses", "one other store cannot reach it", one_peer_accuses, metrics=("unreachable_reports",)),
    SignRule(
        "accuses_peers", "it cannot reach stores that others reach", accuses_peers, metrics=("unreachable_reports",)
    ),
    SignRule("log_silent", "its log has stopped", log_silent),
    SignRule("log_goes_on", "its log goes on", log_goes_on, reassures=True),
    SignRule("pd_reconnecting", "it alone keeps reconnecting to PD", pd_reconnecting, metrics=("pd_reconnects",)),
    SignRule(
        "heartbeats_missing",
        "its region heartbeats do not reach PD",
        heartbeats_missing,
        metrics=("region_heartbeats",),
    ),
    SignRule(
        "unreachable_again_and_again",
        "it is lost and found again and again",
        unreachable_again_and_again,
        metrics=("up", "unreachable_reports"),
    ),
)
