"""The page that hosts of MCP Apps show: how they find it, and that it can neither load nor run anything but itself."""

import base64
import hashlib
import re
from pathlib import Path
from typing import Any

import pytest
from mcp.types import TextResourceContents

from opsai_server.views.extension import VIEW_URI
from opsai_server.views.page import page
from tests.server.mcp.bench import ERAS, served

pytestmark = pytest.mark.anyio

EXTENSION = "io.modelcontextprotocol/ui"
NAMESPACE = "http://www.w3.org/2000/svg"
"""A name in the form of an address: nothing is ever fetched from it."""


@pytest.mark.parametrize("mode", ERAS)
async def test_overview_and_timeline_name_the_page_and_no_other_tool_does(tmp_path: Path, mode: str) -> None:
    async with served(tmp_path, mode=mode) as toy:
        tools = (await toy.client.list_tools()).tools

    named = {tool.name: tool.meta for tool in tools if tool.meta}
    assert named == {name: {"ui": {"resourceUri": VIEW_URI}} for name in ("overview", "timeline")}


async def test_the_extension_is_told_where_the_protocol_has_a_place_for_it(tmp_path: Path) -> None:
    async with served(tmp_path) as toy:
        capabilities = toy.client.server_capabilities

    assert capabilities is not None
    assert EXTENSION in (capabilities.extensions or {})


@pytest.mark.parametrize("mode", ERAS)
async def test_the_page_is_a_resource_that_asks_for_no_origin_and_no_permission(tmp_path: Path, mode: str) -> None:
    async with served(tmp_path, mode=mode) as toy:
        (listed,) = [one for one in (await toy.client.list_resources()).resources if str(one.uri) == VIEW_URI]
        (content,) = (await toy.client.read_resource(VIEW_URI)).contents

    assert isinstance(content, TextResourceContents)
    assert content.mime_type == listed.mime_type == "text/html;profile=mcp-app"
    assert content.text == page()
    about: dict[str, Any] = (listed.meta or {})["ui"]
    assert "permissions" not in about
    assert [origins for origins in about["csp"].values() if origins] == []


def test_its_policy_lets_in_its_own_style_and_script_and_nothing_else() -> None:
    (policy,) = re.findall(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)">', page())
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))

    assert rules.pop("script-src") == f"'{sha256(part('script'))}'"
    assert rules.pop("style-src") == f"'{sha256(part('style'))}'"
    assert rules == {"default-src": "'none'", "base-uri": "'none'", "form-action": "'none'"}


def part(name: str) -> str:
    (text,) = re.findall(rf"<{name}>(.*?)</{name}>", page(), re.DOTALL)
    return str(text)


def sha256(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def test_it_names_no_address_and_never_reads_text_as_html() -> None:
    whole = page().replace(NAMESPACE, "")

    assert re.findall(r"(?:https?:)?//[\w-]+\.\w|@import|\bsrc=|\bhref=", whole) == []
    assert (
        re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|\son\w+=", whole)
        == []
    )
    assert re.findall(r"fetch\(|XMLHttpRequest|WebSocket|EventSource|sendBeacon|localStorage", whole) == []


def test_it_stays_small() -> None:
    assert len(page().encode()) < 60_000


async def test_the_reply_is_the_same_for_a_client_without_the_extension(tmp_path: Path) -> None:
    async with served(tmp_path) as toy:
        result = await toy.client.call_tool("overview", {})

    assert [block.type for block in result.content] == ["text"]
    assert result.structured_content is not None
    assert result.structured_content["summary"]["subject"] == "toy"
