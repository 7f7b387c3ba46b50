"""What the server's replies say, read into small values: the shapes that the rules and the last resort work on."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from opsai_agent.backend import ToolReply
from opsai_subjects.fault import Touches
from opsai_subjects.model import Scalar

M = TypeVar("M", bound=BaseModel)


class _Read(BaseModel):
    """A part of a reply; what we do not know of it is left aside."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Rival(_Read):
    """How a kind easily taken for a cause stands on the same entity."""

    kind: str
    standing: str = "possible"
    against: tuple[str, ...] = ()
    """Signs that contradict it."""
    open: tuple[str, ...] = ()
    """Signs that would, and are unknown."""


class Support(_Read):
    """A shown sign, as the differential's reply tells it."""

    sign: str
    says: str = ""
    since: str | None = None
    active: bool = True
    metrics: tuple[str, ...] = ()
    """Named metrics that show it."""


class Remedy(_Read):
    """What is recommended for a cause."""

    do: str = ""
    because: str = ""
    verify: str = ""
    touches: Touches = "nothing"


class Cause(_Read):
    """A fault kind on an entity, as the differential ranks it."""

    kind: str
    entity: str
    standing: str = "fits"
    active: bool = True
    says: str = ""
    rivals: tuple[Rival, ...] = ()
    name: str = ""
    """What people call the entity, where that is something else."""

    @property
    def who(self) -> str:
        """Return the entity with the name that people use: `part:4 (kv2)`."""
        return f"{self.entity} ({self.name})" if self.name else self.entity


class Candidate(Cause):
    """A candidate that is no cause, with its signs by id."""

    contradiction: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


class Found(Cause):
    """A cause of the differential, with what its reply says of it."""

    support: tuple[Support, ...] = ()
    action: Remedy = Remedy()

    def kind_shown(self) -> "Kind":
        """Return the kind as far as the reply shows it: what is shown counts as what must show."""
        remedy = self.action
        return Kind(
            says=self.says,
            must_show=tuple(shown.sign for shown in self.support),
            do=remedy.do,
            because=remedy.because,
            verify=remedy.verify,
            touches=remedy.touches,
        )

    def signs_shown(self) -> dict[str, "Sign"]:
        """Return the signs as far as the reply shows them."""
        return {s.sign: Sign(state="shown", active=s.active, says=s.says, since=s.since) for s in self.support}


class Sign(_Read):
    """One sign on one entity."""

    state: str
    active: bool = True
    says: str = ""
    value: Scalar = None
    limit: Scalar = None
    since: str | None = None
    source: str = ""


class Kind(_Read):
    """A fault kind."""

    says: str = ""
    must_show: tuple[str, ...] = ()
    one_of: tuple[tuple[str, ...], ...] = ()
    supports: tuple[str, ...] = ()
    collective: bool = False
    """It befalls several entities at once and is one cause."""
    do: str = ""
    because: str = ""
    verify: str = ""
    touches: Touches = "nothing"


class TicketRead(_Read):
    """The ticket under investigation."""

    id: str
    invariant: str = ""
    entity: str = ""
    grade: str = ""
    title: str = ""
    status: str = ""
    violated_at: str | None = None
    evidence_ids: tuple[str, ...] = ()


class Violation(_Read):
    """A violated invariant."""

    invariant: str
    entity: str
    grade: str = ""
    says: str = ""

    def is_of(self, ticket: TicketRead) -> bool:
        """Say whether this is what the ticket was raised for."""
        return (self.invariant, self.entity) == (ticket.invariant, ticket.entity)


class Counts(_Read):
    """How many verdicts are of each state."""

    held: int = 0
    violated: int = 0
    unknown: int = 0

    @property
    def mostly_unknown(self) -> bool:
        """More is unknown than held: nobody may call that healthy."""
        return self.unknown > self.held


@dataclass
class Findings:
    """Everything read so far in one investigation."""

    ticket: TicketRead | None = None
    differential_id: str | None = None
    causes: tuple[Found, ...] = ()
    candidates: tuple[Candidate, ...] = ()
    signs: dict[str, dict[str, Sign]] = field(default_factory=dict[str, dict[str, Sign]])
    kinds: dict[str, Kind] = field(default_factory=dict[str, Kind])
    invariants_id: str | None = None
    violated: tuple[Violation, ...] = ()
    counts: Counts = field(default_factory=Counts)
    raised_id: str | None = None
    """Evidence of the ticket's raising, when it was found to hold the ticket's verdict as violated."""
    unread: tuple[str, ...] = ()

    def shown(self, entity: str, ids: Iterable[str]) -> list[tuple[str, Sign]]:
        """Return those of the signs that are shown on the entity, in the order given."""
        of = self.signs.get(entity, {})
        return [(sign, of[sign]) for sign in ids if sign in of and of[sign].state == "shown"]

    def told(self, entity: str, ids: Iterable[str]) -> list[tuple[str, Sign]]:
        """Return those of the signs that are shown or absent on the entity, in the order given."""
        of = self.signs.get(entity, {})
        return [(sign, of[sign]) for sign in ids if sign in of and of[sign].state in ("shown", "absent")]


def one(model: type[M], value: JsonValue) -> M | None:
    """Return the value read as the model, None when it is not one."""
    try:
        return model.model_validate(value)
    except ValidationError:
        return None


def many(model: type[M], value: JsonValue) -> tuple[M, ...]:
    """Return those items of a list that read as the model."""
    found = (one(model, item) for item in value) if isinstance(value, list) else ()
    return tuple(item for item in found if item is not None)


def table(model: type[M], value: JsonValue) -> dict[str, M]:
    """Return those entries of an object that read as the model."""
    found = {name: one(model, item) for name, item in value.items()} if isinstance(value, dict) else {}
    return {name: item for name, item in found.items() if item is not None}


def pointer(*parts: str) -> str:
    """Return the JSON Pointer (RFC 6901) of these steps."""
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in parts)


def latest(replies: Sequence[ToolReply], tool: str) -> ToolReply | None:
    """Return the newest good reply of that tool."""
    return next((r for r in reversed(replies) if r.call.name == tool and not r.is_error and not r.repeated), None)
