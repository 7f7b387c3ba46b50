"""Changes of tickets reach the clients that asked for them, in both eras and over every transport, made by another program."""

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import anyio.lowlevel
import pytest
from mcp import Client, MCPError, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.server.subscriptions import SUBSCRIPTION_ID_META_KEY

from opsai_server.app import assemble
from opsai_server.changes.adding import MOST_URIS
from opsai_server.tickets.store import open_store
from opsai_server.tools.desk import Desk
from opsai_server.tools.desks import Desks
from opsai_subjects.config import Settings
from tests.server.changes.audience import TICKETS, Another, Ear, over_http, subscribe, told, unsubscribe
from tests.server.mcp.bench import ERAS
from tests.server.mcp.sites import site
from tests.server.mcp.test_stdio import AMBER, PROGRAM, environment
from tests.server.toy import toy_cluster

pytestmark = pytest.mark.anyio

FIRST, SECOND, INCIDENT = "opsai://tickets/T-1", "opsai://tickets/T-2", "opsai://incidents/T-1"
Serve = Callable[[Path, str, Ear], AbstractAsyncContextManager[Client]]


@asynccontextmanager
async def in_memory(folder: Path, mode: str, ear: Ear) -> AsyncGenerator[Client]:
    settings = Settings(store=folder / "opsai.sqlite")
    async with open_store(settings.store) as store:
        desks = Desks.of(Desk(toy_cluster(), store, settings))
        async with Client(assemble(desks), mode=mode, message_handler=ear.hear) as client:
            yield client


@asynccontextmanager
async def http(folder: Path, mode: str, ear: Ear) -> AsyncGenerator[Client]:
    async with site(folder) as it, over_http(it.url, mode, ear.hear) as client:
        yield client


@asynccontextmanager
async def stdio(folder: Path, mode: str, ear: Ear) -> AsyncGenerator[Client]:
    flags = ["--replay", str(AMBER), "--at", "start", "--store", str(folder / "opsai.sqlite")]
    parameters = StdioServerParameters(command=PROGRAM[0], args=[*PROGRAM[1:], *flags], env=environment(folder))
    with (folder / "stderr.txt").open("w") as errors:
        async with Client(stdio_client(parameters, errlog=errors), mode=mode, message_handler=ear.hear) as client:
            yield client


async def refusal(client: Client, uri: str) -> str:
    """Ask to be told of this alone, and return why not."""
    with pytest.raises(MCPError) as refused:
        await ask_for(client, uri)
    return str(refused.value)


async def ask_for(client: Client, uri: str) -> None:
    if client.protocol_version < "2026":
        await subscribe(client, uri)
    else:
        async with client.listen(resource_subscriptions=[uri]):
            pass


@pytest.mark.parametrize("mode", ERAS)
@pytest.mark.parametrize(("serve", "cluster"), [(in_memory, "toy"), (http, "toy"), (stdio, "lab")])
async def test_a_ticket_that_another_program_raises_and_diagnoses_is_told_by_its_uri_alone(
    tmp_path: Path, other: Another, serve: Serve, cluster: str, mode: str
) -> None:
    ear = Ear()
    async with serve(tmp_path, mode, ear) as client:
        await client.call_tool("tickets", {})
        await other.opens(tmp_path / "opsai.sqlite", cluster)
        async with told(client, ear) as first:
            await other.does("break a")
            heard = [await first.next()]
        async with told(client, ear, FIRST, INCIDENT) as then:
            await other.does("look")
            await other.does("diagnose T-1")
            heard += sorted([await then.next(), await then.next()])
            more = then.more()

    assert heard == [TICKETS, INCIDENT, FIRST]
    assert more == []
    assert all(set(sent) <= {"uri", "meta"} for sent in ear.params)
    assert all(set(sent.get("meta", {})) <= {SUBSCRIPTION_ID_META_KEY} for sent in ear.params)


async def test_of_an_incident_whatever_happens_to_its_children_is_told_and_of_a_ticket_only_its_own(
    tmp_path: Path, other: Another
) -> None:
    ear = Ear()
    async with in_memory(tmp_path, "auto", ear) as client:
        await other.opens(tmp_path / "opsai.sqlite")
        await other.does("break a")
        await other.does("slow a")
        async with told(client, ear, FIRST, SECOND, INCIDENT) as heard:
            await other.does("diagnose T-2")
            changed = {await heard.next(), await heard.next()}
            more = heard.more()

    assert changed == {SECOND, INCIDENT}
    assert more == []


async def test_the_lists_of_open_tickets_change_when_a_ticket_is_raised_and_when_it_is_resolved(
    tmp_path: Path, other: Another
) -> None:
    every, ours = "opsai://tickets", "opsai://tickets?cluster=toy"
    ear = Ear()
    async with in_memory(tmp_path, "auto", ear) as client:
        await other.opens(tmp_path / "opsai.sqlite")
        async with told(client, ear, every, ours) as heard:
            await other.does("break a")
            raised = {await heard.next() for _ in range(3)}
            await other.does("look")
            await other.does("mend a")
            resolved = {await heard.next() for _ in range(3)}
            more = heard.more()
        elsewhere = await refusal(client, "opsai://tickets?cluster=elsewhere")

    assert raised == resolved == {TICKETS, every, ours}
    assert more == []
    assert elsewhere.startswith("Nothing that changes is at 'opsai://tickets?cluster=elsewhere'")


async def test_what_is_unsubscribed_is_told_no_longer(tmp_path: Path, other: Another) -> None:
    ear = Ear()
    async with in_memory(tmp_path, "legacy", ear) as client:
        await other.opens(tmp_path / "opsai.sqlite")
        await other.does("break a")
        async with told(client, ear, FIRST, INCIDENT) as heard:
            await unsubscribe(client, FIRST)
            await unsubscribe(client, "opsai://tickets/T-77")
            await other.does("diagnose T-1")
            changed = [await heard.next(), await heard.next(), *heard.more()]

    assert changed == [TICKETS, INCIDENT]


@pytest.mark.parametrize("mode", ERAS)
async def test_tickets_of_a_cluster_that_is_not_shown_are_neither_told_nor_to_be_had(
    tmp_path: Path, other: Another, mode: str
) -> None:
    ear = Ear()
    async with in_memory(tmp_path, mode, ear) as client:
        await client.list_tools()
        await other.opens(tmp_path / "opsai.sqlite", "elsewhere")
        async with told(client, ear) as heard:
            await other.does("break a")
            refused = [await refusal(client, uri) for uri in (FIRST, "opsai://tickets/T-99")]
            await other.opens(tmp_path / "opsai.sqlite")
            await other.does("break a")
            changed = [await heard.next(), *heard.more()]

    assert changed == [TICKETS]
    assert refused[0] == (
        "Nothing that changes is at 'opsai://tickets/T-1': no ticket of a cluster shown here. "
        "tickets() lists them; ask for opsai://tickets/ID."
    )
    assert refused[1] == refused[0].replace("T-1", "T-99")


async def test_what_a_stream_asks_for_beside_what_it_gets_is_left_out_of_the_acknowledgement(
    tmp_path: Path, other: Another
) -> None:
    page = "opsai://knowledge/parts"
    async with in_memory(tmp_path, "auto", Ear()) as client:
        await other.opens(tmp_path / "opsai.sqlite")
        await other.does("break a")
        async with client.listen(
            tools_list_changed=True,
            prompts_list_changed=True,
            resources_list_changed=True,
            resource_subscriptions=[FIRST, page, SECOND, "opsai://evidence/E-1", "file:///etc/passwd", FIRST],
        ) as subscription:
            honoured = subscription.honored

    assert honoured.model_dump(exclude_none=True) == {
        "resources_list_changed": True,
        "resource_subscriptions": [FIRST, page],
    }


@pytest.mark.parametrize("mode", ERAS)
async def test_a_client_is_told_in_either_era_what_it_may_ask_for(tmp_path: Path, mode: str) -> None:
    async with in_memory(tmp_path, mode, Ear()) as client:
        declared = client.server_capabilities

    assert declared.resources is not None
    assert declared.tools is not None
    assert declared.prompts is not None
    assert (declared.resources.subscribe, declared.resources.list_changed) == (True, True)
    assert (declared.tools.list_changed, declared.prompts.list_changed) == (False, False)


@pytest.mark.parametrize("mode", ERAS)
async def test_more_subscriptions_than_allowed_are_refused(tmp_path: Path, other: Another, mode: str) -> None:
    spelled = [f"{letter}{'0' * zeros}1" for letter in ("T-", "t-", "T%2D", "") for zeros in range(13)]
    uris = [f"opsai://{view}/{ident}" for view in ("tickets", "incidents") for ident in spelled]
    assert len(uris) > MOST_URIS
    async with in_memory(tmp_path, mode, Ear()) as client:
        await other.opens(tmp_path / "opsai.sqlite")
        await other.does("break a")
        with pytest.raises(MCPError, match=f"At most {MOST_URIS} URIs"):
            async with told(client, Ear(), *uris):
                pass


async def test_sessions_and_streams_that_end_are_forgotten(tmp_path: Path, other: Another) -> None:
    async with site(tmp_path) as it:
        await other.opens(tmp_path / "opsai.sqlite")
        await other.does("break a")
        counted = [await it.metric("opsai_mcp_listeners")]
        async with over_http(it.url, "legacy") as session, over_http(it.url, "auto") as stream:
            await subscribe(session, FIRST)
            async with told(stream, Ear(), FIRST):
                counted.append(await it.metric("opsai_mcp_listeners"))
        with anyio.fail_after(5):
            while await it.metric("opsai_mcp_listeners"):
                await anyio.lowlevel.checkpoint()
        health = await it.get("/healthz")

    assert counted == [0, 2]
    assert health.status_code == 200
