"""What an operator knows is listed and read as MCP resources, as the tool tells it."""

from pathlib import Path
from urllib.parse import quote

import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError
from mcp.types import ReadResourceResult, TextResourceContents

from opsai_server.app import assemble
from opsai_server.tools.desks import Desks
from opsai_subjects.subject import SubjectKind
from opsai_tikv.kind import KIND
from tests.server.mcp.bench import ERAS, served
from tests.server.toy import KIND as TOY

pytestmark = pytest.mark.anyio


def _text(result: ReadResourceResult) -> str:
    [contents] = result.contents
    assert isinstance(contents, TextResourceContents)
    assert contents.mime_type == "text/markdown"
    return contents.text


def _server(kind: SubjectKind) -> Client:
    return Client(assemble(Desks({"toy": kind})))


@pytest.mark.parametrize("mode", ERAS)
async def test_pages_fault_kinds_and_the_table_of_bugs_are_listed(mode: str) -> None:
    async with Client(assemble(Desks({"toy": TOY})), mode=mode) as client:
        listed = (await client.list_resources()).resources
        templates = (await client.list_resource_templates()).resource_templates
    assert [str(one.uri) for one in listed] == [
        f"opsai://knowledge/{name}" for name in ("parts", "toy_down", "toy_full", "toy_slow", "known-bugs")
    ]
    assert [one.uri_template for one in templates] == ["opsai://knowledge/{+id}"]


async def test_a_page_reads_as_it_stands() -> None:
    async with _server(TOY) as client:
        assert _text(await client.read_resource("opsai://knowledge/parts")) == (
            "# What parts are\n\nA part does *one* thing.\n"
        )


async def test_a_fault_kind_reads_as_a_page_of_its_data_and_its_notes() -> None:
    async with _server(TOY) as client:
        text = _text(await client.read_resource("opsai://knowledge/toy_down"))
    assert text.startswith("# The part's process is gone. (toy_down, on a part)")
    assert "- it does not run (gone)" in text
    assert "- toy_full (The part has no room.): it is full (full)" in text
    assert "Start the part again. It touches: restart." in text
    assert "- Look: at its plug." in text


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("toy#7", "a cog slips"),
        ("known-bugs", "fixed in 1.0.4, 2.0.0"),
        ("part_up", "Every part runs."),
        ("part_latency", "toy_latency_seconds"),
    ],
)
async def test_anything_known_reads_by_its_id(name: str, says: str) -> None:
    async with _server(TOY) as client:
        assert says in _text(await client.read_resource(f"opsai://knowledge/{quote(name)}"))


async def test_what_is_not_known_is_refused_with_what_to_do() -> None:
    async with _server(TOY) as client:
        with pytest.raises(MCPError, match="Nothing is known under 'zebra'"):
            await client.read_resource("opsai://knowledge/zebra")


async def test_everything_that_tikv_lists_can_be_read_and_is_short() -> None:
    async with _server(KIND) as client:
        listed = (await client.list_resources()).resources
        texts = {str(one.uri): _text(await client.read_resource(str(one.uri))) for one in listed}
        slashed = _text(await client.read_resource("opsai://knowledge/metrics/raft"))
    assert len(texts) == len(KIND.knowledge) + len(KIND.faults) + 1
    assert "opsai://knowledge/tikv_hang/frozen" in texts
    assert all(200 < len(text) < 20_000 for text in texts.values())
    assert "regions this store leads" in slashed


async def test_the_tool_shows_the_notes_of_a_fault_kind_too(tmp_path: Path) -> None:
    async with served(tmp_path) as toy:
        reply = await toy.ask("knowledge", words="toy_down")
    assert reply["entries"][0]["notes"] == "- Look: at its plug."
