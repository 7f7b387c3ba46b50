"""All signs, evaluated on every entity they apply to."""

from collections.abc import Iterator, Mapping

from opsai_subjects.fault import Sign, SignSpec
from opsai_tikv.facts import CLUSTER, TikvFacts, groups
from opsai_tikv.seen import Look
from opsai_tikv.signs.idle import IDLE
from opsai_tikv.signs.leadership import LEADERSHIP
from opsai_tikv.signs.load import CLUSTER_SIGNS, LOAD, REGION
from opsai_tikv.signs.members import MEMBERS
from opsai_tikv.signs.places import LABELS, PLACES
from opsai_tikv.signs.pressure import PAUSED, PRESSURE
from opsai_tikv.signs.process import PROCESS
from opsai_tikv.signs.reach import REACH
from opsai_tikv.signs.rule import SignRule
from opsai_tikv.signs.settings import SCHEDULERS, SETTINGS, is_judged
from opsai_tikv.signs.stages import STAGES

STORE_RULES: tuple[SignRule, ...] = (*REACH, *PROCESS, *STAGES, *LEADERSHIP, *PRESSURE, *LABELS)
BY_GROUP: dict[str, tuple[SignRule, ...]] = {
    "store": STORE_RULES,
    "place": PLACES,
    "pd": MEMBERS,
    "cluster": (*CLUSTER_SIGNS, *PAUSED),
    "config": SETTINGS,
    "scheduler": SCHEDULERS,
    "region": REGION,
    "load": (*LOAD, *IDLE),
}
SIGNS: tuple[SignSpec, ...] = tuple(rule.spec for rules in BY_GROUP.values() for rule in rules)


def signs(facts: TikvFacts, limits: Mapping[str, float] | None = None) -> tuple[Sign, ...]:
    """Evaluate every sign on every entity it applies to; `limits` are those set for this cluster, by invariant."""
    return tuple(_signs(facts, Look(facts, limits)))


def _signs(facts: TikvFacts, look: Look) -> Iterator[Sign]:
    for group, entities in groups(facts).items():
        for entity in dict.fromkeys(entities):
            if group == "config" and not is_judged(entity):
                continue
            for rule in BY_GROUP[group]:
                yield rule.sign(look, entity)
    for sign in (rule.sign(look, CLUSTER) for rule in CLUSTER_SIGNS if rule.id == "pd_without_leader"):
        for store in look.stores:
            yield sign.model_copy(update={"entity": store})
