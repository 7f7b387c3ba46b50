"""Reading the store without making one: a look must not leave a file behind."""

from dataclasses import dataclass
from pathlib import Path

import anyio

from opsai_server.tickets.identity import Identity
from opsai_server.tickets.store import open_store
from opsai_server.tickets.ticket import OPEN, Ticket
from opsai_subjects.config import Settings
from opsai_subjects.errors import UnknownName


@dataclass(frozen=True, slots=True)
class KnownCluster:
    """A cluster that is set, or was seen, or both."""

    name: str
    subject: str
    """Empty where it is not set (any more)."""
    seen: Identity | None

    def as_json(self) -> dict[str, object]:
        """Return it for programs."""
        seen = self.seen.model_dump(mode="json", exclude={"cluster"}) if self.seen else {}
        return {"name": self.name, "subject": self.subject or None, **seen}

    def text(self) -> str:
        """Return its line."""
        who = (
            f"id {self.seen.cluster_id}, first seen {self.seen.first_seen:%Y-%m-%d %H:%M:%S} UTC"
            if self.seen
            else "never seen"
        )
        return f"{self.name}  {self.subject or 'not set'}  {who}"


async def known_clusters(settings: Settings) -> tuple[KnownCluster, ...]:
    """Return the clusters of the settings in their order, then those that are known from the store alone."""
    seen: dict[str, Identity] = {}
    if await anyio.Path(settings.store).exists():
        async with open_store(settings.store) as store:
            seen = {one.cluster: one for one in await store.identities()}
    named = {name: cluster.subject for name, cluster in settings.clusters.items()}
    return tuple(KnownCluster(name, named.get(name, ""), seen.get(name)) for name in {**named, **dict.fromkeys(seen)})


async def forget_cluster(path: Path, name: str) -> Identity:
    """Let a name be taken by another cluster; return who had it. Raises UnknownName."""
    if not await anyio.Path(path).exists():
        raise UnknownName("cluster that was seen", name, (), advice=f"There is no store at {path} yet.")
    async with open_store(path) as store:
        return await store.forget_identity(name)


async def tickets(path: Path, cluster: str | None, open_only: bool, limit: int) -> tuple[Ticket, ...]:
    """Return tickets, newest first; none where there is no store yet."""
    if not await anyio.Path(path).exists():
        return ()
    async with open_store(path) as store:
        return await store.tickets(cluster, status=OPEN if open_only else (), limit=limit)


async def family(path: Path, ident: str) -> tuple[Ticket, ...]:
    """Return a ticket's parent and all that joined it, parent first. Raises UnknownName."""
    if not await anyio.Path(path).exists():
        raise UnknownName("ticket", ident, (), advice=f"There is no store at {path} yet; opsai-watch makes one.")
    async with open_store(path) as store:
        return await store.family(ident)
