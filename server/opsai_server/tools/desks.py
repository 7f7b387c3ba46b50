"""The clusters that one server shows: each has a desk of its own, and none is ever looked at through another's."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Self

import anyio

from opsai_server.tickets.store import Store
from opsai_server.tools.desk import Desk
from opsai_subjects.errors import ArgumentInvalid, SettingsInvalid, UnknownName
from opsai_subjects.progress import Progress, await_also
from opsai_subjects.subject import Probe, SubjectKind


class Desks:
    """Desks by the name of their cluster. One may not be ready yet: a recording may still be played. Calls wait for it."""

    def __init__(self, kinds: Mapping[str, SubjectKind]) -> None:
        self.kinds: Mapping[str, SubjectKind] = MappingProxyType(dict(kinds))
        self._desks: dict[str, Desk] = {}
        self.opening = Progress()
        """How far it is with what makes them ready."""
        self._set = {name: anyio.Event() for name in kinds}

    @classmethod
    def of(cls, *desks: Desk) -> Self:
        """Return desks that are ready."""
        made = cls({desk.name: desk.kind for desk in desks})
        for desk in desks:
            made.set(desk)
        return made

    @property
    def names(self) -> tuple[str, ...]:
        """The clusters, in the order of the settings."""
        return tuple(self.kinds)

    @property
    def ready(self) -> tuple[Desk, ...]:
        """The desks that can be asked at once."""
        return tuple(self._desks[name] for name in self.kinds if name in self._desks)

    async def desk(self, name: str = "") -> Desk:
        """Wait for the desk of that cluster; without a name, of the only one. Raises ArgumentInvalid or UnknownName."""
        if not name and len(self.kinds) > 1:
            raise ArgumentInvalid("cluster", name, "this server shows several", ", ".join(self.names))
        name = name or self.names[0]
        if name not in self.kinds:
            raise UnknownName("cluster", name, self.names)
        if not self._set[name].is_set():
            await_also(self.opening)
            await self._set[name].wait()
        return self._desks[name]

    def set(self, desk: Desk) -> None:
        """Say that a desk is ready."""
        self._desks[desk.name] = desk
        self._set[desk.name].set()

    async def store(self) -> Store:
        """Wait for the store: all clusters of a server share one."""
        return (await self.desk(self.names[0])).store

    def probes(self) -> dict[Probe, tuple[str, ...]]:
        """Return the tools that only some kinds of system have, each with its clusters.

        Raises SettingsInvalid where two kinds have one of the same name.
        """
        found: dict[Probe, tuple[str, ...]] = {}
        named: dict[str, Probe] = {}
        for name, kind in self.kinds.items():
            for probe in kind.probes:
                if named.setdefault(probe.__name__, probe) is not probe:
                    raise SettingsInvalid(
                        f"The cluster {name!r} ({kind.name}) has a tool {probe.__name__!r} of another meaning than an "
                        "earlier cluster's. Serve clusters of these kinds by a server each, with --cluster NAME."
                    )
                found[probe] = (*found.get(probe, ()), name)
        return found
