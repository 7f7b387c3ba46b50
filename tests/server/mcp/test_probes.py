"""A question that only one kind of system has is a tool like any other."""

from typing import Annotated

import pytest
from mcp import Client
from mcp.types import CallToolResult
from pydantic import Field

from opsai_server.app import Deps, build
from opsai_subjects.reply import Answer, Rows
from opsai_subjects.subject import Visit
from tests.server.mcp.bench import Served, served, text_of
from tests.server.toy import ToyFacts, ToyKind

pytestmark = pytest.mark.anyio


async def fill(visit: Visit, part: Annotated[str, Field(description="Which part.")] = "") -> Answer:
    """Say how full each part is. Use it to see which part needs room before it refuses writes. Claim path: /parts/a."""
    facts = await visit.facts()
    assert isinstance(facts, ToyFacts)
    parts = {name: full for name, (_, _, _, full) in facts.parts.items() if not part or name == part}
    return Answer(at=facts.at, value={"parts": parts}, shown={"parts": Rows([parts], len(facts.parts), "part='b'")})


async def asked(toy: Served, **arguments: object) -> CallToolResult:
    kind = toy.cluster.subject.kind
    assert isinstance(kind, ToyKind)
    toy.cluster.subject.kind = type(kind)(probes=(fill,))
    async with Client(build(Deps(toy.cluster, toy.store, toy.settings))) as client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert list(tools["fill"].input_schema["properties"]) == ["part"]
        assert tools["fill"].annotations is not None
        assert tools["fill"].annotations.read_only_hint
        return await client.call_tool("fill", arguments)


async def test_a_probe_is_asked_with_the_facts_of_the_moment_and_its_reply_is_evidence(tmp_path) -> None:
    async with served(tmp_path) as toy:
        result = await asked(toy)

        assert not result.is_error, text_of(result)
        assert isinstance(result.structured_content, dict)
        assert result.structured_content["parts"] == [{"a": 0.2, "b": 0.2, "c": 0.2}]
        kept = await toy.store.evidence(result.structured_content["evidence_id"])
        assert kept.value == {"parts": {"a": 0.2, "b": 0.2, "c": 0.2}}


async def test_a_probe_refuses_an_argument_it_does_not_know(tmp_path) -> None:
    async with served(tmp_path) as toy:
        result = await asked(toy, parts="a")

        assert result.is_error
        assert "Did you mean 'part'?" in text_of(result)
