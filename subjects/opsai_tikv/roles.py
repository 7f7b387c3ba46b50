"""What placement makes of a store: which rules may use it, and whether it may lead regions at all. Pure."""

from collections.abc import Mapping, Sequence

from opsai_subjects.model import Scalar
from opsai_tikv.pd.values import Constraint, Rule

LEADING_ROLES = ("voter", "leader")
EXCLUSIVE = ("engine", "exclusive")
"""Labels that keep off every peer whose rule does not ask for them, and those that begin with `$` too (pd placement/label_constraint.go)."""
_REJECTED = "label-property.reject-leader."


def may_lead(labels: Mapping[str, str], rules: Sequence[Rule] | None, config: Mapping[str, Scalar]) -> bool:
    """Say whether some placement rule lets a store hold leaders, and no label property rejects them.

    `rules` None or empty: placement rules are off or not known, and every store may lead.
    """
    if _rejects_leaders(labels, config):
        return False
    asked = [rule for rule in rules or () if rule.role in (*LEADING_ROLES, "follower", "learner")]
    if not asked:
        return True
    return any(rule.role in LEADING_ROLES and fits(labels, rule) for rule in asked)


def _rejects_leaders(labels: Mapping[str, str], config: Mapping[str, Scalar]) -> bool:
    keys = {name.removeprefix(_REJECTED).partition(".")[0] for name in config if name.startswith(_REJECTED)}
    pairs = [(config.get(f"{_REJECTED}{index}.key"), config.get(f"{_REJECTED}{index}.value")) for index in keys]
    return any(isinstance(key, str) and labels.get(key) == value for key, value in pairs)


def fits(labels: Mapping[str, str], rule: Rule) -> bool:
    """Say whether the rule may place a replica on a store with these labels (pd placement/label_constraint.go)."""
    asked = {constraint.key for constraint in rule.constraints}
    if any((key in EXCLUSIVE or key.startswith("$")) and key not in asked for key in labels):
        return False
    return all(_holds(labels.get(constraint.key, ""), constraint) for constraint in rule.constraints)


def _holds(value: str, constraint: Constraint) -> bool:
    if constraint.op == "in":
        return bool(value) and value in constraint.values
    if constraint.op == "notIn":
        return not value or value not in constraint.values
    if constraint.op == "exists":
        return bool(value)
    return constraint.op == "notExists" and not value
