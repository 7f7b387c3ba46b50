"""What PD does and may do about placement, as values of one moment."""

from dataclasses import dataclass, field
from typing import Literal

from opsai_tikv.pd.values import (
    Config,
    Diagnosis,
    GcSafePoint,
    LabelRule,
    Operator,
    Pause,
    Progress,
    Replication,
    Rule,
)

Action = Literal["removing", "preparing"]


@dataclass
class Scheduling:
    """Everything of one round; None is what nobody could read."""

    operators: tuple[Operator, ...] | None = None
    records: tuple[Operator, ...] | None = None
    """Operators that ended in the last ten minutes or so."""
    pauses: tuple[Pause, ...] | None = None
    disabled: tuple[str, ...] | None = None
    rules: tuple[Rule, ...] | None = None
    """None as well where placement rules are off."""
    label_rules: tuple[LabelRule, ...] | None = None
    replication: Replication | None = None
    recovery: str | None = None
    """The stage of an unsafe recovery, empty: none."""
    cluster_version: str | None = None
    gc: GcSafePoint | None = None
    progress: dict[Action, Progress] = field(default_factory=dict[Action, Progress])
    diagnoses: dict[str, Diagnosis] = field(default_factory=dict[str, Diagnosis])
    own: dict[str, Config] = field(default_factory=dict[str, Config])
    """Scheduler to its own settings."""
    members: dict[str, Config] = field(default_factory=dict[str, Config])
    """PD member to its own configuration."""
