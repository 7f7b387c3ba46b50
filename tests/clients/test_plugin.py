"""The plugin for Claude Code: it is what Claude Code takes for valid, and installed from the checkout its parts work."""

import json
import re
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from tests.agent.conftest import serving
from tests.clients.claude_code import PROGRAMS, claude_code
from tests.clients.reader import Heard, Reader
from tests.server.mcp.test_stdio import AMBER, ROOT
from tests.server.mcp.test_surface import TIKV, definitions

MARKETPLACE = ROOT / ".claude-plugin" / "marketplace.json"
PLUGIN = ROOT / "plugins" / "opsai"
MANIFEST = PLUGIN / ".claude-plugin" / "plugin.json"
PREFIX = "mcp__plugin_opsai_opsai__"
SKILLS = sorted((PLUGIN / "skills").glob("*/SKILL.md"))
AGENT = PLUGIN / "agents" / "investigator.md"


def read(path: Path) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return value


def granted(page: Path) -> list[str]:
    """Return the tools that a skill or an agent names for itself, without the plugin's prefix."""
    _, head, _ = page.read_text(encoding="utf-8").split("---\n", 2)
    return re.findall(rf"{PREFIX}(\w+)", head)


@pytest.mark.anyio
async def test_the_agent_has_every_read_and_a_skill_grants_nothing_but_reads() -> None:
    listed = await definitions(TIKV)
    reads = {name for name, tool in listed.items() if tool["annotations"]["readOnlyHint"]}

    assert listed.keys() - reads == {"submit_diagnosis"}
    assert sorted(granted(AGENT)) == sorted(reads)
    for skill in SKILLS:
        assert {"overview", "tickets"} <= set(granted(skill)) <= reads


def test_it_is_as_old_as_the_program_and_fetches_none() -> None:
    manifest = read(MANIFEST)
    (server,) = manifest["mcpServers"].values()

    assert manifest["version"] == version("opsai")
    assert server["command"] == "${user_config.program}"  # the user's own: no index is asked for a name
    assert read(MARKETPLACE)["plugins"][0]["source"] == "./" + PLUGIN.relative_to(ROOT).as_posix()


@pytest.mark.parametrize(
    "page", [*SKILLS, AGENT], ids=lambda page: page.stem if page.stem != "SKILL" else page.parent.name
)
def test_each_part_says_what_unknown_means_and_that_nobody_acts(page: Path) -> None:
    text = " ".join(page.read_text(encoding="utf-8").split())

    assert re.search(r"[Uu]nknown is not (?:healthy|health)", text)
    assert re.search(r"[Nn]ever act|[Nn]ever change the cluster|cannot change anything", text)


def investigated(heard: Heard) -> dict[str, Any]:
    """The course: follow the skill, look, send the investigator, and say what it returned."""
    done = [name for name, _ in heard.results]
    if "Agent" not in [tool["name"] for tool in heard.body["tools"]]:  # this is the investigator's own conversation
        if "overview" not in heard.replies:
            return heard.call("overview")
        cause = heard.replies["overview"]["causes"][0]
        return {"text": f"fault: {cause['kind']} on {cause['entity']}"}
    if "Skill" not in done:
        return {"calls": [{"name": "Skill", "input": {"skill": "opsai:on-call-triage"}}]}
    if "overview" not in heard.replies:
        return heard.call("overview")
    if "Agent" not in done:
        task = {"description": "Look into T-1", "prompt": "Investigate T-1.", "run_in_background": False}
        return {"calls": [{"name": "Agent", "input": {**task, "subagent_type": "opsai:investigator"}}]}
    returned = next(block for name, block in heard.results if name == "Agent")
    return {"text": returned["content"][0]["text"]}


@pytest.mark.anyio
@pytest.mark.clients
async def test_it_is_valid_and_installed_from_the_checkout_all_its_parts_work(tmp_path: Path) -> None:
    claude = claude_code(tmp_path)
    options = {"program": PROGRAMS / "opsai-mcp", "recording": AMBER}
    given = [part for name, value in options.items() for part in ("--config", f"{name}={value}")]
    steps = [
        await claude.run("plugin", "validate", "--strict", str(ROOT)),
        await claude.run("plugin", "validate", "--strict", str(PLUGIN)),
        await claude.run("plugin", "marketplace", "add", str(ROOT)),
        await claude.run("plugin", "install", "opsai@opsai", *given),
    ]
    reader = Reader(course=investigated)
    async with serving(reader) as url:
        run = await claude.ask(url, "T-1 paged me.", allowed="Skill,Agent")

    assert [step.code for step in steps] == [0] * len(steps), steps
    assert "fault: tikv_down on store:1" in run.ended["result"], run
    assert run.ended["permission_denials"] == []
    assert "Unknown is not healthy and not broken: nobody could look." in reader.heard[-1].text  # the skill's page
    own = next(heard for heard in reader.heard if "You investigate a cluster that you can only read." in heard.text)
    offered = [tool["name"] for tool in own.body["tools"] if not tool.get("defer_loading")]
    assert sorted(offered) == sorted(f"{PREFIX}{name}" for name in granted(AGENT))
