"""What nodes' answers tell of their clocks and certificates is in the facts, of those asked at this look."""

from collections.abc import Callable
from datetime import timedelta
from email.utils import format_datetime

import httpx
import pytest

from opsai_subjects.config import ClusterSettings, WebLimits
from opsai_subjects.endpoint import Access
from opsai_subjects.sources.meetings import Meetings
from opsai_subjects.sources.web import open_web
from opsai_subjects.subject import Sources
from opsai_tikv.facts import TikvFacts
from opsai_tikv.invariants import judge
from opsai_tikv.kind import KIND
from tests.tikv.cluster import STORES, Whole, healthy
from tests.tikv.eyes import AT, StillClock
from tests.tikv.pd.fake import URLS
from tests.tikv.scene import Scene

pytestmark = pytest.mark.anyio


def dated(ahead: Callable[[str], float | None]) -> Callable[[httpx.Request], httpx.Response]:
    """Return a cluster whose nodes are so many seconds ahead, by host; None tells no time."""
    whole = Whole(healthy())

    def answer(request: httpx.Request) -> httpx.Response:
        response = whole(request)
        seconds = ahead(request.url.host)
        if seconds is not None:
            response.headers["date"] = format_datetime(AT + timedelta(seconds=seconds), usegmt=True)
        return response

    return answer


async def facts_of(
    ahead: Callable[[str], float | None], reach: dict[str, str] | None = None, *, noted: bool = True
) -> TikvFacts:
    clock = StillClock()
    meetings = Meetings(clock) if noted else None
    transport = httpx.MockTransport(dated(ahead))
    async with open_web(Access(), WebLimits(), allow=KIND.paths, transport=transport, meetings=meetings) as web:
        sources = Sources(web=web, metrics=None, logs=None, clock=clock, reach=reach or {}, meetings=meetings)
        facts = await KIND.open("prod", ClusterSettings(endpoints=URLS), sources).facts()
    assert isinstance(facts, TikvFacts)
    return facts


def states(facts: TikvFacts, invariant: str) -> dict[str, str]:
    return {one.entity: one.state for one in judge(facts) if one.invariant == invariant}


async def test_each_nodes_clock_is_known_and_one_that_jumped_is_named() -> None:
    facts = await facts_of(lambda host: 60.0 if host == STORES["4"] else 0.0)

    assert facts.clocks is not None
    assert set(facts.clocks) == {"pd-a", "pd-b", "pd-c", "store:1", "store:4", "store:5"}
    assert [entity for entity, state in states(facts, "node_clock_true").items() if state == "violated"] == ["store:4"]
    assert states(facts, "our_clock_true") == {"cluster": "held"}


async def test_where_all_nodes_differ_from_us_it_is_our_clock() -> None:
    facts = await facts_of(lambda _: -30.0)

    assert set(states(facts, "node_clock_true").values()) == {"held"}
    assert states(facts, "our_clock_true") == {"cluster": "violated"}


async def test_answers_without_a_time_leave_clocks_unknown() -> None:
    facts = await facts_of(lambda _: None)

    assert facts.clocks == {}
    assert set(states(facts, "node_clock_true").values()) == {"unknown"}


async def test_nodes_behind_one_address_tell_the_proxys_time_and_so_none() -> None:
    proxy = {f"{host}:20180": f"http://{STORES['1']}:20180" for host in STORES.values()}
    facts = await facts_of(lambda _: 0.0, proxy)

    assert set(facts.clocks or {}) == {"pd-a", "pd-b", "pd-c"}


async def test_over_plain_http_no_certificate_can_end_and_where_nobody_notes_it_is_unknown() -> None:
    assert states(await facts_of(lambda _: 0.0), "certificates_last") == {"cluster": "held"}
    assert states(await facts_of(lambda _: 0.0, noted=False), "certificates_last") == {"cluster": "unknown"}


async def test_a_late_clock_of_prometheus_is_not_taken_for_wrong_timestamps() -> None:
    scene = Scene()
    scene.set("tso_ahead_seconds", "cluster", 20.0)
    assert states(scene.facts(), "pd_clock_true") == {"cluster": "violated"}

    assert scene.clocks is not None
    scene.clocks["prometheus"] = -20.0
    assert states(scene.facts(), "pd_clock_true") == {"cluster": "held"}
    assert states(scene.facts(), "our_clock_true") == {"cluster": "violated"}
