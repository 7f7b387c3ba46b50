"""What placement makes of a store: whether it may lead regions at all."""

from collections.abc import Mapping, Sequence

from opsai_subjects.model import Scalar
from opsai_tikv.pd_values import Rule

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
    return any(rule.role in LEADING_ROLES and _matches(rule, labels) for rule in asked)


def _rejects_leaders(labels: Mapping[str, str], config: Mapping[str, Scalar]) -> bool:
    keys = {name.removeprefix(_REJECTED).partition(".")[0] for name in config if name.startswith(_REJECTED)}
    pairs = [(config.get(f"{_REJECTED}{index}.key"), config.get(f"{_REJECTED}{index}.value")) for index in keys]
    return any(isinstance(key, str) and labels.get(key) == value for key, value in pairs)


def _matches(rule: Rule, labels: Mapping[str, str]) -> bool:
    constraints = [text.split(" ", 2) for text in rule.label_constraints]
    named = {parts[0] for parts in constraints}
    if any((key in EXCLUSIVE or key.startswith("$")) and key not in named for key in labels):
        return False
    return all(_holds(labels, parts) for parts in constraints)


def _holds(labels: Mapping[str, str], constraint: Sequence[str]) -> bool:
    key, op, values = (*constraint, "", "")[:3]
    value = labels.get(key)
    if op == "in":
        return value in values.split(",")
    if op == "notIn":
        return value not in values.split(",")
    if op == "exists":
        return value is not None
    return op != "notExists" or value is None
