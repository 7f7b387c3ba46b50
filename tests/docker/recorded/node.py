"""A recorded node in the place of PD or TiKV: takes their flags, answers as the node did, moved to now.

The recording (of a store that is killed 100 s after its start) stands still at its 85th second until the file `released` appears
beside the nodes' logs, with the time since when it plays on. Whatever names a recorded moment (a heartbeat, a start, a timestamp) is moved by as much as the clock is;
addresses become the names in the compose file. What did not answer then is cut off now.
"""

import gzip
import re
import sys
import time
from bisect import bisect_right
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import orjson
from anyio.abc import SocketStream

from opsai_lab import recordings
from opsai_subjects.opening import parse_moment
from opsai_subjects.recording.folder import Recording, open_recording
from opsai_subjects.recording.marked import HEADER
from opsai_subjects.recording.node_api import NodeApi
from opsai_subjects.registry import subject_kind

RECORDING = "amber-heron"
BEGINS = "+85s"
NOT_SERIES = ("up", "scrape_")
STALE_SECONDS = 12.0
NUMBER = re.compile(rb"(?<![\w.])\d{10,19}(?![\w.])")
MOMENT = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)")
LOG_MOMENT = re.compile(rb"^\[(\d{4}/\d\d/\d\d \d\d:\d\d:\d\d\.\d{3}) [+-]\d\d:\d\d\]")
TIMES = re.compile(r"time_seconds|timestamp|tso|_ts$|resolved_ts|safe_point")


class MovedClock:
    """Where the recording is now, and by how much what it says is moved."""

    def __init__(self, recording: Recording, at: datetime, released: Path) -> None:
        self._begins = at.timestamp()
        self._released = released
        self._first_shift = time.time() - self._begins
        self._early = recording.incident.start.timestamp() + 30
        self._from = recording.incident.start.timestamp() - 86_400
        self._until = recording.incident.end.timestamp() + 86_400

    def now(self) -> datetime:
        """Return the moment of the recording."""
        try:
            played = time.time() - float(self._released.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            played = 0.0
        return datetime.fromtimestamp(self._begins + max(0.0, played), UTC)

    def moved(self, seconds: float) -> float | None:
        """Return a moment (Unix seconds) as of now; None for one that is not of the recording's day.

        What began before the recording did is moved once and for all: a process does not start anew at each look.
        """
        if not self._from < seconds < self._until:
            return None
        return seconds + (self._first_shift if seconds < self._early else time.time() - self.now().timestamp())


class Moved:
    """Moves what a recorded text names to now and to here."""

    def __init__(self, clock: MovedClock, recording: Recording) -> None:
        self._clock = clock
        hosts = {node.address.rpartition(":")[0]: node.name for node in recording.incident.nodes}
        self._hosts = {host.encode(): name.encode() for host, name in hosts.items()}

    def names(self, text: bytes) -> bytes:
        """Return it with the compose file's names for the recorded addresses."""
        for host, name in self._hosts.items():
            text = text.replace(host, name)
        return text

    def body(self, text: bytes) -> bytes:
        """Return the body of an answer."""
        return NUMBER.sub(self._number, MOMENT.sub(self._moment, self.names(text)))

    def value(self, metric: str, value: float, age_seconds: float) -> float:
        """Return a metric's value; a clock's has gone on since it was scraped."""
        if value < 1e9 or not TIMES.search(metric):
            return value
        return float(self._scaled(value, 0.0 if "start" in metric else age_seconds) or value)

    def line(self, text: bytes) -> bytes:
        """Return a line of a log."""
        return LOG_MOMENT.sub(self._log_moment, self.names(text))

    def _scaled(self, value: float, age_seconds: float = 0.0) -> int | None:
        for scale in (1.0, 1e3, 1e9, 1000 * 2.0**18):  # seconds, milliseconds, nanoseconds, a TSO
            moved = self._clock.moved(value / scale)
            if moved is not None:
                return int(value) + int((moved + age_seconds - value / scale) * scale)
        return None

    def _number(self, found: re.Match[bytes]) -> bytes:
        moved = self._scaled(float(found[0]))
        return found[0] if moved is None else str(moved).encode()

    def _moment(self, found: re.Match[bytes]) -> bytes:
        moved = self._clock.moved(datetime.fromisoformat(found[0].decode()).timestamp())
        return found[0] if moved is None else datetime.fromtimestamp(moved, UTC).isoformat().encode()

    def _log_moment(self, found: re.Match[bytes]) -> bytes:
        at = log_time(found)
        moved = self._clock.moved(at)
        here = datetime.fromtimestamp(at if moved is None else moved, UTC)
        return f"[{here:%Y/%m/%d %H:%M:%S}.{here.microsecond // 1000:03d} +00:00]".encode()


class Metrics:
    """The node's `/metrics`, from what Prometheus had scraped of it."""

    def __init__(self, folder: Path, instance: str, moved: Moved) -> None:
        self._moved = moved
        self._series: list[tuple[str, str, list[float], list[object]]] = []
        self._up: tuple[list[float], list[object]] = ([], [])
        mark = f'"instance":"{instance}"'.encode()
        with gzip.open(folder / "metrics.jsonl.gz") as file:
            for line in file:
                if mark in line.replace(b": ", b":"):
                    self._add(orjson.loads(line))

    def _add(self, series: dict[str, Any]) -> None:
        labels = dict(series["metric"])
        name = labels.pop("__name__")
        times = list(_cumulated(series["t"]))
        if name == "up":
            self._up = (times, series["v"])
        if name.startswith(NOT_SERIES):
            return
        shown = ",".join(
            f"{label}={orjson.dumps(value).decode()}"
            for label, value in labels.items()
            if label not in ("job", "instance")
        )
        self._series.append((name, f"{name}{{{shown}}}", times, series["v"]))

    def text(self, at: float) -> bytes | None:
        """Return it as of a moment; None where the scrape failed then."""
        if _at(*self._up, at)[1] != 1:
            return None
        lines: list[str] = []
        for name, shown, times, values in self._series:
            scraped, value = _at(times, values, at)
            if isinstance(value, int | float):
                lines.append(f"{shown} {self._moved.value(name, value, at - scraped)!r}")
            elif value not in (None, "stale"):
                lines.append(f"{shown} {value}")
        return self._moved.names("\n".join(lines).encode() + b"\n")


def _cumulated(steps: list[int]) -> Iterator[float]:
    at = 0
    for step in steps:
        at += step
        yield at / 1000


def _at(times: list[float], values: list[object], at: float) -> tuple[float, object]:
    newest = bisect_right(times, at) - 1
    return (times[newest], values[newest]) if newest >= 0 and at - times[newest] <= STALE_SECONDS else (at, None)


class Node:
    """One node over HTTP: GET alone, one question a connection."""

    def __init__(self, name: str, recording: Recording, clock: MovedClock) -> None:
        self.moved = Moved(clock, recording)
        self._clock = clock
        self._api = NodeApi(recording, name, clock, subject_kind("tikv"))
        (instance,) = (node.status_address for node in recording.incident.nodes if node.name == name)
        self._metrics = Metrics(recording.folder, instance, self.moved)

    async def serve(self, stream: SocketStream) -> None:
        """Answer one question; cut the connection where none was answered then."""
        async with stream:
            head = b""
            try:
                while b"\r\n\r\n" not in head:
                    head += await stream.receive()
                if (answer := await self._answer(head)) is not None:
                    await stream.send(answer)
            except (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
                return

    async def _answer(self, head: bytes) -> bytes | None:
        first, *rest = head.split(b"\r\n\r\n")[0].split(b"\r\n")
        method, target, _ = first.split(b" ", 2)
        path, _, query = target.partition(b"?")
        if method != b"GET":
            return _response(405, b"", "text/plain")
        if path == b"/metrics":
            text = self._metrics.text(self._clock.now().timestamp())
            return None if text is None else _response(200, text, "text/plain; version=0.0.4")
        headers = [(name.strip().lower(), value.strip()) for name, _, value in (line.partition(b":") for line in rest)]
        status, answered, body = await _asked(self._api, path, query, headers)
        if mark := answered.get(HEADER.encode()):
            return _response(404, body, "text/plain") if mark == b"not_recorded" else None
        return _response(status, self.moved.body(body), answered.get(b"content-type", b"text/plain").decode())


async def _asked(
    app: Callable[..., Awaitable[None]], path: bytes, query: bytes, headers: list[tuple[bytes, bytes]]
) -> tuple[int, dict[bytes, bytes], bytes]:
    sent: list[MutableMapping[str, Any]] = []

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "GET",
        "scheme": "http",
        "path": path.decode(),
        "raw_path": path,
        "query_string": query,
        "headers": headers,
        "server": ("127.0.0.1", 80),
    }
    await app(scope, receive, send)
    body = b"".join(message.get("body", b"") for message in sent[1:])
    return int(sent[0]["status"]), {bytes(name).lower(): bytes(value) for name, value in sent[0]["headers"]}, body


def _response(status: int, body: bytes, kind: str) -> bytes:
    head = f"HTTP/1.1 {status} As-Recorded\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return head.encode() + body


def log_time(found: re.Match[bytes]) -> float:
    """Return the moment at the head of a line: all recorded nodes log in UTC."""
    return datetime.strptime(found[1].decode(), "%Y/%m/%d %H:%M:%S.%f").replace(tzinfo=UTC).timestamp()


def log_lines(recorded: Path) -> list[bytes]:
    """Return the lines of a recorded log."""
    return gzip.decompress(recorded.read_bytes()).splitlines(keepends=True)


async def write_log(file: Path, lines: list[bytes], clock: MovedClock, moved: Moved) -> None:
    """Write the lines of the last half hour before the first moment, then each when it is due."""
    written, last = 0, (clock.now() - timedelta(minutes=30)).timestamp()
    with file.open("ab", buffering=0) as out:
        while True:
            now = clock.now().timestamp()
            while written < len(lines):
                found = LOG_MOMENT.match(lines[written])
                at = log_time(found) if found else last
                if at > now:
                    break
                if at > last or not found:
                    out.write(moved.line(lines[written]))
                written += 1
            await anyio.sleep(0.5)


async def main() -> None:
    """Serve the node that the flags name, at the port that they name, until SIGTERM."""
    flags = dict(flag.removeprefix("--").split("=", 1) for flag in sys.argv[1:])
    name = flags.get("name") or flags["advertise-addr"].rpartition(":")[0]
    address = flags.get("client-urls") or flags["status-addr"]
    log = Path(flags["log-file"])
    recording = open_recording(recordings.find(RECORDING))
    clock = MovedClock(recording, parse_moment(BEGINS, recording), log.parents[1] / "released")
    node = Node(name, recording, clock)
    listener = await anyio.create_tcp_listener(local_host="0.0.0.0", local_port=int(address.rpartition(":")[2]))
    async with anyio.create_task_group() as group:
        group.start_soon(partial(listener.serve, node.serve))
        group.start_soon(write_log, log, log_lines(recording.logs[name]), clock, node.moved)


if __name__ == "__main__":
    anyio.run(main)
