"""A stand-in for the Kubernetes API, made by hand after its documentation."""

import json
from dataclasses import dataclass, field

from opsai_subjects.model import utc
from tests.subjects.sources.loopback import http
from tests.subjects.sources.standin import Asked, json_of

API = "/api/v1/namespaces/db/pods"


def stamped(at: float, text: str) -> str:
    return f"{utc(at):%Y-%m-%dT%H:%M:%S.%f}789Z {text}\n"


def iso(at: float) -> str:
    return f"{utc(at):%Y-%m-%dT%H:%M:%SZ}"


def running(since: float, restarts: int = 0, last: dict[str, object] | None = None) -> dict[str, object]:
    state = {"running": {"startedAt": iso(since)}}
    return {"name": "tikv", "restartCount": restarts, "state": state, "lastState": {"terminated": last} if last else {}}


def ended(begun: float, at: float, reason: str, code: int) -> dict[str, object]:
    return {"startedAt": iso(begun), "finishedAt": iso(at), "reason": reason, "exitCode": code}


@dataclass
class FakeApi:
    """Pods: name to the status of its container, and the output of its runs (current, previous)."""

    statuses: dict[str, dict[str, object] | None]
    output: dict[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])
    annotations: dict[str, str] = field(default_factory=dict[str, str])
    token: str = ""

    def __call__(self, asked: Asked) -> bytes:
        if self.token and asked.headers.get("authorization") != f"Bearer {self.token}":
            return self.refused(401, "Unauthorized")
        if asked.path == API:
            label, _, value = asked.params["labelSelector"].partition("=")
            chosen = [self.pod(name) for name in self.statuses if (label, value) == ("app", "tikv")]
            return json_of(json.dumps({"kind": "PodList", "metadata": {"resourceVersion": "9"}, "items": chosen}))
        name, _, kind = asked.path.removeprefix(f"{API}/").partition("/")
        if name not in self.statuses:
            return self.refused(404, f'pods "{name}" not found')
        if kind == "log":
            return self.log(name, asked)
        return json_of(json.dumps(self.pod(name)))

    def pod(self, name: str) -> dict[str, object]:
        status = self.statuses[name]
        told: dict[str, object] = {"phase": "Running" if status else "Pending"}
        return {
            "metadata": {"name": name, "uid": "u", "annotations": self.annotations or None},
            "spec": {"containers": [{"name": "slowlog"}, {"name": "tikv"}]},
            "status": told | ({"containerStatuses": [status]} if status else {}),
        }

    def log(self, name: str, asked: Asked) -> bytes:
        if asked.params["container"] not in ("tikv", "slowlog"):
            return self.refused(400, f"container {asked.params['container']} is not valid for pod {name}")
        text = self.output[name][asked.params["previous"] == "true"]
        return http(200, text.encode()[: int(asked.params["limitBytes"])], content_type="text/plain")

    def refused(self, status: int, message: str) -> bytes:
        return json_of(json.dumps({"kind": "Status", "status": "Failure", "message": message, "code": status}), status)
