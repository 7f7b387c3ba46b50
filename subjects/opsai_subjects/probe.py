"""A probe: a typed, read-only question that only one kind of system has; it becomes a tool of the server as it stands."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from opsai_subjects.reply import Answer

if TYPE_CHECKING:
    from opsai_subjects.subject import Facts, Subject


@dataclass(frozen=True)
class Visit:
    """What a probe is asked with: the cluster, and the facts that the other tools of this moment see too."""

    subject: "Subject"
    facts: Callable[[], "Awaitable[Facts]"]
    """The facts of this moment, gathered now or a few seconds ago by another question."""


Probe = Callable[..., Awaitable[Answer]]
"""`async def regions(visit: Visit, …) -> Answer`: the function's name is the tool's name, its docstring the description,
its annotated parameters after `visit` the arguments."""
