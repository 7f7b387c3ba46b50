"""Which cluster was first seen under a name, in the store's tables."""

from datetime import UTC, datetime

import aiosqlite

from opsai_server.tickets.identity import Identity


async def identities(db: aiosqlite.Connection, cluster: str | None = None) -> tuple[Identity, ...]:
    """Return the identity of one cluster or of all, by name."""
    rows = await db.execute_fetchall(
        "SELECT cluster, cluster_id, first_seen FROM identities WHERE ?1 IS NULL OR cluster = ?1 ORDER BY cluster",
        (cluster,),
    )
    return tuple(
        Identity(
            cluster=row["cluster"],
            cluster_id=row["cluster_id"],
            first_seen=datetime.fromtimestamp(row["first_seen"], UTC),
        )
        for row in rows
    )


async def introduce(db: aiosqlite.Connection, cluster: str, cluster_id: str, at: datetime) -> None:
    """Keep who a cluster is, unless another program did so meanwhile."""
    await db.execute("INSERT OR IGNORE INTO identities VALUES (?, ?, ?)", (cluster, cluster_id, at.timestamp()))


async def forget(db: aiosqlite.Connection, cluster: str) -> None:
    """Forget who a cluster is: the next one that answers under the name takes it."""
    await db.execute("DELETE FROM identities WHERE cluster = ?", (cluster,))
