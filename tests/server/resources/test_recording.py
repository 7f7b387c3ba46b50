"""A shipped recording of a real cluster: its incident is listed, reported and asked about in both protocol eras."""

import re
from pathlib import Path

import anyio
import pytest
from mcp import Client

from opsai_server.app import assemble
from opsai_server.standing import Replay, open_desks
from opsai_subjects.config import Settings
from tests.server.mcp.bench import ERAS, text_of
from tests.server.prompts.test_prompts import attached_to, calls_in, task_of
from tests.server.resources.reader import offered, text_at, value_at
from tests.server.resources.test_report import SECTIONS, sections

pytestmark = pytest.mark.anyio

AMBER = Path(__file__).resolve().parents[3] / "compose" / "incidents" / "amber-heron"


async def test_the_incident_of_a_recording_is_reported_before_and_after_its_diagnosis(tmp_path: Path) -> None:
    settings = Settings(store=tmp_path / "opsai.sqlite")
    with anyio.fail_after(120):
        async with open_desks(Replay(AMBER, "+180s"), settings) as opened:
            server = assemble(opened.desks)
            async with Client(server) as client:
                early = [one.uri for one in (await client.list_resources()).resources]
                await opened.ready()
                found = {mode: await _looked_at(server, mode) for mode in ERAS}
                await _diagnose(client)
                after = sections(await text_at(client, "opsai://incidents/T-1"))

    assert "opsai://incidents/T-1" not in early
    assert found["auto"] == found["legacy"]
    before = sections(found["auto"])
    assert list(before) == list(after) == SECTIONS
    assert "`store_up` on `store:1`" in before["Summary"]
    assert "symptom_began: store_up violated: its status port refuses the connection" in before["Timeline"]
    assert before["Root cause"] == "Not diagnosed: no root cause is known."
    assert (
        "3 unknown (store_settings_alike): the settings of fewer than three stores could be read"
        in before["What could not be seen"]
    )
    assert "status:store:1: /status: no connection" in before["What could not be seen"]
    assert after["Root cause"].startswith("**`tikv_down` on `store:1`**: ")
    assert re.search(r"- holds \[E-\d+ /signs/store:1/pd_disconnected/state == 'shown'\]", after["Root cause"])
    happened = before["Timeline"].split("```")[1]
    assert after["Timeline"].split("```")[1].startswith(happened.rstrip())
    assert "ticket_diagnosed: T-1: D-1" in after["Timeline"]


async def _looked_at(server: object, mode: str) -> str:
    """Return the report, as a client of that era reads it, and ask for everything beside it."""
    async with Client(server, mode=mode) as client:  # type: ignore[arg-type]
        listed = {one.uri: one.title for one in (await client.list_resources()).resources}
        assert listed["opsai://incidents/T-1"] == "Incident T-1: store_up, critical"
        assert (await value_at(client, "opsai://clusters"))["clusters"][0]["ready"] is True
        assert await offered(client, "opsai://incidents/{ticket}", "ticket") == ["T-3", "T-2", "T-1"]
        assert "raft" in await offered(client, "compare_windows", "topic")
        prompt = await client.get_prompt("investigate_ticket", {"ticket": "T-1"})
        tools = {tool.name for tool in (await client.list_tools()).tools}
        assert {tool for tool, _ in calls_in(task_of(prompt))} <= tools
        assert "what only this system has (regions, scheduling, latency)" in task_of(prompt)
        assert '"store_up"' in attached_to(prompt).text
        return await text_at(client, "opsai://incidents/T-1")


async def _diagnose(client: Client) -> None:
    seen = (await client.call_tool("differential", {"ticket": "T-1"})).structured_content
    assert seen is not None
    submitted = await client.call_tool(
        "submit_diagnosis",
        {
            "ticket": "T-1",
            "verdict": "fault",
            "summary": "tikv3 is gone.",
            "root_causes": [{"entity": "store:1", "kind": "tikv_down", "explanation": "Its process ended."}],
            "claims": [
                {
                    "says": "PD has lost it",
                    "evidence_id": seen["evidence_id"],
                    "path": "/signs/store:1/pd_disconnected/state",
                    "op": "==",
                    "value": "shown",
                }
            ],
            "action": {"do": "Start it.", "because": "It is gone.", "verify": "It is up.", "touches": "nothing"},
        },
    )
    assert not submitted.is_error, text_of(submitted)
