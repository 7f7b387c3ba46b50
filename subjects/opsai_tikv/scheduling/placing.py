"""Placement rules against the stores there are: which stores a rule may use, and whether they suffice. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from opsai_tikv.facts import StoreFacts, TikvFacts
from opsai_tikv.pd.values import Rule
from opsai_tikv.regions.majority import is_heard
from opsai_tikv.roles import fits
from opsai_tikv.wording import named, plural


@dataclass(frozen=True)
class Alike:
    """Rules that ask for the same of the stores, of one table or of thousands."""

    first: Rule
    count: int
    stores: tuple[StoreFacts, ...]
    """Those that fit, tombstones left out."""

    @property
    def name(self) -> str:
        """`pd/default`, `TiDB_DDL_57/voter_1 and 12 more`."""
        more = f" and {self.count - 1:,} more" if self.count > 1 else ""
        return f"{self.first.group_id}/{self.first.id}{more}"


def alike_rules(rules: Sequence[Rule], facts: TikvFacts) -> tuple[Alike, ...]:
    """Group rules by what they ask for: TiDB writes some for every table or partition that has a placement policy."""
    groups: dict[tuple[object, ...], list[Rule]] = {}
    for rule in rules:
        key = (rule.role, rule.count, rule.constraints, rule.location_labels, rule.isolation_level, _is_ranged(rule))
        groups.setdefault(key, []).append(rule)
    stores = [store for store in facts.stores if store.state != "Tombstone"]
    return tuple(
        Alike(group[0], len(group), tuple(store for store in stores if fits(store.labels, group[0])))
        for group in groups.values()
    )


def _is_ranged(rule: Rule) -> bool:
    return bool(rule.start_key or rule.end_key)


def rule_line(rules: Alike) -> str:
    """Return the rules in one line: `pd/default: 3 voters on any store, apart by zone, rack, host; 300 stores fit`."""
    rule, fitting = rules.first, len(rules.stores)
    where = " and ".join(str(constraint) for constraint in rule.constraints) or "any store"
    apart = f", apart by {', '.join(rule.location_labels)}" if rule.location_labels else ""
    keys = " (a key range)" if _is_ranged(rule) else ""
    fit = f"{plural(fitting, 'store')} {'fits' if fitting == 1 else 'fit'}"
    return f"{rules.name}: {plural(rule.count, rule.role)} on {where}{apart}{keys}; {fit}"


def unmet(rules: Sequence[Rule], facts: TikvFacts) -> list[str]:
    """Say which rules cannot be kept with the stores there are, and why."""
    return [says for alike in alike_rules(rules, facts) for says in _unmet(alike, facts)]


def _unmet(rules: Alike, facts: TikvFacts) -> list[str]:
    rule = rules.first
    stores = [store for store in rules.stores if store.state != "Offline"]
    alive = [store for store in stores if is_heard(store)]
    wants = f"placement rule {rules.name} wants {plural(rule.count, rule.role)}"
    if not stores:
        return [f"{wants} with {_asked(rule)}, and no store has that: {_have(rule, facts)}."]
    if len(stores) < rule.count:
        left = rule.count - len(stores)
        return [f"{wants} and only {_stores(stores)} fit ({_asked(rule)}): {left} cannot be placed."]
    if len(alive) < rule.count:
        return [f"{wants} and of {plural(len(stores), 'store')} that fit only {len(alive)} serve."]
    return _isolation(rule, alive, f"placement rule {rules.name}")


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
