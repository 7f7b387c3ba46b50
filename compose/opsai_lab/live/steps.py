"""What happened at each step of a live run: values, for whoever tells it, counts it or grades it."""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from opsai_lab.chaos.injecting import Injected
from opsai_lab.targets.harm import Harm
from opsai_server.tickets.diagnosis import Diagnosis
from opsai_server.tickets.tick import Ticked
from opsai_server.tickets.ticket import Ticket
from opsai_subjects.invariant import Verdict
from opsai_subjects.model import Topology, Value


class Healthy(Value):
    """The cluster before anything is done to it."""

    at: datetime
    topology: Topology
    last: Ticked
    waited_seconds: float


class Detected(Value):
    """The first invariant that turned after the injection."""

    verdict: Verdict
    seconds: float
    """After the injection."""


class Ticketed(Value):
    """The ticket that it became."""

    ticket: Ticket
    seconds: float
    """After the injection."""


class Concluded(Value):
    """What the investigation came to."""

    diagnosis: Diagnosis
    kind_right: bool
    entity_right: bool
    says: str
    """What it names, and what would be right."""
    seconds: float
    """It took."""
    tool_calls: int
    reply_chars: int

    @property
    def right(self) -> bool:
        """Whether both kind and entity are."""
        return self.kind_right and self.entity_right


class Healed(Value):
    """What was undone."""

    harms: tuple[Harm, ...]
    began_at: datetime
    at: datetime
    """When all of it was undone."""


class Resolved(Value):
    """The ticket after healing."""

    ticket: Ticket
    seconds: float
    """After the healing."""


class Audience(Protocol):
    """Who is told as it happens; each is called once it has happened, `looked` at every look of the watcher."""

    def healthy(self, step: Healthy) -> None:
        """Hear that the cluster is well."""
        ...

    def injected(self, step: Injected) -> None:
        """Hear what was done."""
        ...

    def looked(self, ticked: Ticked) -> None:
        """Hear what a look saw."""
        ...

    def ticketed(self, step: Ticketed) -> None:
        """Hear which ticket is investigated next."""
        ...

    def concluded(self, step: Concluded) -> None:
        """Hear the diagnosis."""
        ...

    def healed(self, step: Healed) -> None:
        """Hear what was undone."""
        ...

    def resolved(self, step: Resolved) -> None:
        """Hear that the ticket is resolved."""
        ...

    def calls_to(self) -> int | None:
        """Return the file descriptor that the agent's calls are shown on; None: nowhere."""
        ...


class Silent:
    """An audience that is told nothing but progress."""

    def __init__(self, tell: Callable[[str], None] = lambda _: None) -> None:
        self._tell = tell

    def healthy(self, step: Healthy) -> None:
        """Say so."""
        self._tell(f"healthy after {step.waited_seconds:.0f} s")

    def injected(self, step: Injected) -> None:
        """Say so."""
        self._tell("; ".join(harm.says() for harm in step.harms))

    def looked(self, ticked: Ticked) -> None:
        """Say nothing."""

    def ticketed(self, step: Ticketed) -> None:
        """Say so."""
        self._tell(f"{step.ticket.id} after {step.seconds:.1f} s: {step.ticket.title}")

    def concluded(self, step: Concluded) -> None:
        """Say so."""
        self._tell(f"{'right' if step.right else 'WRONG'} after {step.seconds:.1f} s: {step.says}")

    def healed(self, step: Healed) -> None:
        """Say so."""
        self._tell(f"healed at {step.at:%H:%M:%S}Z")

    def resolved(self, step: Resolved) -> None:
        """Say so."""
        self._tell(f"{step.ticket.id} resolved by itself {step.seconds:.1f} s after the healing")

    def calls_to(self) -> int | None:
        """Return nothing: the calls are not shown."""
        return None
