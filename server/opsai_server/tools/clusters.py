"""The clusters that a server of several shows, as its store knows them: a list to choose from, made without asking any of them."""

from collections.abc import Mapping

from opsai_server.tickets.ticket import OPEN, Heartbeat
from opsai_server.tools.desk import Desk
from opsai_server.tools.desks import Desks
from opsai_server.tools.judged import SEVERITIES
from opsai_subjects.model import Window
from opsai_subjects.reply import Rows, without_empty

ROWS = 60


async def clusters(desks: Desks) -> dict[str, object]:
    """Return the reply of `overview` without a cluster. Raises StoreError."""
    rows = [await _row(await desks.desk(name)) for name in desks.names]
    rows.sort(key=_urgency)
    return {
        "says": "Several clusters. These counts are the watcher's last; ask overview(cluster=…) to look at one now.",
        "of_each": Rows(rows[:ROWS], len(rows), "the others by name"),
    }


async def _row(desk: Desk) -> dict[str, object]:
    beat = await desk.store.heartbeat(desk.name)
    tickets = await desk.store.tickets(desk.name, status=OPEN, parents_only=True, limit=200)
    worst = min((ticket.severity for ticket in tickets), key=SEVERITIES.index, default="")
    return without_empty(
        {
            "cluster": desk.name,
            "subject": desk.kind.name,
            "open_tickets": len(tickets),
            "worst": worst,
            "newest": [ticket.id for ticket in tickets[:3]],
            "watched": beat is not None and beat.alive(desk.now()),
            **(await _looked(desk, beat) if beat is not None else {}),
        }
    )


async def _looked(desk: Desk, beat: Heartbeat) -> dict[str, object]:
    ticks = await desk.store.ticks(desk.name, Window.last(2 * beat.interval_seconds, beat.at))
    if not ticks:
        return {"looked_at": beat.at}
    last = ticks[-1]
    return {"looked_at": last.at, "held": last.held, "violated": last.violated, "unknown": last.unknown}


def _urgency(row: Mapping[str, object]) -> tuple[int, int]:
    worst, violated = str(row.get("worst", "")), row.get("violated", 0)
    return SEVERITIES.index(worst) if worst else len(SEVERITIES), -violated if isinstance(violated, int) else 0
