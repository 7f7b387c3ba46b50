"""Where a recording stands, and in which store."""

from datetime import timedelta
from pathlib import Path

import pytest

from opsai_server.standing import AFTER_TICKET, Replay, open_desks
from opsai_subjects.config import Settings

pytestmark = pytest.mark.anyio

INCIDENTS = Path(__file__).resolve().parents[3] / "compose" / "incidents"
AMBER = INCIDENTS / "amber-heron"
HEALTHY = INCIDENTS / "birch-lynx"


async def test_a_store_of_ones_own_is_played_into_once_and_then_used_as_it_is(tmp_path: Path) -> None:
    store = tmp_path / "mine.sqlite"
    settings = Settings(store=tmp_path / "never.sqlite")
    async with open_desks(Replay(AMBER, store=store), settings) as first:
        await first.ready()
        desk = await first.desks.desk()
        played_to = desk.now()
        tickets = await desk.store.tickets("lab")
    async with open_desks(Replay(AMBER, store=store), settings) as second:
        await second.ready()
        desk = await second.desks.desk()
        again = await desk.store.tickets("lab")
        stands_at = desk.now()

    assert played_to == min(ticket.raised_at for ticket in tickets) + AFTER_TICKET
    assert again == tickets
    assert abs(stands_at - played_to) < timedelta(seconds=1)
    assert not settings.store.exists()


async def test_a_recording_without_a_ticket_stands_at_its_end(tmp_path: Path) -> None:
    async with open_desks(Replay(HEALTHY), Settings(store=tmp_path / "never.sqlite")) as opened:
        await opened.ready()
        desk = await opened.desks.desk()
        end = desk.cluster.recording.incident.end if desk.cluster.recording else None

        assert desk.now() == end
        assert await desk.store.tickets("lab") == ()
