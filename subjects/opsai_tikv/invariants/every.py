"""All invariants, judged on every entity they apply to."""

from collections.abc import Iterator, Mapping

from opsai_subjects.invariant import Invariant, Verdict
from opsai_tikv.facts import TikvFacts, groups
from opsai_tikv.invariants.engine import ENGINE_RULES
from opsai_tikv.invariants.load import LOAD_RULES
from opsai_tikv.invariants.pd import PD_RULES
from opsai_tikv.invariants.placement import PLACEMENT_RULES
from opsai_tikv.invariants.pressure import PRESSURE_RULES
from opsai_tikv.invariants.rule import InvariantRule
from opsai_tikv.invariants.sight import SIGHT_RULES
from opsai_tikv.invariants.stores import STORES
from opsai_tikv.invariants.upkeep import UPKEEP_RULES
from opsai_tikv.seen import Look
from opsai_tikv.signs.settings import is_judged

PARTS: dict[str, tuple[InvariantRule, ...]] = {
    "PD": PD_RULES,
    "Regions and their placement": PLACEMENT_RULES,
    "Stores": STORES,
    "Inside a store": ENGINE_RULES,
    "What is left behind or stands still": UPKEEP_RULES,
    "What presses besides clients, and whole places": PRESSURE_RULES,
    "The load": LOAD_RULES,
    "Our own sight": SIGHT_RULES,
}
"""The rules by what they speak of, as people are shown them."""
RULES: tuple[InvariantRule, ...] = tuple(rule for rules in PARTS.values() for rule in rules)
INVARIANTS: tuple[Invariant, ...] = tuple(rule.invariant for rule in RULES)


def judge(facts: TikvFacts, limits: Mapping[str, float] | None = None) -> tuple[Verdict, ...]:
    """Judge every invariant on every entity it applies to; `limits` are those set for this cluster, by invariant."""
    return tuple(_verdicts(facts, Look(facts, limits)))


def _verdicts(facts: TikvFacts, look: Look) -> Iterator[Verdict]:
    by_group = {**groups(facts), "target": (*look.members, *look.stores)}
    for rule in RULES:
        entities = dict.fromkeys(by_group[rule.group])
        if rule.group == "config":
            entities = {entity: None for entity in entities if is_judged(entity)}
        for entity in entities:
            yield rule.judge(look, entity)
