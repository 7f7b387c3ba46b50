"""A stand-in for the Docker Engine: its answers are as Engine 20.10 gave them."""

import json
from dataclasses import dataclass, field

from opsai_subjects.model import utc
from tests.subjects.sources.loopback import http
from tests.subjects.sources.standin import Asked, json_of


def frame(at: float, text: str, stream: int = 1) -> bytes:
    payload = f"{utc(at):%Y-%m-%dT%H:%M:%S.%f}789Z {text}\n".encode()
    return bytes((stream, 0, 0, 0)) + len(payload).to_bytes(4, "big") + payload


@dataclass
class FakeEngine:
    """Containers by name: what inspection adds to the state, and the stream of its output."""

    output: dict[str, bytes]
    state: dict[str, dict[str, object]] = field(default_factory=dict[str, dict[str, object]])
    tty: tuple[str, ...] = ()
    created: str = "1969-12-31T23:00:00.5Z"
    restarts: int = 0
    refused_logs: bytes = b""

    def __call__(self, asked: Asked) -> bytes:
        _, _, name, kind = asked.path.split("/")
        if name not in self.output:
            return json_of(json.dumps({"message": f"No such container: {name}"}) + "\n", 404)
        if kind == "logs":
            return self.refused_logs or http(200, self.output[name], content_type="application/vnd.docker.raw-stream")
        running = {
            "Status": "running",
            "Running": True,
            "OOMKilled": False,
            "ExitCode": 0,
            "Error": "",
            "StartedAt": "1970-01-01T00:00:01.668607451Z",
            "FinishedAt": "0001-01-01T00:00:00Z",
        }
        told = {
            "Id": "f" * 64,
            "Created": self.created,
            "State": {**running, **self.state.get(name, {})},
            "RestartCount": self.restarts,
            "Config": {"Tty": name in self.tty, "Image": "tikv"},
        }
        return json_of(json.dumps(told))
