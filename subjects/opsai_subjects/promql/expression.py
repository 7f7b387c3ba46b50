"""A PromQL expression as the evaluator reads it: frozen nodes, times in milliseconds, parentheses gone."""

from dataclasses import dataclass
from typing import Literal

from opsai_subjects.promql.samples import Matcher

Kind = Literal["scalar", "vector", "matrix", "string"]
At = int | Literal["start", "end"] | None
"""What `@` fixes: Unix milliseconds, an end of the query, or nothing."""


class Refused(Exception):
    """What the engine does not evaluate, in Prometheus's own words where it has some."""


TOO_DEEP = "the query nests too deeply"


@dataclass(frozen=True, slots=True)
class Number:
    """A number."""

    value: float


@dataclass(frozen=True, slots=True)
class Text:
    """A string."""

    value: str


@dataclass(frozen=True, slots=True)
class Select:
    """An instant vector selector."""

    matchers: tuple[Matcher, ...]
    offset_ms: int
    at: At


@dataclass(frozen=True, slots=True)
class Range:
    """A range vector selector."""

    select: Select
    range_ms: int


@dataclass(frozen=True, slots=True)
class Subquery:
    """A range of an expression's own values; `step_ms` None is the default step."""

    inner: "Expression"
    range_ms: int
    step_ms: int | None
    offset_ms: int
    at: At


@dataclass(frozen=True, slots=True)
class Call:
    """A function call."""

    name: str
    args: tuple["Expression", ...]
    kind: Kind


@dataclass(frozen=True, slots=True)
class Aggregate:
    """An aggregation over `names`, or over all labels but them."""

    op: str
    inner: "Expression"
    param: "Expression | None"
    names: frozenset[str]
    without: bool


@dataclass(frozen=True, slots=True)
class Matching:
    """How two vectors are joined: on `names`, or on all labels but them and the metric's name."""

    on: bool
    names: frozenset[str]
    many: Literal["none", "left", "right"]
    """Which side may have several elements for one group: `group_left` is `left`."""
    include: tuple[str, ...]
    """Labels copied from the other side."""


@dataclass(frozen=True, slots=True)
class Binary:
    """An operation on two expressions."""

    op: str
    lhs: "Expression"
    rhs: "Expression"
    to_bool: bool
    matching: Matching


@dataclass(frozen=True, slots=True)
class Negated:
    """Unary minus."""

    inner: "Expression"


Expression = Number | Text | Select | Range | Subquery | Call | Aggregate | Binary | Negated


def kind_of(node: Expression) -> Kind:
    """Return the type of an expression's value."""
    match node:
        case Number():
            return "scalar"
        case Text():
            return "string"
        case Range() | Subquery():
            return "matrix"
        case Call():
            return node.kind
        case Negated():
            return kind_of(node.inner)
        case Binary():
            return "scalar" if kind_of(node.lhs) == kind_of(node.rhs) == "scalar" else "vector"
        case Select() | Aggregate():
            return "vector"
