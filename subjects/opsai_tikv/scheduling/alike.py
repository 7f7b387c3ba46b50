"""Stores that may be compared: the same engine, the same part in placement, disks of about one size. Pure."""

import math
import statistics
from collections.abc import Sequence

from opsai_tikv.facts import StoreFacts, TikvFacts
from opsai_tikv.pd.values import Rule
from opsai_tikv.regions.majority import is_heard
from opsai_tikv.roles import fits
from opsai_tikv.wording import named

FEW = 20
"""Counts of a store that differ by less are no news."""
RATIO = 1.3
_CLASS = math.log(1.5)
"""Disks within half as much again are of one class."""

Kind = tuple[str, frozenset[tuple[object, ...]], int]


def kinds(facts: TikvFacts, rules: Sequence[Rule]) -> dict[Kind, list[StoreFacts]]:
    """Group the stores that serve by engine, by the rules that may use them, and by size of disk."""
    found: dict[Kind, list[StoreFacts]] = {}
    asked = {(rule.role, rule.constraints): rule for rule in rules}
    for store in facts.stores:
        if is_heard(store) and store.state == "Up" and store.node_state != "Preparing":
            part = frozenset[tuple[object, ...]](key for key, rule in asked.items() if fits(store.labels, rule))
            size = round(math.log(store.capacity_bytes) / _CLASS) if store.capacity_bytes else 0
            found.setdefault((store.engine, part, size), []).append(store)
    return found


def uneven(facts: TikvFacts, rules: Sequence[Rule]) -> list[str]:
    """Name stores whose leaders or regions are far from what stores like them have, weights counted in."""
    found: list[str] = []
    for stores in kinds(facts, rules).values():
        leading = [
            store
            for store in stores
            if store.engine == "tikv" and store.may_lead and store.entity not in facts.evicting
        ]
        found += _apart(
            "leaders", {store.entity: _weighed(store.leader_count, store.leader_weight) for store in leading}
        )
        found += _apart(
            "regions", {store.entity: _weighed(store.region_count, store.region_weight) for store in stores}
        )
    return found


def _weighed(count: int | None, weight: float) -> float | None:
    return None if count is None or weight <= 0 else count / weight


def _apart(what: str, counts: dict[str, float | None]) -> list[str]:
    known = {entity: count for entity, count in counts.items() if count is not None}
    if len(known) < 3:
        return []
    usual = statistics.median(known.values())
    far = {entity: count for entity, count in known.items() if _is_far(count, usual)}
    if not far:
        return []
    ordered = sorted(far.items(), key=lambda pair: -abs(pair[1] - usual))
    told = named([f"{entity} {count:,.0f}" for entity, count in ordered], 3)
    return [f"{what}: {told}; stores like them have {usual:,.0f} (median of {len(known)})"]


def _is_far(count: float, usual: float) -> bool:
    return abs(count - usual) > FEW and (count > RATIO * usual or count * RATIO < usual)
