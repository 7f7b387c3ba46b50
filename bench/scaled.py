"""A larger cluster made of a recorded one: the same answers, for more stores and more regions."""

import gzip
import hashlib
from collections.abc import Iterable, Mapping
from datetime import timedelta
from pathlib import Path

import orjson
from pydantic import JsonValue

from opsai_subjects.recording.folder import Recording, open_recording
from opsai_subjects.recording.polls import Key, Poll

CLONE = 100_000
"""What is added to a store's id to name its clone."""
MANY = 100
"""A map by so many numbers or more is a map by store."""
PER_STORE = ("leader_count", "region_count", "leader_size", "region_size", "leader_score")
PER_CLUSTER = ("region-count", "region_count", "leader_count")
ROUNDS = 8
STEP = timedelta(seconds=30)


class Scaling:
    """From the recorded number of stores and regions to more."""

    def __init__(self, recording: Recording, stores: int, regions: int) -> None:
        self._ids = sorted(_stores(recording), key=int)
        self.stores, self.regions = stores, regions
        self._cloned = frozenset(self._ids[: max(0, stores - len(self._ids))])
        recorded = _count(recording)
        self._cluster_factor = regions / recorded
        self._store_factor = self._cluster_factor * len(self._ids) / stores

    def body(self, key: Key, body: bytes) -> bytes:
        """Return a recorded answer as the larger cluster gives it."""
        if body.lstrip()[:1] not in (b"{", b"["):
            return body
        read: JsonValue = orjson.loads(body)
        grown = self._grown(read)
        if isinstance(grown, dict) and key.path.endswith(("/regions/count", "/stats/region")):
            grown["count"] = self.regions
        return orjson.dumps(grown, option=orjson.OPT_INDENT_2)  # as PD writes it

    def series(self, line: bytes) -> Iterable[bytes]:
        """Return a recorded series as it is there, and its clone where it is of one store."""
        one = orjson.loads(line)
        metric: dict[str, str] = one["metric"]
        name, kind = metric["__name__"], metric.get("type", "")
        if name in ("pd_regions_status", "pd_cluster_status") and kind.endswith(PER_CLUSTER):
            one["v"] = [value * self._cluster_factor if isinstance(value, int | float) else value for value in one["v"]]
            line = orjson.dumps(one)
        yield line
        if metric.get("store") in self._cloned:
            clone = metric | {"store": self._clone(metric["store"])}
            if "address" in metric:
                clone["address"] = f"clone-{metric['address']}"
            yield orjson.dumps({**one, "metric": clone})

    @staticmethod
    def _clone(store: str) -> str:
        return str(int(store) + CLONE)

    def _grown(self, value: JsonValue) -> JsonValue:
        if isinstance(value, list):
            return [self._grown(item) for item in value]
        if not isinstance(value, dict):
            return value
        if len(value) >= MANY and all(name.isdigit() for name in value):
            more = {self._clone(name): part for name, part in value.items() if name in self._cloned}
            return {**value, **more}
        listed = value.get("stores")
        if isinstance(listed, list) and listed and isinstance(listed[0], dict) and "store" in listed[0]:
            whole = [one for store in listed if isinstance(store, dict) for one in self._entries(store)]
            return {**value, "count": len(whole), "stores": whole}
        return {name: self._grown(part) for name, part in value.items()}

    def _entries(self, entry: Mapping[str, JsonValue]) -> Iterable[JsonValue]:
        store, status = entry.get("store"), entry.get("status")
        if not isinstance(store, dict) or not isinstance(status, dict):
            yield dict(entry)
            return
        figures = {name: status[name] for name in PER_STORE if name in status}
        more = {
            name: round(figure * self._store_factor)
            for name, figure in figures.items()
            if isinstance(figure, int | float)
        }
        grown = {**status, **more}
        yield {"store": store, "status": grown}
        if str(store["id"]) in self._cloned:
            addresses = {name: f"clone-{store[name]}" for name in ("address", "status_address") if name in store}
            yield {"store": {**store, **addresses, "id": int(str(store["id"])) + CLONE}, "status": grown}


def scaled(source: Path, folder: Path, stores: int, regions: int) -> Path:
    """Write a recording of so many stores and regions, a few minutes long, and return its folder."""
    recording = open_recording(source)
    scaling = Scaling(recording, stores, regions)
    (folder / "http").mkdir(parents=True)
    incident = orjson.loads((source / "incident.json").read_bytes())
    (folder / "incident.json").write_bytes(orjson.dumps({**incident, "name": f"scaled-{stores}-stores"}))
    with (
        gzip.open(source / "metrics.jsonl.gz", "rb") as lines,
        gzip.open(folder / "metrics.jsonl.gz", "wb", compresslevel=1) as out,
    ):
        for line in lines:
            out.writelines(grown + b"\n" for grown in scaling.series(line.rstrip()))
    _write_answers(recording, scaling, folder / "http")
    return folder


def _write_answers(recording: Recording, scaling: Scaling, http: Path) -> None:
    bodies: dict[str, bytes] = {}
    polls: list[dict[str, object]] = []
    for node in recording.polls.nodes:
        for key, poll in _last_answers(recording, node):
            body = scaling.body(key, recording.bodies.body(poll.sha))
            sha = hashlib.sha1(body, usedforsecurity=False).hexdigest()
            bodies[sha] = body
            query = "&".join(f"{name}={value}" for name, value in key.query)
            path = f"{key.path}?{query}" if query else key.path
            polls.append({"node": node, "path": path, "local": key.local, "status": poll.status, "sha": sha, "ms": 1})
    first = recording.incident.end - ROUNDS * STEP
    with gzip.open(http / "polls.jsonl.gz", "wb", compresslevel=1) as out:
        for number in range(ROUNDS * 6 + 1):
            at = (first + number * STEP / 6).timestamp()
            out.writelines(orjson.dumps({"at": at, **poll}) + b"\n" for poll in polls)
    with gzip.open(http / "bodies.jsonl.gz", "wb", compresslevel=1) as out:
        out.writelines(orjson.dumps({"sha": sha, "body": body.decode()}) + b"\n" for sha, body in bodies.items())


def _last_answers(recording: Recording, node: str) -> Iterable[tuple[Key, Poll]]:
    end = recording.incident.end.timestamp()
    for key in recording.polls.keys(node):
        found = recording.polls.answer(node, key, end)
        if isinstance(found, Poll):
            yield key, found


def _answer(recording: Recording, path: str) -> JsonValue:
    for node in recording.polls.nodes:
        for key, poll in _last_answers(recording, node):
            if key.path == path and not key.local:
                found: JsonValue = orjson.loads(recording.bodies.body(poll.sha))
                return found
    raise LookupError(f"{recording.folder} holds no answer to {path}")


def status_addresses(recording: Recording) -> tuple[str, ...]:
    """Return the stores' status addresses, as PD tells them."""
    return tuple(str(store["status_address"]) for store in _listed(recording))


def _stores(recording: Recording) -> Iterable[str]:
    return (str(store["id"]) for store in _listed(recording))


def _listed(recording: Recording) -> Iterable[dict[str, JsonValue]]:
    found = _answer(recording, "/pd/api/v1/stores")
    entries = found.get("stores") if isinstance(found, dict) else None
    for entry in entries if isinstance(entries, list) else ():
        store = entry.get("store") if isinstance(entry, dict) else None
        if isinstance(store, dict):
            yield store


def _count(recording: Recording) -> int:
    found = _answer(recording, "/pd/api/v1/regions/count")
    count = found.get("count") if isinstance(found, dict) else None
    if not isinstance(count, int):
        raise LookupError(f"{recording.folder} does not say how many regions there are")
    return count
