"""Signs of places: a machine or zone whose stores are gone together, and labels that do not say where a store is."""

from opsai_tikv.facts import StoreFacts, location_labels, places
from opsai_tikv.seen import ABSENT, Look, Seen, unknown
from opsai_tikv.signs.leadership import store_gone
from opsai_tikv.signs.rule import SignRule

NAMED = 8


def place_gone(look: Look, entity: str) -> Seen:
    """Every store of the place is gone, and stores elsewhere are not."""
    inside = stores_of(look, entity)
    gone = look.once("stores gone", lambda: [store for store in look.stores if store_gone(look, store)])
    here = [store for store in inside if store in gone]
    if not inside or len(here) < len(inside) or len(gone) == len(look.stores):
        return ABSENT
    more = f" and {len(here) - NAMED} more" if len(here) > NAMED else ""
    return Seen("shown", f"all its stores: {', '.join(here[:NAMED])}{more}", value=len(here), limit=0)


def stores_of(look: Look, place: str) -> tuple[str, ...]:
    """Return the stores that stand in a place."""
    return look.once("places", lambda: places(look.facts)).get(place, ())


def labels_missing(look: Look, entity: str) -> Seen:
    """It lacks a label by which PD keeps replicas apart."""
    if look.facts.config is None or not look.facts.stores_known:
        return unknown("PD's location labels, or its stores, are not known")
    own = look.store(entity).labels
    lacking = [label for label in location_labels(look.facts) if not own.get(label)]
    if not lacking:
        return ABSENT
    return Seen("shown", f"it has no label {', '.join(lacking)}", value=", ".join(lacking))


def labels_disagree(look: Look, entity: str) -> Seen:
    """It stands on one machine with a store that is said to be in another place."""
    if look.facts.config is None or not look.facts.stores_known:
        return unknown("PD's location labels, or its stores, are not known")
    by_machine = look.once("stores by machine", lambda: _by_machine(look.facts.data_stores))
    if len(by_machine) < 2:  # all on one machine: a playground, labels are all there is to tell places apart
        return ABSENT
    own = look.store(entity)
    for other in by_machine[own.host]:
        for label in location_labels(look.facts):
            mine, its = own.labels.get(label), other.labels.get(label)
            if mine and its and mine.casefold() != its.casefold():
                says = f"{label} is {mine} here and {its} on {other.entity}, which shares its machine {own.host}"
                return Seen("shown", says, value=mine)
    return ABSENT


def _by_machine(stores: tuple[StoreFacts, ...]) -> dict[str, list[StoreFacts]]:
    found: dict[str, list[StoreFacts]] = {}
    for store in stores:
        found.setdefault(store.host, []).append(store)
    return found


PLACES = (SignRule("place_gone", "every store of it is gone", place_gone, metrics=("up", "store_states")),)
LABELS = (
    SignRule("labels_missing", "it lacks a location label", labels_missing),
    SignRule("labels_disagree", "its labels disagree with the machine it runs on", labels_disagree),
)
