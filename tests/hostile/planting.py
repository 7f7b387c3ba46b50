"""A shipped recording with the hostile texts planted into its logs, its PD answers, its metrics and its errors."""

import gzip
import json
from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from opsai_subjects.recording.folder import Incident, open_recording
from tests.hostile.corpus import MARK, NAMES, RAW, TEXTS

ROOT = Path(__file__).resolve().parents[2]
INCIDENTS = ROOT / "compose" / "incidents"
HARMED = 99
"""The id of a store that left long ago; it is called what nobody should be called."""
PLANTED_UNTIL = timedelta(seconds=100)
"""After the recording's start."""
SAID_BY_TIKV = ("known_words", "known_bug_words", "another_level", "another_line", "another_field")
"""Texts that hold what TiKV itself says of trouble: in the message of a line they are TiKV's own words, so here they stand in fields."""


def planted(name: str, into: Path) -> Path:
    """Return a hostile copy of the recording of that name."""
    source, folder = INCIDENTS / name, into / name
    incident = open_recording(source).incident
    (folder / "http").mkdir(parents=True)
    (folder / "logs").mkdir()
    (folder / "incident.json").write_bytes((source / "incident.json").read_bytes())
    for log in sorted((source / "logs").iterdir()):
        _write(folder / "logs" / log.name, _log(_read(log), incident))
    _http(source / "http", folder / "http")
    _write(folder / "metrics.jsonl.gz", _metrics(_read(source / "metrics.jsonl.gz"), incident))
    return folder


def _read(file: Path) -> bytes:
    return gzip.decompress(file.read_bytes())


def _write(file: Path, content: bytes) -> None:
    file.write_bytes(gzip.compress(content, 1))


def _log(content: bytes, incident: Incident) -> bytes:
    """Put the hostile lines between the others, in order of time, none later than PLANTED_UNTIL."""
    until = f"[{incident.start + PLANTED_UNTIL:%Y/%m/%d %H:%M:%S}".encode()
    lines = content.splitlines(keepends=True)
    begins = [n for n, line in enumerate(lines) if line.startswith(b"[2") and line < until]
    hostile = list(_hostile_lines())
    after: dict[int, list[bytes]] = defaultdict(list)
    for n, rest in enumerate(hostile):
        place = begins[(n + 1) * (len(begins) - 1) // len(hostile)]
        after[place].append(lines[place][: lines[place].index(b"]") + 1] + rest + b"\n")
    return b"".join(part for n, line in enumerate(lines) for part in (line, *after[n]))


def _hostile_lines() -> Iterator[bytes]:
    """Yield what stands after the time of each hostile line."""
    for kind, text in TEXTS.items():
        said = json.dumps(text, ensure_ascii=False)
        yield f' [INFO] [kv.rs:1] ["kv rpc failed"] [request={said}] [kind={kind}]'.encode(errors="replace")
        if kind not in SAID_BY_TIKV:
            yield f" [WARN] [kv.rs:2] [{said}] [kind={kind}]".encode(errors="replace")
    for kind, raw in RAW.items():
        yield b" [INFO] [kv.rs:3] " + raw + f" [kind={kind}]".encode()


def _http(source: Path, into: Path) -> None:
    paths: dict[str, set[tuple[str, int]]] = defaultdict(set)
    polls: list[bytes] = []
    for line in _read(source / "polls.jsonl.gz").splitlines():
        poll = json.loads(line)
        if poll.get("error"):
            poll["error"] += f" {NAMES['text']}"
        else:
            paths[poll["sha"]].add((poll["path"], poll["status"]))
        polls.append(json.dumps(poll).encode())
    bodies: list[bytes] = []
    for line in _read(source / "bodies.jsonl.gz").splitlines():
        body = json.loads(line)
        for path, status in paths[body["sha"]]:
            body["body"] = _answer(path, status, body["body"])
        bodies.append(json.dumps(body).encode())
    _write(into / "polls.jsonl.gz", b"\n".join(polls) + b"\n")
    _write(into / "bodies.jsonl.gz", b"\n".join(bodies) + b"\n")


def _answer(path: str, status: int, body: str) -> str:
    if status >= 400:
        return f"{body} {NAMES['text']}"
    last = path.removeprefix("/pd/api/v1/")
    if last not in _ANSWERS or not body:
        return body
    return json.dumps(_ANSWERS[last](json.loads(body)))


def _stores(told: Any) -> Any:
    for store in told["stores"]:
        store["store"]["labels"] = [
            *store["store"].get("labels", []),
            {"key": NAMES["key"], "value": NAMES["value"]},
        ]
        store["store"]["git_hash"] = store["store"]["deploy_path"] = NAMES["text"]
    gone = json.loads(json.dumps(told["stores"][0]))
    gone["store"] |= {
        "id": HARMED,
        "address": NAMES["address"],
        "status_address": NAMES["address"],
        "peer_address": NAMES["address"],
        "version": NAMES["version"],
        "state": 2,
        "state_name": "Tombstone",
        "node_state": 3,
        "node_state_name": "Removed",
        "labels": [{"key": "host", "value": NAMES["value"]}],
    }
    gone["status"] = {}
    told["stores"].append(gone)
    told["count"] += 1
    return told


def _rules(told: Any) -> Any:
    for rule in told:
        rule["id"] = NAMES["id"]
        for inner in rule.get("rules", []):
            inner["id"] = NAMES["id"]
    return told


def _members(told: Any) -> Any:
    for member in told["members"]:
        member["deploy_path"] = member["git_hash"] = NAMES["text"]
    return told


def _labelled(told: Any) -> Any:
    label = {"key": NAMES["key"], "value": NAMES["value"]}
    return [*told, {"id": NAMES["id"], "index": 0, "labels": [label], "rule_type": "key-range", "data": []}]


def _schedulers(told: Any) -> Any:
    return [*told, NAMES["id"]] if isinstance(told, list) else told


def _config(told: Any) -> Any:
    told[NAMES["key"]] = NAMES["value"]
    return told


def _reason(told: Any) -> Any:
    return told | {"reason": NAMES["text"]}


def _summary(told: Any) -> Any:
    return told | {"summary": f"{told.get('summary', '')} {NAMES['text']}"}


def _points(told: Any) -> Any:
    more = {"service_id": NAMES["id"], "expired_at": 9223372036854775807, "safe_point": 0}
    return told | {"service_gc_safe_points": [*told["service_gc_safe_points"], more]}


_ANSWERS = {
    "stores?state=0&state=1&state=2": _stores,
    "config/rules": _rules,
    "config/placement-rule": _rules,
    "config/region-label/rules": _labelled,
    "members": _members,
    "schedulers": _schedulers,
    "schedulers/diagnostic/balance-leader-scheduler": _summary,
    "schedulers/diagnostic/balance-region-scheduler": _summary,
    "config": _config,
    "/config": _config,
    "/health": _reason,
    "gc/safepoint": _points,
}


def _metrics(content: bytes, incident: Incident) -> bytes:
    """Give every series of the nodes one label more, and add series that are about nobody."""
    label = f'"metric":{{"{MARK}":{json.dumps(NAMES["value"])},'.encode()
    lines = [line.replace(b'"metric":{', label, 1) for line in content.splitlines()]
    first = round((incident.start + timedelta(seconds=10)).timestamp() * 1000)
    count = int((incident.end - incident.start).total_seconds() / 5) - 4
    for n, text in enumerate(TEXTS.values()):
        labels = {"__name__": "zq9x_series", "job": "tikv", "n": str(n), "text": text[:2_000]}
        lines.append(json.dumps({"metric": labels, "t": [first] + [5000] * (count - 1), "v": [n] * count}).encode())
    return b"\n".join(lines) + b"\n"
