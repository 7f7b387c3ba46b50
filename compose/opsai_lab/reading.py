"""Reading the store without making one: a look must not leave a file behind."""

from pathlib import Path

import anyio

from opsai_server.tickets.store import open_store
from opsai_server.tickets.ticket import Ticket
from opsai_subjects.errors import UnknownName


async def tickets(path: Path, cluster: str | None, open_only: bool, limit: int) -> tuple[Ticket, ...]:
    """Return tickets, newest first; none where there is no store yet."""
    if not await anyio.Path(path).exists():
        return ()
    async with open_store(path) as store:
        return await store.tickets(cluster, status=("created", "diagnosed") if open_only else (), limit=limit)


async def family(path: Path, ident: str) -> tuple[Ticket, ...]:
    """Return a ticket's parent and all that joined it, parent first. Raises UnknownName."""
    if not await anyio.Path(path).exists():
        raise UnknownName("ticket", ident, (), advice=f"There is no store at {path} yet; opsai-watch makes one.")
    async with open_store(path) as store:
        return await store.family(ident)
