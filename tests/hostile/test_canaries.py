"""Every credential of the settings is a canary, every source echoes what it was sent, and no canary is told to anybody."""

import base64
import json
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import anyio
import httpx
import pytest
from mcp import Client
from pydantic import SecretStr

from opsai_agent.transcript import Transcript, secrets_of
from opsai_lab.checking import Checked, checked_text
from opsai_server.app import assemble
from opsai_server.entrance import Policy
from opsai_server.http_app import serving
from opsai_server.listening import Address
from opsai_server.mcp_cli import CHATTY
from opsai_server.tickets.store import Store, open_store
from opsai_server.tools.desk import Desk
from opsai_server.tools.desks import Desks
from opsai_server.watcher import tick
from opsai_subjects.config import ClusterSettings, Settings, WebLimits
from opsai_subjects.model import WallClock
from opsai_subjects.opening import open_cluster
from tests.server.mcp.bench import text_of
from tests.subjects.sources.loopback import bytes_of, http, loopback
from tests.subjects.sources.standin import Answers, Asked, Standin, standin

pytestmark = pytest.mark.anyio

PLACES = (
    "node-user-password",
    "url-userinfo-password",
    "prometheus-bearer-token",
    "loki-bearer-file-token",
    "loki-api-key-header",
    "docker-basic-password",
    "kubernetes-bearer-token",
    "http-bearer-token",
    "anthropic-api-key",
)
CANARIES = {place: f"canary-{place}-5f3a/9c+{n}" for n, place in enumerate(PLACES)}
CALLS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("overview", {}),
    ("topology", {}),
    ("check_invariants", {"state": "all"}),
    ("differential", {}),
    ("query_metrics", {"query": "up"}),
    ("search_logs", {}),
    ("timeline", {}),
    ("regions", {}),
    ("scheduling", {}),
    ("latency", {}),
    ("tickets", {}),
    ("evidence", {"id": "E-1"}),
)


def forms(canary: str) -> set[str]:
    """Return a canary as it may be written somewhere: as it is, for a URL, in JSON, in base64 and in pieces of that."""
    pair = base64.b64encode(f"eve:{canary}".encode()).decode()
    return {canary, quote(canary), quote(canary, safe=""), json.dumps(canary)[1:-1], pair, canary[:24]}


def found_in(text: str) -> set[str]:
    return {place for place, canary in CANARIES.items() if any(form in text for form in forms(canary))}


def told_back(asked: Asked) -> str:
    """Return what a server can know of a request: its headers, and the user and password in them."""
    entry = asked.headers.get("authorization", "")
    pair = base64.b64decode(entry.removeprefix("Basic ")).decode() if entry.startswith("Basic ") else ""
    return f"{json.dumps(asked.headers)} {entry.partition(' ')[2]} {pair}"


def refused(status: int) -> Answers:
    return lambda asked: http(status, f"no entry for {told_back(asked)}".encode(), content_type="text/plain")


def page(asked: Asked) -> bytes:
    filler = "x" * 440  # so that what is told back straddles the end of an excerpt
    return http(200, f"<html>{filler}{told_back(asked)}</html>".encode(), content_type="text/html")


def valid(asked: Asked) -> bytes:
    """Answer as Prometheus and Loki do, with what was sent as a label, and a warning."""
    labels = {"instance": "a", "told": told_back(asked)}
    result = {"resultType": "vector", "result": [{"metric": labels, "stream": labels, "value": [1, "1"], "values": []}]}
    body = {"status": "success", "data": result, "warnings": [told_back(asked)], "name": told_back(asked)}
    return http(200, json.dumps(body).encode(), content_type="application/json")


def broken(asked: Asked) -> bytes:
    return f"HTTP/1.1 2xx {told_back(asked)}\r\n\r\n".encode()


ECHOES: dict[str, Answers] = {
    "401": refused(401),
    "a page": page,
    "an answer": valid,
    "no HTTP": broken,
}


@dataclass
class Told:
    """Everything that anybody was told."""

    texts: list[str] = field(default_factory=list[str])

    def add(self, *texts: object) -> None:
        self.texts += [str(text) for text in texts]


def settings_of(folder: Path, url: str) -> dict[str, Any]:
    """Return the settings of a cluster all of whose sources are at one URL, entered in every way there is."""
    file = folder / "token"
    file.write_text(CANARIES["loki-bearer-file-token"] + "\n", encoding="utf-8")
    at = url.partition("://")[2]
    scheme = url.partition("://")[0]
    secret = quote(CANARIES["url-userinfo-password"], safe="")
    return {
        "endpoints": [url, f"{scheme}://eve:{secret}@{at}"],
        "prometheus": url,
        "cluster_access": {"username": "eve", "password": CANARIES["node-user-password"]},
        "prometheus_access": {"bearer_token": CANARIES["prometheus-bearer-token"]},
        "loki": {
            "url": url,
            "selector": '{app="db"}',
            "nodes": {"a": "a"},
            "access": {"bearer_token_file": str(file), "headers": {"X-Api-Key": CANARIES["loki-api-key-header"]}},
        },
        "docker": {
            "url": url,
            "containers": {"b": "b"},
            "access": {"username": "eve", "password": CANARIES["docker-basic-password"]},
        },
        "kubernetes": {
            "url": url,
            "namespace": "db",
            "pods": {"c": "c"},
            "access": {"bearer_token": CANARIES["kubernetes-bearer-token"]},
        },
    }


@asynccontextmanager
async def served(folder: Path, url: str) -> AsyncGenerator[tuple[str, Desk, Store]]:
    """Serve such a cluster over HTTP with a token; yield the URL of the protocol."""
    settings = Settings(store=folder / "opsai.sqlite", web=WebLimits(connect_seconds=2, read_seconds=3))
    cluster = ClusterSettings.model_validate(settings_of(folder, url))
    policy = Policy(token=SecretStr(CANARIES["http-bearer-token"]))
    async with open_store(settings.store) as store, open_cluster("prod", cluster, settings.web) as opened:
        desk = Desk(opened, store, settings)
        async with serving(Desks.of(desk), Address("127.0.0.1", 0), policy, max_sessions=9) as where:
            yield where, desk, store


async def everything(where: str, desk: Desk, store: Store, home: Path) -> Told:
    """Ask for everything that there is, and keep all that is told."""
    told = Told()
    environment = {"ANTHROPIC_API_KEY": CANARIES["anthropic-api-key"]}
    async with Client(assemble(Desks.of(desk))) as one:
        with Transcript(home / "transcript.jsonl", WallClock().now, secrets_of(environment)) as transcript:
            transcript.write("environment", **environment)
            for tool, arguments in CALLS:
                text = text_of(await one.call_tool(tool, arguments))
                told.add(text)
                transcript.write("call", tool=tool, text=text)
        await _pages(one, told)
    ticked = await tick(desk.cluster, store, desk.settings.watch, watcher="here:1")
    told.add(ticked)
    told.add(checked_text(Checked("prod", await desk.cluster.subject.check())))
    for kept in await store.list_evidence("prod", limit=500):
        told.add(json.dumps((await store.evidence(kept.id)).value))
    told.add(*(one.model_dump_json() for one in await store.tickets()))
    told.add((home / "transcript.jsonl").read_text(encoding="utf-8"))
    async with httpx.AsyncClient(base_url=where.removesuffix("/mcp"), trust_env=False) as plain:
        for path in ("/metrics", "/healthz", "/mcp"):
            for token in (CANARIES["http-bearer-token"], CANARIES["http-bearer-token"][:-1], ""):
                reply = await plain.get(path, headers={"Authorization": f"Bearer {token}"} if token else {})
                told.add(reply.text, reply.headers)
    return told


async def _pages(one: Client, told: Told) -> None:
    for page in (await one.list_resources()).resources:
        told.add(await one.read_resource(page.uri))
    for prompt in (await one.list_prompts()).prompts:
        needed = {argument.name: "T-1" for argument in prompt.arguments or [] if argument.required}
        try:
            told.add(await one.get_prompt(prompt.name, needed))
        except Exception as error:  # noqa: BLE001 - whatever is said, it is looked at
            told.add(error)


@pytest.mark.parametrize("echo", ECHOES)
async def test_no_canary_is_told_by_whatever_a_server_echoes(
    tmp_path: Path, echo: str, caplog: pytest.LogCaptureFixture
) -> None:
    as_the_program_logs(caplog)
    with anyio.fail_after(60):
        async with standin(ECHOES[echo]) as source, served(tmp_path, source.url) as (where, desk, store):
            told = await everything(where, desk, store, tmp_path)

    assert sent(source) == set(PLACES) - {"http-bearer-token", "anthropic-api-key"}
    assert found_in("\n".join([*told.texts, caplog.text])) == set()


def sent(source: Standin) -> set[str]:
    """Return the canaries that a source was shown: those that let opsai in."""
    return found_in(" ".join(told_back(asked) for asked in source.asked))


async def test_a_redirect_is_not_followed_and_what_stands_in_it_is_not_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    as_the_program_logs(caplog)

    def elsewhere(url: str) -> Callable[[Asked], bytes]:
        def answer(asked: Asked) -> bytes:
            entry = asked.headers.get("authorization", "").partition(" ")[2]
            return http(307, b"", location=f"{url}/x?token={quote(entry, safe='')}&as={entry}")

        return answer

    with anyio.fail_after(60):
        async with (
            standin(valid) as other,
            standin(
                elsewhere(other.url.replace("//", f"//eve:{quote(CANARIES['node-user-password'], safe='')}@"))
            ) as one,
            served(tmp_path, one.url) as (where, desk, store),
        ):
            told = await everything(where, desk, store, tmp_path)

    assert other.asked == []
    assert one.asked != []
    assert found_in("\n".join([*told.texts, caplog.text])) == set()


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_no_canary_is_told_where_nothing_or_no_tls_answers(
    tmp_path: Path, scheme: str, caplog: pytest.LogCaptureFixture
) -> None:
    as_the_program_logs(caplog)
    with anyio.fail_after(60):
        async with loopback(bytes_of(http(400))) as plain:  # which speaks no TLS
            port = 1 if scheme == "http" else plain.port
            async with served(tmp_path, f"{scheme}://127.0.0.1:{port}") as (where, desk, store):
                told = await everything(where, desk, store, tmp_path)

    assert "no connection (" in "".join(told.texts)
    assert found_in("\n".join([*told.texts, caplog.text])) == set()


def as_the_program_logs(caplog: pytest.LogCaptureFixture) -> None:
    """Log all that `--debug` does."""
    caplog.set_level(logging.DEBUG)
    for name in CHATTY:
        caplog.set_level(logging.WARNING, name)
