"""Under which names a recording's nodes go: grading is by meaning, not by spelling."""

import gzip
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import JsonValue

from opsai_subjects.errors import RecordingCorrupt


@dataclass(frozen=True, slots=True)
class Aliases:
    """Every name, address and id of a node to the one name that `incident.json` gives it."""

    names: Mapping[str, str]

    def canonical(self, entity: str) -> str:
        """Return the one spelling of an entity, so that two spellings of the same one are equal."""
        if entity in self.names:
            return self.names[entity]
        family, _, rest = entity.partition(":")
        if family == "config":
            return f"config:{rest.rpartition('.')[2]}"
        if family == "link":
            return self._link(rest)
        return entity

    def same(self, true: str, named: str) -> bool:
        """Say whether an investigator's entity is the true one; `region` is any region."""
        if true == "region" and named.startswith("region:"):
            return True
        return self.canonical(true) == self.canonical(named)

    def _link(self, ends: str) -> str:
        parts = ends.split("-")
        for at in range(1, len(parts)):
            left, right = "-".join(parts[:at]), "-".join(parts[at:])
            if left in self.names and right in self.names:
                return "link:" + "-".join(sorted((self.names[left], self.names[right])))
        return f"link:{ends}"


def read_aliases(recording: Path) -> Aliases:
    """Read the names from `incident.json` and from the stores and members that PD listed. Raises RecordingCorrupt."""
    try:
        manifest: JsonValue = json.loads((recording / "incident.json").read_text(encoding="utf-8"))
        with gzip.open(recording / "http" / "bodies.jsonl.gz", "rt", encoding="utf-8") as lines:
            bodies = [json.loads(line)["body"] for line in lines]
    except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
        raise RecordingCorrupt(f"The names of the nodes in {recording} cannot be read: {error}") from error
    return aliases_of(manifest, bodies)


def aliases_of(manifest: JsonValue, bodies: Iterable[str]) -> Aliases:
    """Return the names that a manifest and the bodies of PD's answers give to nodes."""
    names: dict[str, str] = {}
    for node in _objects(manifest):
        name = node.get("name")
        if isinstance(name, str) and isinstance(node.get("address"), str):
            names |= {str(node[key]): name for key in ("name", "address", "status_address") if node.get(key)}
    for body in bodies:
        if '"stores"' in body or '"members"' in body:
            names |= dict(_named(body, names))
    return Aliases(names)


def _named(body: str, known: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    try:
        value: JsonValue = json.loads(body)
    except ValueError:
        return
    for thing in _objects(value):
        if isinstance(thing.get("id"), int) and str(thing.get("address")) in known:
            yield f"store:{thing['id']}", known[str(thing["address"])]
        urls = thing.get("client_urls")
        for url in urls if isinstance(urls, list) else ():
            if (address := str(url).rpartition("/")[2]) in known:
                yield str(thing.get("name")), known[address]


def _objects(value: JsonValue) -> Iterator[dict[str, JsonValue]]:
    """Yield every object in a JSON value."""
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from _objects(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _objects(inner)
