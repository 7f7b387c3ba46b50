"""A chart on its way through Claude Code: the image reaches the model beside the reply."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from tests.agent.conftest import serving
from tests.clients.claude_code import PROGRAMS, claude_code
from tests.clients.reader import Heard, Reader
from tests.server.mcp.test_stdio import AMBER

pytestmark = [pytest.mark.anyio, pytest.mark.clients]


def drawn(heard: Heard) -> dict[str, Any]:
    if not heard.results:
        return heard.call("query_metrics", name="up", chart=True)
    return {"text": "seen"}


async def test_the_image_of_a_chart_reaches_the_model_with_the_reply(tmp_path: Path) -> None:
    claude = claude_code(tmp_path)
    server = {
        "type": "stdio",
        "command": str(PROGRAMS / "opsai-mcp"),
        "args": ["--replay", str(AMBER), "--at", "+120s"],
        "alwaysLoad": True,
    }
    config = tmp_path / "mcp.json"
    config.write_text(json.dumps({"mcpServers": {"opsai": server}}))
    reader = Reader(course=drawn)
    async with serving(reader) as url:
        run = await claude.ask(
            url, "Draw it.", "--mcp-config", str(config), "--strict-mcp-config", allowed="mcp__opsai"
        )

    assert run.ended["result"] == "seen", run
    ((name, result),) = reader.heard[-1].results
    images = [block["source"] for block in result["content"] if block["type"] == "image"]
    told = "".join(block["text"] for block in result["content"] if block["type"] == "text")
    assert name == "mcp__opsai__query_metrics"
    assert [image["media_type"] for image in images] == ["image/png"]
    assert base64.b64decode(images[0]["data"]).startswith(b"\x89PNG")
    assert "series drawn" in told
