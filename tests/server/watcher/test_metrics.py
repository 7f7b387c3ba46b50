"""What `opsai-watch` tells Prometheus: true to the last look and the store, bounded, and honest about being late."""

import json
import shutil
import socket
import sqlite3
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from opsai_server.alert_rules import alert_rules, rules_text
from opsai_server.healthcheck import health
from opsai_server.listening import Address, listening
from opsai_server.tickets.store import Store, open_store
from opsai_server.watch_http import WatchBoard, watch_app
from opsai_server.watch_metrics import MAX_VERDICTS, Looks, families
from opsai_server.watcher import tick
from opsai_subjects.config import WatchSettings
from opsai_subjects.invariant import Verdict
from opsai_subjects.opening import Cluster
from tests.server.toy import KIND, ToyPart, ToyWorld, toy_cluster
from tests.server.toy_knowledge import PART_UP
from tests.subjects.promql.real import RealPrometheus, running

pytestmark = pytest.mark.anyio

SETTINGS = WatchSettings(interval_seconds=30)
Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


@dataclass
class Watched:
    """The toy, watched, with its metrics served on loopback."""

    world: ToyWorld
    cluster: Cluster
    store: Store
    board: WatchBoard
    client: httpx.AsyncClient
    passed_seconds: float = 0.0

    async def look(self) -> None:
        self.board.looked(await tick(self.cluster, self.store, SETTINGS, watcher="toy:1"))

    async def scrape(self) -> Samples:
        reply = await self.client.get("/metrics")
        assert reply.status_code == 200
        return samples(reply.text)


@asynccontextmanager
async def watched(folder: Path, **parts: ToyPart) -> AsyncGenerator[Watched]:
    world = ToyWorld(parts=parts or {name: ToyPart() for name in ("a", "b", "c")})
    cluster = toy_cluster(world)
    async with open_store(folder / "opsai.sqlite") as store:
        board = WatchBoard(
            cluster, store, 30, monotonic=lambda: it.passed_seconds, wall=lambda: 1000 + it.passed_seconds
        )
        await board.remember()
        with anyio.fail_after(30):
            async with (
                listening(watch_app(board), Address("127.0.0.1", 0), "--metrics") as url,
                httpx.AsyncClient(base_url=url, trust_env=False) as client,
            ):
                it = Watched(world, cluster, store, board, client)
                yield it


def samples(text: str) -> Samples:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def value(found: Samples, name: str, **labels: str) -> float | None:
    """Return the one sample with these labels among its own."""
    fitting = [one for (is_of, has), one in found.items() if is_of == name and labels.items() <= set(has)]
    assert len(fitting) <= 1, fitting
    return fitting[0] if fitting else None


async def test_violated_and_unknown_have_a_series_each_and_held_is_counted(tmp_path: Path) -> None:
    async with watched(tmp_path, a=ToyPart(), b=ToyPart(up=False), c=ToyPart(seen=False)) as it:
        await it.look()
        found = await it.scrape()

    of_up = {"cluster": "toy", "subject": "toy", "invariant": "part_up", "severity": "critical"}
    assert value(found, "opsai_invariant", **of_up, entity="part:b", verdict="violated") == 1
    assert value(found, "opsai_invariant", **of_up, entity="part:c", verdict="unknown") == 1
    assert value(found, "opsai_invariant", **of_up, entity="part:a") is None
    counts = {
        state: value(found, "opsai_invariant_entities", **of_up, verdict=state)
        for state in ("held", "violated", "unknown")
    }
    assert counts == {"held": 1, "violated": 1, "unknown": 1}


async def test_open_tickets_are_told_as_they_stand_in_the_store_and_go_when_resolved(tmp_path: Path) -> None:
    async with watched(tmp_path, a=ToyPart(up=False), b=ToyPart()) as it:
        for _ in range(3):
            await it.look()
            it.world.later(30)
        opened = await it.scrape()
        it.world.parts["a"].up = True
        for _ in range(4):
            await it.look()
            it.world.later(30)
        resolved = await it.scrape()

    labels = {"cluster": "toy", "ticket": "T-1", "invariant": "part_up", "entity": "part:a", "severity": "critical"}
    assert value(opened, "opsai_ticket_open", **labels, status="created", parent="") == 1
    assert value(resolved, "opsai_ticket_open") is None


async def test_the_last_look_is_told_by_its_time_how_long_it_took_and_how_often_it_comes(tmp_path: Path) -> None:
    async with watched(tmp_path) as it:
        it.passed_seconds = 7
        await it.look()
        it.board.failed()
        found = await it.scrape()

    assert value(found, "opsai_watch_last_tick_timestamp_seconds", cluster="toy", subject="toy") == 1007
    assert value(found, "opsai_watch_interval_seconds", cluster="toy") == 30
    assert (value(found, "opsai_watch_tick_seconds", cluster="toy") or -1) >= 0
    assert value(found, "opsai_watch_ticks_total", outcome="stored") == 1
    assert value(found, "opsai_watch_ticks_total", outcome="failed") == 1


async def test_a_watcher_that_is_late_says_so_and_knows_of_nothing_held(tmp_path: Path) -> None:
    async with watched(tmp_path, a=ToyPart(), b=ToyPart(up=False)) as it:
        before = await it.client.get("/healthz")
        await it.look()
        it.passed_seconds = 90
        in_time = await it.client.get("/healthz")
        it.passed_seconds = 91
        late = await it.client.get("/healthz")
        found = await it.scrape()

    assert [reply.status_code for reply in (before, in_time, late)] == [503, 200, 503]
    assert late.json()["says"] == "The last look was stored 91 s ago; up to 90 s are in order."
    assert value(found, "opsai_invariant_entities", invariant="part_up", verdict="held") == 0
    assert value(found, "opsai_invariant_entities", invariant="part_up", verdict="unknown") == 1
    assert value(found, "opsai_invariant", invariant="part_up", verdict="violated") == 1


async def test_after_a_restart_the_last_look_is_the_one_before_it_and_no_verdict_is_made_up(tmp_path: Path) -> None:
    async with watched(tmp_path) as it:
        await it.look()
        noon = it.world.now().timestamp()
    async with watched(tmp_path) as it:
        found = await it.scrape()

    assert value(found, "opsai_watch_last_tick_timestamp_seconds") == noon
    assert value(found, "opsai_watch_ticks_total", outcome="stored") == 0
    assert [name for name, _ in found if name.startswith("opsai_invariant")] == []


async def test_a_store_that_cannot_be_read_is_told_and_the_rest_goes_on(tmp_path: Path) -> None:
    async with watched(tmp_path) as it:
        await it.look()
        path = tmp_path / "opsai.sqlite"
        with closing(sqlite3.connect(path, isolation_level=None)) as other:  # so that nobody's cache is good any more
            other.execute("CREATE TABLE more (x)")
            other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        with path.open("r+b") as damaged:
            damaged.seek(4096)
            damaged.write(b"\xff" * (path.stat().st_size - 4096))
        found = await it.scrape()

    assert value(found, "opsai_store_readable") == 0
    assert value(found, "opsai_ticket_open") is None
    assert value(found, "opsai_invariant_entities", invariant="part_up", verdict="held") == 3


async def test_series_over_the_cap_are_counted_and_the_violated_stay() -> None:
    unknown = [
        Verdict(invariant="part_up", entity=f"part:{n}", state="unknown", says="") for n in range(MAX_VERDICTS + 5)
    ]
    violated = Verdict(invariant="part_up", entity="part:last", state="violated", says="")
    looks = replace(Looks("toy", "toy", 30.0), age_seconds=0.0, verdicts=(*unknown, violated))
    found = {family.name: family.samples for family in families(looks, [PART_UP], ())}

    assert len(found["opsai_invariant"]) == MAX_VERDICTS
    assert found["opsai_invariant"][0].labels["entity"] == "part:last"
    assert [one.value for one in found["opsai_series_left_out"] if one.labels["of"] == "opsai_invariant"] == [6]


async def test_names_from_the_cluster_cannot_break_a_line() -> None:
    wild = Verdict(invariant="part_up", entity='part:"x"\n\\evil 1\x1b[31m', state="violated", says="")
    looks = replace(Looks("to\ny", "toy", 30.0), age_seconds=0.0, verdicts=(wild,))

    labels = next(one for one in families(looks, [PART_UP], ()) if one.name == "opsai_invariant").samples[0].labels

    assert (labels["cluster"], labels["entity"]) == ("to y", 'part:"x" \\evil 1\ufffd[31m')


@pytest.mark.parametrize("accept", ["", "application/openmetrics-text;version=1.0.0", "text/plain;version=0.0.4"])
async def test_a_scrape_gets_the_text_it_asks_for(tmp_path: Path, accept: str) -> None:
    async with watched(tmp_path) as it:
        await it.look()
        reply = await it.client.get("/metrics", headers={"accept": accept})
        elsewhere = await it.client.get("/")
        written = await it.client.post("/metrics")

    assert ("openmetrics" in reply.headers["content-type"]) == ("openmetrics" in accept)
    assert reply.text.endswith("# EOF\n") == ("openmetrics" in accept)
    assert (elsewhere.status_code, written.status_code) == (404, 405)
    assert elsewhere.json() == written.json() == {"says": "There is nothing here. Try GET /metrics or GET /healthz."}


async def test_the_check_of_a_container_asks_whichever_port_answers(tmp_path: Path) -> None:
    async with watched(tmp_path) as it:
        port = it.client.base_url.port
        assert port is not None
        with socket.create_server(("127.0.0.1", 0)) as bound:
            closed = bound.getsockname()[1]
        before = await anyio.to_thread.run_sync(health, (closed, port))
        await it.look()
        after = await anyio.to_thread.run_sync(health, (closed, port))
        nobody = await anyio.to_thread.run_sync(health, (closed,))

    assert (before[0], json.loads(before[1])["status"]) == (False, "late")
    assert (after[0], json.loads(after[1])["status"]) == (True, "ok")
    assert nobody == (False, f"nothing answers at port {closed} of this container")


@pytest.mark.prometheus
async def test_prometheus_finds_nothing_wrong_with_the_series(tmp_path: Path) -> None:
    async with watched(tmp_path, a=ToyPart(up=False), b=ToyPart(seen=False)) as it:
        for _ in range(3):
            await it.look()
            it.world.later(30)
        text = (await it.client.get("/metrics")).content
    done = await anyio.run_process(["promtool", "check", "metrics"], input=text, check=False)

    assert (done.returncode, done.stderr.decode()) == (0, "")


SCRAPING = """
global: {{scrape_interval: 200ms, scrape_timeout: 200ms, evaluation_interval: 200ms}}
rule_files: [rules.yml]
scrape_configs: [{{job_name: opsai, static_configs: [{{targets: ["{target}"]}}]}}]
"""


@pytest.mark.prometheus
async def test_a_real_prometheus_scrapes_it_and_its_alerts_fire(tmp_path: Path) -> None:
    program = shutil.which("prometheus")
    assert program is not None
    at_once = [one.model_copy(update={"for_seconds": 0.0}) for one in KIND.invariants]
    (tmp_path / "rules.yml").write_text(rules_text("toy", alert_rules("toy", at_once)), encoding="utf-8")
    async with watched(tmp_path, a=ToyPart(up=False), b=ToyPart()) as it:
        await it.look()
        target = it.client.base_url.netloc.decode()
        with running(program, tmp_path, SCRAPING.format(target=target)) as prometheus:
            alerts: list[dict[str, str]] = []
            while not alerts:  # `watched` gives up after its time
                await anyio.sleep(0.1)
                alerts = await anyio.to_thread.run_sync(firing, prometheus)

    assert [(one["alertname"], one["cluster"], one["entity"], one["severity"]) for one in alerts] == [
        ("OpsaiPartUp", "toy", "part:a", "critical")
    ]


def firing(prometheus: RealPrometheus) -> list[dict[str, str]]:
    answer: Any = prometheus.ask("query", {"query": 'ALERTS{alertstate="firing"}'})
    return [one["metric"] for one in answer["data"]["result"]]


async def test_one_watcher_tells_of_several_clusters_each_under_its_name(tmp_path: Path) -> None:
    names = ("prod", "staging")
    clusters = [toy_cluster(ToyWorld({"a": ToyPart(up=name != "prod")}), name=name) for name in names]
    async with open_store(tmp_path / "opsai.sqlite") as store:
        boards = [WatchBoard(cluster, store, 30) for cluster in clusters]
        async with (
            listening(watch_app(*boards), Address("127.0.0.1", 0), "--metrics") as url,
            httpx.AsyncClient(base_url=url, trust_env=False) as client,
        ):
            boards[0].looked(await tick(clusters[0], store, SETTINGS, watcher="toy:1"))
            half = await client.get("/healthz")
            boards[1].looked(await tick(clusters[1], store, SETTINGS, watcher="toy:1"))
            whole = await client.get("/healthz")
            text = (await client.get("/metrics")).text

    assert (half.status_code, half.json()["status"]) == (503, "late")
    assert [(one["cluster"], one["status"]) for one in half.json()["clusters"]] == [("prod", "ok"), ("staging", "late")]
    assert (whole.status_code, whole.json()["status"]) == (200, "ok")
    found = samples(text)
    counts = [
        value(found, "opsai_invariant_entities", cluster=name, invariant="part_up", verdict="violated")
        for name in names
    ]
    assert counts == [1, 0]
    families = [line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")]
    assert len(families) == len(set(families))
    assert value(found, "opsai_store_readable") == 1


HOSTS = {
    "127.0.0.1:9464": 200,
    "localhost": 200,
    "opsai-watch:9464": 200,  # as Compose and Kubernetes name it
    "[::1]:9464": 200,
    "evil.example": 421,
    "localhost.evil.example:9464": 421,
    "": 421,
}


async def test_no_page_reaches_it_through_a_browser_and_no_foreign_name_leads_to_it(tmp_path: Path) -> None:
    async with watched(tmp_path) as it:
        by_host = {host: (await it.client.get("/metrics", headers={"host": host})).status_code for host in HOSTS}
        page = await it.client.get("/healthz", headers={"origin": "http://evil.example"})

    assert by_host == HOSTS
    assert page.status_code == 403
