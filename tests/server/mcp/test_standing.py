"""Where a recording stands, and in which store."""

from datetime import timedelta
from pathlib import Path

import pytest

from opsai_server.standing import AFTER_TICKET, Replay, open_desk
from opsai_subjects.config import Settings

pytestmark = pytest.mark.anyio

INCIDENTS = Path(__file__).resolve().parents[3] / "compose" / "incidents"
AMBER = INCIDENTS / "amber-heron"
HEALTHY = INCIDENTS / "birch-lynx"


async def test_a_store_of_ones_own_is_played_into_once_and_then_used_as_it_is(tmp_path: Path) -> None:
    store = tmp_path / "mine.sqlite"
    settings = Settings(store=tmp_path / "never.sqlite")
    async with open_desk(Replay(AMBER, store=store), settings) as first:
        await first.ready()
        played_to = first.desk.now()
        tickets = await first.desk.store.tickets("lab")
    async with open_desk(Replay(AMBER, store=store), settings) as second:
        await second.ready()
        again = await second.desk.store.tickets("lab")
        stands_at = second.desk.now()

    assert played_to == min(ticket.raised_at for ticket in tickets) + AFTER_TICKET
    assert again == tickets
    assert abs(stands_at - played_to) < timedelta(seconds=1)
    assert not settings.store.exists()


async def test_a_recording_without_a_ticket_stands_at_its_end(tmp_path: Path) -> None:
    async with open_desk(Replay(HEALTHY), Settings(store=tmp_path / "never.sqlite")) as opened:
        await opened.ready()
        end = opened.desk.cluster.recording.incident.end if opened.desk.cluster.recording else None

        assert opened.desk.now() == end
        assert await opened.desk.store.tickets("lab") == ()
