"""Placement rules against the stores there are: which stores a rule may use, and whether they suffice. Pure."""

from collections.abc import Sequence

from opsai_tikv.facts import StoreFacts, TikvFacts
from opsai_tikv.majority import is_alive
from opsai_tikv.pd_values import Rule
from opsai_tikv.roles import fits
from opsai_tikv.wording import named, plural


def rule_line(rule: Rule, facts: TikvFacts) -> str:
    """Return the rule in one line: `pd/default: 3 voters on any store, apart by zone, rack, host; 300 stores fit`."""
    where = " and ".join(str(constraint) for constraint in rule.constraints) or "any store"
    apart = f", apart by {', '.join(rule.location_labels)}" if rule.location_labels else ""
    keys = "" if not rule.start_key and not rule.end_key else " (a key range)"
    stores = [store for store in facts.stores if store.state != "Tombstone" and fits(store.labels, rule)]
    return (
        f"{rule.group_id}/{rule.id}: {plural(rule.count, rule.role)} on {where}{apart}{keys}; {plural(len(stores), 'store')} "
        f"{'fits' if len(stores) == 1 else 'fit'}"
    )


def unmet(rules: Sequence[Rule], facts: TikvFacts) -> list[str]:
    """Say which rules cannot be kept with the stores there are, and why."""
    return [says for rule in rules for says in _unmet(rule, facts)]


def _unmet(rule: Rule, facts: TikvFacts) -> list[str]:
    name = f"placement rule {rule.group_id}/{rule.id}"
    stores = [
        store for store in facts.stores if store.state not in ("Tombstone", "Offline") and fits(store.labels, rule)
    ]
    alive = [store for store in stores if is_alive(store)]
    if not stores:
        return [
            f"{name} wants {plural(rule.count, rule.role)} with {_asked(rule)}, and no store has that: {_have(rule, facts)}."
        ]
    if len(stores) < rule.count:
        return [
            f"{name} wants {plural(rule.count, rule.role)} and only {_stores(stores)} fit ({_asked(rule)}): {rule.count - len(stores)} cannot be placed."
        ]
    if len(alive) < rule.count:
        return [
            f"{name} wants {plural(rule.count, rule.role)} and of {plural(len(stores), 'store')} that fit only {len(alive)} serve."
        ]
    return _isolation(rule, alive, name)


def _stores(stores: Sequence[StoreFacts]) -> str:
    return named([store.entity for store in stores])


def _asked(rule: Rule) -> str:
    return " and ".join(str(constraint) for constraint in rule.constraints) or "no exclusive label"


def _have(rule: Rule, facts: TikvFacts) -> str:
    parts: list[str] = []
    for constraint in rule.constraints:
        values = sorted({store.labels[constraint.key] for store in facts.stores if constraint.key in store.labels})
        parts.append(f"{constraint.key} is {named(values)}" if values else f"no store has a label {constraint.key}")
    return "; ".join(parts) or "stores with an exclusive label (engine, $…) are left out"


def _isolation(rule: Rule, stores: Sequence[StoreFacts], name: str) -> list[str]:
    if not rule.isolation_level:
        return []
    places = {store.labels.get(rule.isolation_level, "") for store in stores} - {""}
    if len(places) >= rule.count:
        return []
    kept = f"{name} must keep {plural(rule.count, rule.role)} in different places of {rule.isolation_level}"
    return [f"{kept} and stores that serve are in {len(places)}: a replica without a place of its own is not placed."]
