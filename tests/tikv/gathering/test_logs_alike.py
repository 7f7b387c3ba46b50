"""The same log says the same wherever it is read: a recording's logs behind stand-ins for Loki, Docker, Kubernetes and the nodes."""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from opsai_subjects.config import WebLimits
from opsai_subjects.endpoint import Access
from opsai_subjects.log_settings import DockerSettings, KubernetesSettings, LokiSettings
from opsai_subjects.model import LogQuery, LogSource, Node, Window
from opsai_subjects.recording.clock import ReplayClock
from opsai_subjects.recording.folder import Recording, open_recording
from opsai_subjects.recording.gzipped import inflate
from opsai_subjects.recording.logs import RecordedLogs
from opsai_subjects.sources.docker import open_docker
from opsai_subjects.sources.kubernetes import open_kubernetes
from opsai_subjects.sources.loki import PATHS, Loki
from opsai_subjects.sources.web import open_web
from opsai_tikv.logs.diagnostics import DiagnosticsLogs
from opsai_tikv.logs.diagnostics_rpc import Diagnostics
from opsai_tikv.logs.every import texts
from opsai_tikv.logs.lines import parse_log
from opsai_tikv.logs.logged import DECISIVE, read_logs
from tests.subjects.sources.fake_docker import FakeEngine, frame
from tests.subjects.sources.fake_kubernetes import FakeApi, running, stamped
from tests.subjects.sources.fake_loki import FakeLoki
from tests.subjects.sources.standin import standin
from tests.tikv.diagnostics_server import FakeNode, served

pytestmark = pytest.mark.anyio
LAB = Path(__file__).parents[3] / "compose" / "incidents" / "coral-swift"
RECORDING = open_recording(LAB)
END = RECORDING.incident.end
WINDOW = Window.last(600, END)
CLOCK = ReplayClock(END)
NODES = [
    Node(entity=node.name, name=node.name, role=node.role, address=node.address, state="Up")
    for node in RECORDING.incident.nodes
]


def stamps(recording: Recording, node: str) -> list[tuple[datetime, str]]:
    """Return a node's lines with the time at which a runtime would have taken each: in order, none before the one above."""
    last = recording.incident.start - timedelta(minutes=20)
    found: list[tuple[datetime, str]] = []
    for text in inflate(recording.logs[node]).decode().rstrip("\n").split("\n"):
        parsed = parse_log(text)
        last = max(last, parsed.at) if parsed is not None else last
        if last <= recording.incident.end:
            found.append((last, text))
    return found


STAMPED = {node: stamps(RECORDING, node) for node in RECORDING.logs}


@asynccontextmanager
async def in_loki(folder: Path) -> AsyncGenerator[LogSource]:
    streams = [
        ({"app": "tikv", "instance": node}, [(at.timestamp(), text) for at, text in lines])
        for node, lines in STAMPED.items()
    ]
    async with standin(FakeLoki(streams, max_entries=1000)) as loki:
        settings = LokiSettings(url=loki.url, selector='{app="tikv"}', page_lines=1000)
        async with open_web(Access(), WebLimits(), allow=PATHS) as web:
            yield Loki(settings, web, parse_log, CLOCK)


@asynccontextmanager
async def in_docker(folder: Path) -> AsyncGenerator[LogSource]:
    output = {node: b"".join(frame(at.timestamp(), text) for at, text in lines) for node, lines in STAMPED.items()}
    async with standin(FakeEngine(output), folder / "docker.sock") as engine:
        settings = DockerSettings(url=engine.url, containers={node: node for node in output})
        async with open_docker(settings, WebLimits(), parse_log) as docker:
            yield docker


@asynccontextmanager
async def in_kubernetes(folder: Path) -> AsyncGenerator[LogSource]:
    output = {
        node: ("".join(stamped(at.timestamp(), text) for at, text in lines), "") for node, lines in STAMPED.items()
    }
    async with standin(FakeApi({node: running(1) for node in output}, output)) as api:
        pods = {node: f"{node}/tikv" for node in output}
        settings = KubernetesSettings(url=api.url, namespace="db", pods=pods)
        async with open_kubernetes(settings, WebLimits(), parse_log, CLOCK) as kubernetes:
            yield kubernetes


@pytest.mark.parametrize("opened", [in_loki, in_docker, in_kubernetes])
async def test_a_look_finds_the_same_in_every_source(
    opened: Callable[[Path], AbstractAsyncContextManager[LogSource]], tmp_path: Path
) -> None:
    recorded, nothing = await read_logs(RecordedLogs(RECORDING.logs, parse_log, CLOCK), NODES, WINDOW)
    async with opened(tmp_path) as logs:
        found, unread = await read_logs(logs, NODES, WINDOW)

    assert unread == nothing == ()
    assert set(found) == set(recorded) == set(STAMPED)
    for entity, log in recorded.items():
        assert found[entity].patterns == log.patterns
        assert found[entity].accuses == log.accuses
        assert found[entity].last_at == log.last_at
    assert any("welcome" in log.patterns for log in recorded.values())


async def test_the_nodes_themselves_tell_the_same_decisive_lines() -> None:
    levels = {"FATAL": "Critical", "ERROR": "Error", "WARN": "Warn", "INFO": "Info", "DEBUG": "Debug"}
    stores = [node for node in NODES if node.role == "tikv"]
    query = LogQuery(WINDOW, tuple(node.name for node in stores), contains=texts(DECISIVE), limit=20_000)
    recorded = await RecordedLogs(RECORDING.logs, parse_log, CLOCK).search(query)
    async with AsyncExitStack() as stack:
        reach: dict[str, str] = {}
        for node in stores:
            lines = [
                (round(at.timestamp() * 1000), levels[parsed.level], text.split("] ", 2)[2])
                for at, text in STAMPED[node.name]
                if (parsed := parse_log(text)) is not None
            ]
            reach[node.address] = await stack.enter_async_context(served(FakeNode(lines)))

        async def known() -> Sequence[Node]:
            return stores

        logs = DiagnosticsLogs(Diagnostics(Access(), tls=False), known, CLOCK, reach)
        page = await logs.search(query)

    assert page.matched == recorded.matched > 20
    assert sorted((line.node, line.level, line.message) for line in page.lines) == sorted(
        (line.node, line.level, line.message) for line in recorded.lines
    )
    assert page.unread == ()
