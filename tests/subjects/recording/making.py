"""A recording made by a test: small, whole, and then broken in one place."""

import gzip
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

START = 1_772_366_400.0
"""2026-03-01 12:00:00 UTC."""

INCIDENT: Mapping[str, Any] = {
    "format": 1,
    "name": "test-made",
    "subject": "tikv",
    "cluster": "lab",
    "start": "2026-03-01T12:00:00Z",
    "end": "2026-03-01T12:05:00Z",
    "nodes": [
        {"name": "pd1", "role": "pd", "address": "10.0.0.1:2379", "status_address": "10.0.0.1:2379"},
        {"name": "tikv1", "role": "tikv", "address": "10.0.0.2:20160", "status_address": "10.0.0.2:20180"},
    ],
    "scrape_interval_seconds": 5,
    "poll_interval_seconds": 5,
    "versions": {},
}


def poll(seconds: float, path: str, body: str | None = "", *, node: str = "pd1", **more: Any) -> dict[str, Any]:
    """Return a poll so many seconds after the start; no body is an error of kind `error=`."""
    line: dict[str, Any] = {"at": START + seconds, "node": node, "path": path, **more}
    if body is not None:
        line |= {"status": more.get("status", 200), "sha": sha(body), "ms": 1, "body": body}
    return line


def failed(seconds: float, path: str, error: str = "TimeoutError: timed out", *, node: str = "pd1") -> dict[str, Any]:
    return poll(seconds, path, None, node=node, error=error)


def sha(body: str) -> str:
    return hashlib.sha1(body.encode("utf-8", errors="replace"), usedforsecurity=False).hexdigest()[:16]


def series(name: str, values: Sequence[Any], *, first: float = 0.0, step: float = 5.0, **labels: str) -> dict[str, Any]:
    steps = [round((START + first) * 1000), *[round(step * 1000)] * (len(values) - 1)]
    return {"metric": {"__name__": name, **labels}, "t": steps, "v": list(values)}


def packed(lines: Iterable[Any]) -> bytes:
    return gzip.compress("".join(json.dumps(line) + "\n" for line in lines).encode())


def make(
    folder: Path,
    *,
    polls: Sequence[Mapping[str, Any]] = (),
    samples: Sequence[Mapping[str, Any]] = (),
    logs: Mapping[str, str] = {},
    incident: Mapping[str, Any] = INCIDENT,
) -> Path:
    """Write a recording and return its folder."""
    (folder / "http").mkdir(parents=True)
    (folder / "logs").mkdir()
    (folder / "incident.json").write_text(json.dumps(incident), encoding="utf-8")
    (folder / "metrics.jsonl.gz").write_bytes(packed(samples))
    told = [{name: value for name, value in line.items() if name != "body"} for line in polls]
    (folder / "http" / "polls.jsonl.gz").write_bytes(packed(told))
    bodies = {line["sha"]: line["body"] for line in polls if "body" in line}
    (folder / "http" / "bodies.jsonl.gz").write_bytes(
        packed({"sha": key, "body": body} for key, body in bodies.items())
    )
    for node, text in logs.items():
        (folder / "logs" / f"{node}.log.gz").write_bytes(gzip.compress(text.encode()))
    return folder
