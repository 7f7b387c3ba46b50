"""What an operator knows is listed and read as MCP resources, as the tool tells it."""

from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError
from mcp.types import INVALID_PARAMS, ReadResourceResult, TextResourceContents

from opsai_server.app import assemble
from opsai_server.tools.desks import Desks
from opsai_subjects.subject import Page, SubjectKind
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
    known = [one.uri for one in listed if one.uri.startswith("opsai://knowledge/")]
    assert known == [
        f"opsai://knowledge/{name}" for name in ("parts", "toy_down", "toy_full", "toy_slow", "known-bugs")
    ]
    assert "opsai://knowledge/{+id}" in [one.uri_template for one in templates]


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
        with pytest.raises(MCPError, match=r"There is no knowledge 'zebra'\. Known: parts, toy_down") as refused:
            await client.read_resource("opsai://knowledge/zebra")
    assert refused.value.error.code == INVALID_PARAMS


async def test_what_two_kinds_of_system_know_under_one_name_is_told_of_both() -> None:
    other = replace(TOY, name="other", knowledge=(Page(id="parts", title="Other parts", text="None."),))
    async with Client(assemble(Desks({"one": TOY, "two": other}))) as client:
        text = _text(await client.read_resource("opsai://knowledge/parts"))
        listed = [one.uri for one in (await client.list_resources()).resources]
    assert text.startswith("(of toy)\n\n# What parts are")
    assert "(of other)\n\n# Other parts" in text
    assert listed.count("opsai://knowledge/parts") == 1


async def test_everything_that_tikv_lists_can_be_read_and_is_short() -> None:
    async with _server(KIND) as client:
        listed = [one.uri for one in (await client.list_resources()).resources if "knowledge" in one.uri]
        texts = {uri: _text(await client.read_resource(uri)) for uri in listed}
        slashed = _text(await client.read_resource("opsai://knowledge/metrics/raft"))
    assert len(texts) == len(KIND.knowledge) + len(KIND.faults) + 1
    assert "opsai://knowledge/tikv_hang/frozen" in texts
    assert all(200 < len(text) < 20_000 for text in texts.values())
    assert "regions this store leads" in slashed


async def test_the_tool_shows_the_notes_of_a_fault_kind_too(tmp_path: Path) -> None:
    async with served(tmp_path) as toy:
        reply = await toy.ask("knowledge", words="toy_down")
    assert reply["entries"][0]["notes"] == "- Look: at its plug."
