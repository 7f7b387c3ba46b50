"""All signs, evaluated on every entity they apply to."""

from collections.abc import Iterator, Mapping

from opsai_etcd.facts import EtcdFacts, groups
from opsai_etcd.seen import Look
from opsai_etcd.signs.leadership import CLUSTER_SIGNS, LEADERSHIP
from opsai_etcd.signs.process import PROCESS
from opsai_etcd.signs.reach import REACH
from opsai_etcd.signs.resources import RESOURCES
from opsai_etcd.signs.rule import SignRule
from opsai_subjects.fault import Sign, SignSpec

BY_GROUP: dict[str, tuple[SignRule, ...]] = {
    "member": (*REACH, *LEADERSHIP, *PROCESS, *RESOURCES),
    "cluster": CLUSTER_SIGNS,
}
SIGNS: tuple[SignSpec, ...] = tuple(rule.spec for rules in BY_GROUP.values() for rule in rules)


def signs(facts: EtcdFacts, limits: Mapping[str, float] | None = None) -> tuple[Sign, ...]:
    """Evaluate every sign on every entity it applies to; `limits` are those set for this cluster, by invariant."""
    return tuple(_signs(facts, Look(facts, limits)))


def _signs(facts: EtcdFacts, look: Look) -> Iterator[Sign]:
    for group, entities in groups(facts).items():
        for entity in entities:
            for rule in BY_GROUP[group]:
                yield rule.sign(look, entity)
