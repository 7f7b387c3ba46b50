"""What one look costs by the size of the cluster: the cluster is served by one process and looked at by another.

Run as a program it is one of the two: `serve FOLDER`, or `look FOLDER ADDRESSES`.
"""

import json
import statistics
import sys
import tempfile
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from subprocess import PIPE, Popen, run
from typing import Any

import anyio
import orjson
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bench.scaled import STEP, scaled, status_addresses
from bench.table import Row
from opsai_server.tickets.store import open_store
from opsai_server.watcher import tick
from opsai_subjects.config import ClusterSettings, WatchSettings, WebLimits
from opsai_subjects.endpoint import Access
from opsai_subjects.opening import Cluster
from opsai_subjects.recording.clock import ReplayClock
from opsai_subjects.recording.folder import open_recording
from opsai_subjects.recording.marked import RecordedTransport
from opsai_subjects.recording.serve import serve
from opsai_subjects.registry import subject_kind
from opsai_subjects.sources.prometheus import PATHS as PROMETHEUS_PATHS
from opsai_subjects.sources.prometheus import Prometheus
from opsai_subjects.sources.web import open_web
from opsai_subjects.subject import Sources

LOOKS = 5
MIB = 1024 * 1024
SIZES = ((500, 2_000_000),)


def ticking(small: Path, large: Path) -> Iterator[Row]:
    """Measure a look at the recorded clusters and at larger ones made of the second."""
    with tempfile.TemporaryDirectory(prefix="opsai-scaled-") as scratch:
        cases = {"3 stores": small, "300 stores, 60,141 regions": large}
        for stores, regions in SIZES:
            made = scaled(large, Path(scratch) / str(stores), stores, regions)
            cases[f"{stores} stores, {regions:,} regions (made of the one before)"] = made
        for name, folder in cases.items():
            found = _measured(folder)
            took, most = statistics.median(found["seconds"]), max(found["seconds"])
            yield Row(f"a look at {name}", f"{took:.2f} s", f"median of {len(found['seconds'])}; {most:.2f} s at most")
            yield Row("  read from PD by it", f"{found['pd_bytes'] / MIB:.2f} MiB", "bodies, as served over HTTP")
            yield Row("  peak memory of its process", f"{found['peak_mib']:.0f} MiB", "VmHWM, Python included")


@contextmanager
def _serving(folder: Path) -> Generator[tuple[Popen[str], dict[str, Any]]]:
    command = [sys.executable, "-m", "bench.ticking", "serve", str(folder)]
    with Popen(command, stdin=PIPE, stdout=PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        yield process, json.loads(process.stdout.readline())
        process.stdin.close()


def _measured(folder: Path) -> dict[str, Any]:
    with _serving(folder) as (process, where):
        command = [sys.executable, "-m", "bench.ticking", "look", str(folder), json.dumps(where)]
        done = run(command, stdout=PIPE, text=True, check=True)
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("\n")
        process.stdin.flush()
        served = json.loads(process.stdout.readline())
    return {**json.loads(done.stdout), "pd_bytes": served["pd_bytes"] / LOOKS}


class _Counting:
    """Counts what PD's members answer, and answers for the stores that nobody recorded."""

    def __init__(self) -> None:
        self.bytes = 0

    def around(self, app: ASGIApp) -> ASGIApp:
        async def counted(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["path"] in ("/status", "/config"):
                await JSONResponse({"version": "9.0.0"})(scope, receive, send)
                return

            async def count(message: Message) -> None:
                self.bytes += len(message.get("body", b""))
                await send(message)

            await app(scope, receive, count)

        return counted


async def _serve(folder: Path) -> None:
    recording = open_recording(folder)
    counting = _Counting()
    clock = ReplayClock(recording.incident.end)
    async with serve(recording, clock, around=counting.around) as served:
        counted = next(iter(served.addresses.values()))
        stores = {address: counted for address in status_addresses(recording) if address not in served.addresses}
        where = {"addresses": {**served.addresses, **stores}, "prometheus": served.prometheus}
        print(json.dumps(where), flush=True)
        await anyio.to_thread.run_sync(sys.stdin.readline)
        print(json.dumps({"pd_bytes": counting.bytes}), flush=True)


async def _look(folder: Path, where: dict[str, Any]) -> None:
    incident = orjson.loads((folder / "incident.json").read_bytes())
    kind = subject_kind(incident["subject"])
    nodes = incident["nodes"]
    clock = ReplayClock(datetime.fromisoformat(incident["end"]))
    addresses: dict[str, str] = where["addresses"]
    hosts = frozenset((*addresses.values(), where["prometheus"].removeprefix("http://")))
    settings = ClusterSettings(
        subject=incident["subject"],
        endpoints=tuple(f"http://{node['address']}" for node in nodes if node["role"] == "pd"),
        prometheus=where["prometheus"],
        addresses=addresses,
        rate_seconds=6 * incident["scrape_interval_seconds"],
    )
    transport = RecordedTransport(hosts, clock)
    seconds: list[float] = []
    with tempfile.TemporaryDirectory(prefix="opsai-look-") as scratch:
        async with (
            open_web(Access(), WebLimits(), allow=kind.paths, transport=transport) as web,
            open_web(Access(), WebLimits(), allow=PROMETHEUS_PATHS, transport=transport) as metrics_web,
            open_store(Path(scratch) / "opsai.sqlite") as store,
        ):
            metrics = Prometheus(where["prometheus"], metrics_web, clock)
            sources = Sources(web=web, metrics=metrics, logs=None, clock=clock, reach=addresses)
            subject = kind.open(incident["cluster"], settings, sources)
            cluster = Cluster(incident["cluster"], subject, clock, settings, None)
            for number in range(LOOKS):
                clock.set(datetime.fromisoformat(incident["end"]) - (LOOKS - number) * STEP)
                began = time.perf_counter()
                await tick(cluster, store, WatchSettings())
                seconds.append(time.perf_counter() - began)
    print(json.dumps({"seconds": seconds, "peak_mib": _peak_mib()}), flush=True)


def _peak_mib() -> float:
    # not getrusage: its maximum is handed on from the program that started this one
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:"))


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        anyio.run(_serve, Path(sys.argv[2]))
    else:
        anyio.run(_look, Path(sys.argv[2]), json.loads(sys.argv[3]))
