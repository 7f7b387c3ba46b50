"""One server over several clusters: each call names its own, and nothing of one is told as another's."""

import json
from pathlib import Path

import pytest
from mcp import Client

from opsai_server.app import assemble
from opsai_server.tools.desks import Desks
from opsai_subjects.config import ClusterSettings, Settings, clusters_of_flags
from opsai_subjects.errors import SettingsInvalid
from opsai_subjects.registry import subject_kind
from opsai_subjects.reply import Answer
from opsai_subjects.subject import Visit
from tests.server.clusters.several import several
from tests.server.mcp.bench import ERAS
from tests.server.toy import ToyKind, ToyPart

pytestmark = pytest.mark.anyio

TWO = ("prod", "staging")


@pytest.mark.parametrize("mode", ERAS)
async def test_each_tool_takes_the_cluster_and_only_overview_does_without(tmp_path: Path, mode: str) -> None:
    async with several(tmp_path, *TWO, mode=mode) as server:
        tools = (await server.client.list_tools()).tools
        said = server.client.instructions or ""

    assert {str(tool.input_schema["properties"]["cluster"]["enum"]) for tool in tools} == {"['prod', 'staging']"}
    assert [tool.name for tool in tools if "cluster" not in tool.input_schema.get("required", [])] == ["overview"]
    assert "prod (toy), staging (toy)" in said


async def test_a_server_of_one_cluster_asks_for_no_name(tmp_path: Path) -> None:
    async with several(tmp_path, "prod") as server:
        tools = (await server.client.list_tools()).tools
        reply = await server.ask("overview")

    assert all("cluster" not in tool.input_schema["properties"] for tool in tools)
    assert reply["cluster"] == "prod"


async def test_what_is_true_of_one_is_not_said_of_the_other(tmp_path: Path) -> None:
    async with several(tmp_path, *TWO) as server:
        server.worlds["prod"].parts["a"] = ToyPart(up=False)
        prod = await server.ask("overview", cluster="prod")
        staging = await server.ask("overview", cluster="staging")

    assert (prod["cluster"], prod["summary"]["healthy"]) == ("prod", False)
    assert (staging["cluster"], staging["summary"]["healthy"]) == ("staging", True)


async def test_overview_without_a_cluster_lists_them_the_worst_first_and_asks_none(tmp_path: Path) -> None:
    async with several(tmp_path, *TWO) as server:
        server.worlds["staging"].parts["a"] = ToyPart(up=False)
        await server.watch("staging", 0, 30, 30)
        for world in server.worlds.values():
            world.broken = AssertionError("asked")
        result = await server.call("overview")

    reply = result.structured_content
    assert reply is not None
    assert not result.is_error
    first, second = reply["of_each"]
    assert (first["cluster"], first["worst"], first["violated"], first["watched"]) == ("staging", "critical", 1, True)
    assert first["newest"] == ["T-1"]
    assert (second["cluster"], second["open_tickets"], second["watched"]) == ("prod", 0, False)
    assert reply["clusters"] == ["prod", "staging"]


async def test_tickets_evidence_and_diagnoses_of_one_are_refused_under_the_name_of_the_other(tmp_path: Path) -> None:
    async with several(tmp_path, *TWO) as server:
        server.worlds["prod"].parts["a"] = ToyPart(up=False)
        await server.watch("prod", 0, 30, 30)
        ticket = (await server.ask("tickets", cluster="prod", id="T-1"))["ticket"]
        stored = (await server.ask("overview", cluster="prod"))["evidence_id"]
        refusals = [
            await server.fail("tickets", cluster="staging", id="T-1"),
            await server.fail("differential", cluster="staging", ticket="T-1"),
            await server.fail("evidence", cluster="staging", id=stored),
        ]
        listed = await server.ask("tickets", cluster="staging", status="all")

    assert ticket["cluster"] == "prod"
    assert all("of cluster 'staging'" in refusal for refusal in refusals)
    assert listed["tickets"] == []


async def test_a_call_without_its_cluster_or_with_another_name_is_told_the_names(tmp_path: Path) -> None:
    async with several(tmp_path, *TWO) as server:
        missing = await server.fail("topology")
        wrong = await server.fail("topology", cluster="prd")

    assert "argument cluster" in missing
    assert "'prod'" in wrong
    assert "'staging'" in wrong


async def test_names_that_would_fill_every_definition_are_left_to_overview() -> None:
    names = [f"cluster-of-a-long-name-{n}" for n in range(40)]
    async with Client(assemble(Desks({name: ToyKind() for name in names}))) as client:
        tools = (await client.list_tools()).tools

    assert {json.dumps(tool.input_schema["properties"]["cluster"]).count("cluster-of") for tool in tools} == {0}
    assert "overview" in str(tools[1].input_schema["properties"]["cluster"]["description"])


async def test_a_tool_that_one_kind_of_system_has_takes_only_its_clusters() -> None:
    desks = Desks({"prod": subject_kind("tikv"), "config": subject_kind("etcd"), "staging": subject_kind("tikv")})
    tools = {tool.name: tool for tool in await assemble(desks).list_tools()}

    assert tools["regions"].input_schema["properties"]["cluster"]["enum"] == ["prod", "staging"]
    assert tools["topology"].input_schema["properties"]["cluster"]["enum"] == ["prod", "config", "staging"]


async def test_two_kinds_with_a_tool_of_one_name_are_refused_before_anything_is_served() -> None:
    async def depth(visit: Visit) -> Answer:
        raise AssertionError(visit)

    async def other(visit: Visit) -> Answer:
        raise AssertionError(visit)

    other.__name__ = "depth"
    kinds = {"one": ToyKind(probes=(depth,)), "two": ToyKind(probes=(other,))}

    with pytest.raises(SettingsInvalid, match=r"'two'.*'depth'.*--cluster"):
        assemble(Desks(kinds))


def test_without_a_name_or_an_address_every_cluster_of_the_settings_is_meant() -> None:
    clusters = {name: ClusterSettings(endpoints=(f"http://{name}:2379",)) for name in TWO}
    settings = Settings(clusters=clusters)

    assert clusters_of_flags(settings, None) == clusters
    assert list(clusters_of_flags(settings, "staging")) == ["staging"]
    assert list(clusters_of_flags(settings, None, endpoints=["http://other:2379"])) == ["cluster"]
    with pytest.raises(SettingsInvalid, match="Which cluster"):
        clusters_of_flags(settings, None, prometheus="http://prometheus:9090")
