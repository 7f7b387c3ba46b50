"""Fault kinds as data: what each must show, must not show, and what to do about it."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from opsai_subjects.model import Scalar, Value

Touches = Literal["nothing", "settings", "traffic", "resources", "restart", "stop", "remove"]
"""What a recommended action lays hands on. `restart`, `stop` and `remove` need proof that quorum is safe."""


class Read(Value):
    """One call of a tool that shows a sign to whoever makes it."""

    tool: str
    arguments: dict[str, str | tuple[str, ...]] = Field(default_factory=dict[str, str | tuple[str, ...]])
    """`{entity}` in a value stands for the entity looked at."""
    needs: Literal["", "metrics", "logs"] = ""
    """The source that must be set for it, beside the system's own API."""


class SignSpec(Value):
    """A sign that facts may show: an observation about one entity, sharper than an invariant and never alarming by itself."""

    id: str
    says: str
    """What it looks like when shown, as a sentence without a subject: `its scrape is refused`."""
    metrics: tuple[str, ...] = ()
    """Names of the subject's signals that show it, the plainest first: what to read beside it."""
    reads: tuple[Read, ...] = ()
    """Where else it can be seen when nobody could tell; a metric's query is not repeated here."""


class Sign(Value):
    """What facts say of one sign on one entity."""

    id: str
    entity: str
    state: Literal["shown", "absent", "unknown"]
    active: bool = True
    """Shown and still so at the moment of judging; False when it was so within the window and is over."""
    reassures: bool = False
    """A sign of health: it says nothing once it is over, and does not speak against a fault that is over."""
    says: str
    """One sentence with the figures, or why it is unknown."""
    value: Scalar = None
    limit: Scalar = None
    since: datetime | None = None
    source: str = ""


class FaultKind(Value):
    """One kind of fault and its differential."""

    id: str
    says: str
    on: str
    """What kind of entity it befalls, a group the subject defines: `member`, `cluster`, `config`, `load`."""
    must_show: tuple[str, ...]
    """Signs on the entity that are there whenever this is the fault: one absent contradicts it."""
    one_of: tuple[tuple[str, ...], ...] = ()
    """Groups of signs; of each group at least one is there."""
    must_not_show: tuple[str, ...] = ()
    """Signs on the entity that speak against it: one shown contradicts it."""
    must_know: tuple[str, ...] = ()
    """Of those that must not show, the ones without which it is a guess: one unknown leaves it possible at most."""
    supports: tuple[str, ...] = ()
    """Signs that make it likelier and are not needed."""
    rivals: tuple[str, ...] = ()
    """Kinds easily taken for it: `confirmed` needs each contradicted by evidence."""
    explains: tuple[str, ...] = ()
    """Kinds that, seen at the same time on another entity, are its consequence and no cause of their own; `*` is all."""
    collective: bool = False
    """It befalls several entities at once and is one cause, named by any of them."""
    red_herrings: tuple[str, ...] = ()
    do: str
    """The recommended action, one sentence."""
    because: str
    """Its rationale."""
    verify: str
    """How to see that it worked."""
    touches: Touches = "nothing"
    weight: int = 0
    """Between kinds that fit equally well, the one with the larger weight is the more specific."""


class Candidate(Value):
    """How one fault kind fits one entity."""

    kind: str
    entity: str
    standing: Literal["fits", "possible", "contradicted"]
    """`fits`: all it must show is shown and nothing contradicts; `possible`: something needed is unknown; else contradicted."""
    active: bool
    """False when what it must show is over."""
    score: float
    support: tuple[Sign, ...]
    contradiction: tuple[Sign, ...]
    unknown: tuple[Sign, ...]
    missing: tuple[str, ...] = ()
    """Needed signs that nobody evaluated on this entity."""


class Differential(Value):
    """The ranked candidates, best first, and the smallest set of them that explains what is seen."""

    candidates: tuple[Candidate, ...]
    causes: tuple[Candidate, ...]
    """Fitting candidates that none of the others explains: usually one or none."""
