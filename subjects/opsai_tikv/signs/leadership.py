"""Signs of who leads what: leaders lost, moved on purpose or piled up, and quorums."""

from collections.abc import Sequence

from opsai_tikv.facts import StoreFacts, location_labels
from opsai_tikv.regions.majority import is_heard
from opsai_tikv.seen import ABSENT, Look, Seen, unknown
from opsai_tikv.signs.reach import pd_disconnected, process_gone, status_silent
from opsai_tikv.signs.rule import SignRule

FEW_LEADERS = 3.0


def leaders_lost(look: Look, entity: str) -> Seen:
    """It lost nearly all leaders that it had."""
    past = look.before("leaders", entity)
    if past is None or past < FEW_LEADERS:
        return unknown("it led too few regions before to tell")
    now = look.now("leaders", entity)
    if now is None:
        store = look.store(entity)
        if store.leader_count is None:
            return unknown("nobody says how many regions it leads now")
        lost = store.leader_count <= 0.25 * past
        return (
            Seen(
                "shown", f"{store.leader_count} leaders by PD, before {past:.0f}", value=store.leader_count, limit=past
            )
            if lost
            else ABSENT
        )
    return look.fell("leaders", entity, ratio=0.25, at_least=1)


def evicting(look: Look, entity: str) -> Seen:
    """A scheduler moves its leaders away on purpose."""
    if look.facts.schedulers is None:
        return unknown("PD's schedulers are not known")
    name = look.facts.evicting.get(entity)
    return Seen("shown", f"{name} covers it", value=name) if name else ABSENT


def elections(look: Look, entity: str) -> Seen:
    """It called elections: a burst of votes."""
    return look.when("votes", entity, lambda _, value: value > 0.5)


def weight_set(look: Look, entity: str) -> Seen:
    """Its leader or region weight is not 1."""
    store = look.store(entity)
    if not look.facts.stores_known:
        return unknown("PD's stores are not known")
    if store.leader_weight == 1 and store.region_weight == 1:
        return ABSENT
    return Seen(
        "shown",
        f"leader weight {store.leader_weight:g}, region weight {store.region_weight:g}",
        value=store.leader_weight,
        limit=1.0,
    )


def leaders_piled_up(look: Look, entity: str) -> Seen:
    """It leads far more than its share while every store is well."""
    stores = look.once("leading stores", lambda: [one for one in look.facts.data_stores if one.may_lead])
    counts = look.once(
        "leader counts",
        lambda: {store.entity: store.leader_count for store in stores if store.leader_count is not None},
    )
    if not look.store(entity).may_lead:
        return Seen("absent", "its place is to follow: no leaders are meant for it")
    if len(counts) < 2 or len(counts) < len(stores):
        return unknown("PD does not say how many regions each store leads")
    if look.once("a store is not well", lambda: any(_not_well(look, store) for store in stores)):
        return ABSENT
    fair = look.once("fair share", lambda: sum(counts.values()) / len(counts))
    limit = look.limit("leaders_spread")
    if fair >= FEW_LEADERS and counts[entity] > limit * fair:
        says = f"{counts[entity]} leaders, a fair share is {fair:.0f}"
        return Seen("shown", says, value=round(counts[entity] / fair, 2), limit=limit)
    return ABSENT


def _not_well(look: Look, store: StoreFacts) -> bool:
    start = look.track("start_time", store.entity)
    restarted = bool(start and start.now and start.now > look.facts.tracks.start.timestamp())
    # a store that just started has its leaders still coming back
    young = bool(restarted and start and start.now and look.facts.at.timestamp() - start.now < 300)
    slow = (store.slow_score or 0) >= 80
    return store.state != "Up" or young or slow or store.entity in look.facts.evicting or bool(look.facts.unreachable)


def leaving_and_stuck(look: Look, entity: str) -> Seen:
    """It is being taken out and its regions do not leave."""
    store = look.store(entity)
    if not look.facts.stores_known:
        return unknown("PD's stores are not known")
    if store.state != "Offline" or not store.region_count:
        return ABSENT
    track = look.track("regions", entity)
    counted = track is not None and track.before is not None and track.now is not None
    if not counted and is_heard(store):
        return unknown(f"it is leaving with {store.region_count} regions, and no metric tells whether any has left")
    moved = track.before - track.now if track and track.before is not None and track.now is not None else 0.0
    if moved >= 1:
        return Seen("absent", f"it is leaving and has handed over {moved:.0f} regions in the look-back")
    return Seen(
        "shown", f"Offline with {store.region_count} regions and none has left", value=store.region_count, limit=0
    )


def majority_of_stores_gone(look: Look, entity: str) -> Seen:
    """So many stores are gone at once, this one among them, that regions have lost their majority."""
    replicas = look.facts.max_replicas or 3
    gone = look.once("stores gone", lambda: [store for store in look.stores if store_gone(look, store)])
    if look.once("gone in one place", lambda: _isolated(look, gone, replicas)):
        return Seen("absent", "the stores that are gone share a place that holds one copy of a region at most")
    if look.facts.config is None and look.once("gone alike", lambda: _alike(look, gone)):
        return unknown("the stores that are gone share a label, and PD does not say whether it places copies by it")
    if entity in gone and len(gone) > (replicas - 1) // 2 and len(gone) >= 2:
        return Seen(
            "shown",
            f"{len(gone)} stores are gone with {replicas} replicas: {', '.join(gone)}",
            value=len(gone),
            limit=(replicas - 1) // 2,
        )
    return ABSENT


def _isolated(look: Look, gone: Sequence[str], replicas: int) -> bool:
    """Say whether all that is gone stands in one place of a label with as many places as there are copies, or more.

    PD puts no two copies of a region in one such place (pd pkg/schedule/filter location score) where labels are right.
    """
    stores = {store.entity: store for store in look.facts.data_stores}
    for label in location_labels(look.facts):
        values = {store.labels.get(label, "") for store in stores.values()}
        if "" not in values and len(values) >= replicas and len({stores[one].labels[label] for one in gone}) == 1:
            return True
    return False


def _alike(look: Look, gone: Sequence[str]) -> bool:
    """Say whether all that is gone shares a label's value that not every store has."""
    labels = {store.entity: set(store.labels.items()) for store in look.facts.data_stores}
    everywhere = set[tuple[str, str]].intersection(*labels.values()) if labels else set[tuple[str, str]]()
    return bool(gone and set[tuple[str, str]].intersection(*(labels[one] for one in gone)) - everywhere)


def store_gone(look: Look, entity: str) -> bool:
    """Say whether a store neither answers nor reaches PD."""
    mute = process_gone(look, entity).state == "shown" or status_silent(look, entity).state == "shown"
    disconnected = pd_disconnected(look, entity).state
    return mute and disconnected in ("shown", "unknown")


def settings_differ(look: Look, entity: str) -> Seen:
    """Its own settings differ from those of the other stores."""
    if look.facts.store_config is None:
        return unknown("the settings of fewer than three stores could be read")
    differing = look.facts.store_config.get(entity)
    if differing:
        text = ", ".join(f"{name} = {value}" for name, value in sorted(differing.items())[:6])
        return Seen("shown", text, value=len(differing))
    return ABSENT


LEADERSHIP = (
    SignRule("leaders_lost", "it lost its leaders", leaders_lost, metrics=("leaders",)),
    SignRule("evicting", "a scheduler moves its leaders away", evicting, metrics=("leaders",)),
    SignRule("elections", "it calls elections", elections, metrics=("votes",)),
    SignRule("weight_set", "its weight is not 1", weight_set),
    SignRule("leaders_piled_up", "leaders pile up on it", leaders_piled_up, metrics=("leaders",)),
    SignRule("leaving_and_stuck", "it is leaving and cannot", leaving_and_stuck, metrics=("regions",)),
    SignRule(
        "majority_of_stores_gone",
        "stores are gone beyond what replicas cover",
        majority_of_stores_gone,
        metrics=("up",),
    ),
    SignRule("settings_differ", "its settings differ from its peers'", settings_differ),
)
