"""All invariants, judged on every entity they apply to."""

from collections.abc import Iterator, Mapping

from opsai_etcd.facts import EtcdFacts, groups
from opsai_etcd.invariants.cluster import CLUSTER_RULES
from opsai_etcd.invariants.members import MEMBER_RULES
from opsai_etcd.invariants.resources import RESOURCE_RULES
from opsai_etcd.invariants.rule import InvariantRule
from opsai_etcd.invariants.sight import SIGHT_RULES
from opsai_etcd.seen import Look
from opsai_subjects.invariant import Invariant, Verdict

RULES: tuple[InvariantRule, ...] = (*CLUSTER_RULES, *MEMBER_RULES, *RESOURCE_RULES, *SIGHT_RULES)
INVARIANTS: tuple[Invariant, ...] = tuple(rule.invariant for rule in RULES)


def judge(facts: EtcdFacts, limits: Mapping[str, float] | None = None) -> tuple[Verdict, ...]:
    """Judge every invariant on every entity it applies to; `limits` are those set for this cluster, by invariant."""
    return tuple(_verdicts(facts, Look(facts, limits)))


def _verdicts(facts: EtcdFacts, look: Look) -> Iterator[Verdict]:
    by_group = groups(facts)
    for rule in RULES:
        for entity in by_group[rule.group]:
            yield rule.judge(look, entity)
