"""Reads of resources and prompts are counted and have a line of the audit each, as calls of tools do; no argument stands in it."""

import logging
import re
from pathlib import Path

import pytest

from opsai_server.watcher import tick
from tests.server.mcp.sites import client, site
from tests.server.resources.reader import refused
from tests.server.toy import ToyWorld

pytestmark = pytest.mark.anyio


async def test_each_read_is_counted_by_what_it_is_of_and_how_it_ended(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "opsai_server.calls")
    async with site(tmp_path) as it:
        async with client(it.url, "legacy") as one:
            await one.read_resource("opsai://tickets")
            await one.read_resource("opsai://tickets?cluster=toy")
            await refused(one.read_resource("opsai://incidents/T-4711"))
            await refused(one.read_resource("opsai://zebras/4711"))
            await one.get_prompt("health_check")
            await refused(one.get_prompt("post_mortem", {"ticket": "T-4711"}))
            await refused(one.get_prompt("zebra-4711"))
        read = [
            await it.metric(f'opsai_mcp_resource_reads_total{{outcome="{outcome}",resource="{resource}"}}')
            for resource, outcome in (("tickets", "answered"), ("incident", "refused"), ("unknown", "refused"))
        ]
        asked = [
            await it.metric(f'opsai_mcp_prompt_gets_total{{outcome="{outcome}",prompt="{prompt}"}}')
            for prompt, outcome in (("health_check", "answered"), ("post_mortem", "refused"), ("unknown", "refused"))
        ]
        seconds = await it.metric('opsai_mcp_resource_seconds_count{resource="tickets"}')
        chars = await it.metric('opsai_mcp_prompt_chars_count{prompt="health_check"}')
        tools = await it.metric('opsai_mcp_tool_calls_total{outcome="answered",tool="tickets"}')

    lines = [record.getMessage() for record in caplog.records if record.name == "opsai_server.calls"]
    assert (read, asked) == ([2, 1, 1], [1, 1, 1])
    assert (seconds, chars, tools) == (2, 1, 0)
    assert [re.sub(r"(session|took_seconds|chars)=[\w.]+", r"\1=…", line) for line in lines] == [
        f"{what} cluster='{cluster}' session=… peer=127.0.0.1 client='mcp' chars=… took_seconds=… outcome={outcome}"
        for what, cluster, outcome in (
            ("resource_read resource=tickets", "", "answered"),
            ("resource_read resource=tickets", "toy", "answered"),
            ("resource_read resource=incident", "", "refused"),
            ("resource_read resource=unknown", "", "refused"),
            ("prompt_get prompt=health_check", "toy", "answered"),
            ("prompt_get prompt=post_mortem", "", "refused"),
            ("prompt_get prompt=unknown", "", "refused"),
        )
    ]
    assert not any("4711" in line for line in lines)


async def test_a_fault_of_ours_is_counted_as_failed_and_its_text_stays_in_the_log(tmp_path: Path) -> None:
    async with site(tmp_path) as it:
        world = it.desk.cluster.clock
        assert isinstance(world, ToyWorld)
        world.parts["b"].up = False
        for _ in range(2):
            world.later(30)
            await tick(it.desk.cluster, it.desk.store, it.desk.settings.watch, watcher="toy:1")
        async with client(it.url) as one:
            world.broken = ValueError("canary of the inside")
            said = await refused(one.read_resource("opsai://incidents/T-1"), code=-32603)
        failed = await it.metric('opsai_mcp_resource_reads_total{outcome="failed",resource="incident"}')

    assert failed == 1
    assert said.startswith("internal error ValueError, logged with its traceback on the server's stderr.")
    assert "canary" not in said
