"""A real Prometheus for the differential test: started on loopback, loaded by remote write, asked over HTTP."""

import socket
import struct
import subprocess
import time
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
import numpy as np
import snappy

from opsai_subjects.promql.samples import Stored

READY_SECONDS = 60.0
SAMPLES_A_REQUEST = 20_000


class RealPrometheus:
    """The HTTP API of a running Prometheus."""

    def __init__(self, url: str, client: httpx.Client) -> None:
        self._url = url
        self._client = client

    @property
    def url(self) -> str:
        """Where it answers."""
        return self._url

    def load(self, series: Iterable[Stored]) -> None:
        """Write the series, staleness markers included."""
        batch: list[bytes] = []
        size = 0
        for one in series:
            batch.append(_field(1, _time_series(one)))
            size += one.t.size
            if size >= SAMPLES_A_REQUEST:
                self._write(b"".join(batch))
                batch, size = [], 0
        if batch:
            self._write(b"".join(batch))

    def ask(self, path: str, params: Mapping[str, str]) -> dict[str, object]:
        """Return the API's whole answer, an error's too."""
        answer: dict[str, object] = self._client.post(f"{self._url}/api/v1/{path}", data=dict(params)).json()
        return answer

    def _write(self, request: bytes) -> None:
        headers = {
            "Content-Encoding": "snappy",
            "Content-Type": "application/x-protobuf",
            "X-Prometheus-Remote-Write-Version": "0.1.0",
        }
        reply = self._client.post(f"{self._url}/api/v1/write", content=snappy.compress(request), headers=headers)
        assert reply.status_code == 204, reply.text


@contextmanager
def running(
    program: str, folder: Path, settings: str = "global: {evaluation_interval: 1m}\n"
) -> Generator[RealPrometheus]:
    """Start Prometheus with an empty database in the folder, and end it afterwards."""
    (folder / "prometheus.yml").write_text(settings, encoding="utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    log = (folder / "prometheus.log").open("w", encoding="utf-8")
    options = [
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address={address}",
        "--web.enable-remote-write-receiver",
        "--storage.tsdb.retention.time=100y",
    ]
    with log, subprocess.Popen([program, *options], stdout=log, stderr=subprocess.STDOUT) as process:
        try:
            with httpx.Client(trust_env=False, timeout=60.0) as client:
                _wait_until_ready(process, client, f"http://{address}", folder / "prometheus.log")
                yield RealPrometheus(f"http://{address}", client)
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()


def _wait_until_ready(process: subprocess.Popen[bytes], client: httpx.Client, url: str, log: Path) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        try:
            if client.get(f"{url}/-/ready", timeout=1.0).status_code == 200:
                return
        except httpx.TransportError:
            pass
        try:
            process.wait(0.05)
        except subprocess.TimeoutExpired:
            continue
        raise AssertionError(f"prometheus ended at once: {log.read_text(encoding='utf-8')[-2000:]}")
    raise AssertionError(f"prometheus was not ready after {READY_SECONDS} s: {log.read_text(encoding='utf-8')[-2000:]}")


def _time_series(one: Stored) -> bytes:
    labels = b"".join(
        _field(1, _field(1, name.encode()) + _field(2, value.encode())) for name, value in sorted(one.labels.items())
    )
    times: Sequence[int] = np.rint(one.t * 1000).astype(np.int64).tolist()
    samples = b"".join(
        _field(2, b"\x09" + bits + b"\x10" + _varint(t))
        for t, bits in zip(times, (struct.pack("<Q", bits) for bits in one.v.view(np.uint64).tolist()), strict=True)
    )
    return labels + samples


def _field(number: int, body: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(body)) + body


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)
