"""Ranges kept out of scheduling are read while a store waits to be emptied, and at no other time."""

from datetime import timedelta

import pytest
from pydantic import JsonValue

from opsai_subjects.opening import open_replay
from opsai_tikv.pd.client import V1
from tests.subjects.recording.opened import INCIDENTS
from tests.tikv.cluster import healthy, store, subject

pytestmark = pytest.mark.anyio

RULES = f"{V1}/config/region-label/rules"
DENY: JsonValue = [
    {
        "id": "lightning-5f2a",
        "labels": [{"key": "schedule", "value": "deny", "ttl": "5m0s"}],
        "rule_type": "key-range",
        "data": [{"start_key": "7480", "end_key": "7481"}],
    },
    {
        "id": "keyspaces/0",
        "labels": [{"key": "id", "value": "0"}],
        "rule_type": "key-range",
        "data": [{"start_key": "72", "end_key": "73"}],
    },
]


async def _denied(answer: JsonValue | tuple[int, str], state: str) -> tuple[tuple[str, ...] | None, list[str]]:
    leaving = store("4", state_name=state, node_state=2 if state == "Offline" else 1)
    fake = healthy(**{f"{V1}/stores": {"count": 3, "stores": [store("1"), leaving, store("5")]}})
    fake.answers = {**fake.answers, RULES: answer}
    async with subject(fake) as cluster:
        facts = await cluster.facts()
    return facts.denied_ranges, [part.asked for part in facts.unread if "region-label" in part.asked]


async def test_rules_that_deny_are_read_while_a_store_leaves() -> None:
    assert await _denied(DENY, "Offline") == (("lightning-5f2a",), [])


async def test_nobody_asks_while_no_store_waits() -> None:
    assert await _denied((500, "must not be asked"), "Up") == (None, [])


async def test_what_cannot_be_read_is_unknown_and_said() -> None:
    denied, unread = await _denied((500, "no"), "Offline")
    assert denied is None
    assert len(unread) == 1


async def test_a_recording_that_does_not_hold_them_is_silent_about_it() -> None:
    async with open_replay(INCIDENTS / "ivory-vole") as cluster:
        cluster.clock.set(cluster.recording.incident.end - timedelta(seconds=5))
        facts = await cluster.subject.facts()
    assert facts.model_dump(include={"denied_ranges"}) == {"denied_ranges": None}
    assert [part for part in facts.unread if "region-label" in part.asked] == []
