"""Every check of an adapter as its author runs them: in pytest by parametrising, elsewhere by awaiting each."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field

from opsai_subjects.conformance import seen, told
from opsai_subjects.conformance.blind import FAILURES, blind, half_blind
from opsai_subjects.conformance.lines import reads_any_line
from opsai_subjects.conformance.scene import Scene
from opsai_subjects.subject import SubjectKind

MOST = 12
"""So many findings of one check are listed."""

Scenes = Callable[[], AbstractAsyncContextManager[Scene]]


class NotConforming(AssertionError):
    """What is not so, a line each."""


@dataclass(frozen=True)
class Check:
    """One thing that every adapter must satisfy. Await it: it raises NotConforming where the adapter does not."""

    id: str
    says: str
    find: Callable[[], Awaitable[list[str]]] = field(repr=False)

    def __str__(self) -> str:
        return self.id

    async def __call__(self) -> None:
        """Check. Raises NotConforming with what is not so."""
        found = list(dict.fromkeys(await self.find()))
        if found:
            rest = f"\n… and {len(found) - MOST} more" if len(found) > MOST else ""
            raise NotConforming(f"{self.says}\nIt is not so:\n" + "\n".join(f"- {one}" for one in found[:MOST]) + rest)


def checks(kind: SubjectKind, scene: Scenes, log_lines: tuple[str, ...] = ()) -> tuple[Check, ...]:
    """Return every check of this kind.

    `scene` opens a healthy cluster of it: a recording (`scene.recorded`), a real one or a stand-in (`scene.live`). `log_lines` are a few
    real lines of its logs.
    """
    return (
        *(_told(kind, one) for one in told.CHECKS),
        Check("lines.reads_any_line", _said(reads_any_line), lambda: _now(reads_any_line(kind, log_lines))),
        *(_on(kind, scene, one) for one in seen.CHECKS),
        *(_blinded(kind, scene, failure) for failure in FAILURES),
        _on(kind, scene, half_blind),
    )


def _told(kind: SubjectKind, find: Callable[[SubjectKind], told.Complaints]) -> Check:
    return Check(f"told.{find.__name__}", _said(find), lambda: _now(find(kind)))


def _on(kind: SubjectKind, scenes: Scenes, find: seen.SceneCheck) -> Check:
    async def found() -> list[str]:
        async with scenes() as scene:
            return await find(kind, scene)

    return Check(f"seen.{find.__name__}", _said(find), found)


def _blinded(kind: SubjectKind, scenes: Scenes, failure: str) -> Check:
    async def found() -> list[str]:
        async with scenes() as scene:
            return await blind(kind, scene, next(one for one in FAILURES if one == failure))

    return Check(f"blind.{failure}", _said(blind), found)


async def _now(found: told.Complaints) -> list[str]:
    return list(found)


def _said(find: Callable[..., object]) -> str:
    return (find.__doc__ or find.__name__).strip()
