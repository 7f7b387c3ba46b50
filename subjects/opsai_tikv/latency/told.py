"""What is told of a slow path: a sentence, and the stages that matter as rows. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from opsai_subjects.reply import without_empty
from opsai_tikv.latency.growth import Growth
from opsai_tikv.latency.look import CHANGED
from opsai_tikv.latency.measured import CLIENTS, Measured
from opsai_tikv.latency.origin import Origin
from opsai_tikv.latency.spoken import change, plain, spoken
from opsai_tikv.latency.stages import Path, Stage

NAMED = 3
"""Entities that a sentence names; more are counted."""
LOAD_GREW = 2.0
"""A store's requests count as more from so many times its past on."""
LEAST_LOAD = 5.0
"""A second: below that twice as many is nothing."""
APART = 5.0
"""A store stands apart when its p99 is so many times its peers' median."""
APART_SECONDS = 0.02
_UNITS = {"mean": "mean_seconds", "p50": "p50_seconds", "p99": "p99_seconds", "count": "per_second", "figure": "figure"}


@dataclass(frozen=True)
class Telling:
    """What every sentence needs: the measurements, what stages are called, what people call the stores."""

    found: Measured
    titles: Mapping[str, str]
    names: Mapping[str, str]

    def called(self, entities: Sequence[str]) -> str:
        """Return the entities with their names, those beyond a few counted."""
        each = [f"{entity} ({self.names[entity]})" if entity in self.names else entity for entity in entities[:NAMED]]
        more = len(entities) - NAMED
        return ", ".join(each) + (f" and {more} more" if more > 0 else "")


def verdict(telling: Telling, path: Path, origin: Origin, other: Origin | None = None) -> dict[str, object]:
    """Return the verdict of one path, as figures and as sentences that can be read at night.

    `other` is the origin of the path told before: what is the same is not told twice.
    """
    return without_empty(
        {
            "path": path,
            "where": origin.where,
            "stage": origin.stage,
            "short_of_cpu": origin.starved or None,
            "entities": list(origin.entities),
            "since": origin.since,
            "until": origin.until,
            "share_of_growth_ratio": None if origin.share is None else round(origin.share, 3),
            "says": " ".join(_sentences(telling, path, origin, other)),
        }
    )


def _sentences(telling: Telling, path: Path, origin: Origin, other: Origin | None) -> list[str]:
    if origin.where == "unknown":
        whose = f"no samples of {telling.called(origin.silent)} any more{_when(origin)}: " if origin.silent else ""
        when = "" if origin.silent else _when(origin)
        return [f"Unknown: {whose}{origin.why}{when}."]
    if origin.where == "nothing grew":
        says = [f"No stage of {path}s grew.", *_apart(telling, path), *_unseen(telling, path)]
    elif other is not None and (other.stage, other.entities) == (origin.stage, origin.entities):
        says = [f"{_cause(telling, origin)}, as told above."]
    else:
        says = [f"{_cause(telling, origin)}{_figures(telling.found, origin)}{_when(origin)}."]
        if origin.why:
            says.append(f"{origin.why[0].upper()}{origin.why[1:]}.")
    return [*says, *_felt(telling, path, origin), *_load(telling, path)]


def _cause(telling: Telling, origin: Origin) -> str:
    place = {"tikv": "TiKV", "client": "Client", "network": "Network"}.get(origin.where, origin.where)
    title = telling.titles.get(origin.stage, origin.stage)
    cause = f"too little CPU for the load, most in {title}," if origin.starved else title
    whose = [entity for entity in origin.entities if not entity.startswith(CLIENTS)]
    return f"{place}: {cause} on {telling.called(whose)}" if whose else f"{place}: {cause}"


def _figures(found: Measured, origin: Origin) -> str:
    entity = origin.entities[0]
    growth = found.of(origin.stage, entity)
    if growth is None or (growth.now.get("mean") is None and growth.now.get("figure") is None):
        return ""
    if "figure" in growth.now:
        return f": {plain(growth.before.get('figure'))} → {plain(growth.now.get('figure'))}"
    peers = found.peers_p99(origin.stage, entity)
    others = f" (peers {spoken(peers)})" if peers is not None else ""
    return f": mean {_change(growth, 'mean')}, p99 {_change(growth, 'p99')}{others}"


def _change(growth: Growth, part: str) -> str:
    return change(growth.before.get(part), growth.now.get(part))


def _when(origin: Origin) -> str:
    if origin.since is None:
        return ""
    if origin.until is None:
        return f", since {origin.since:%H:%M:%S}Z"
    return f", from {origin.since:%H:%M:%S}Z to {origin.until:%H:%M:%S}Z, now over"


def _unseen(telling: Telling, path: Path) -> list[str]:
    if telling.found.entities(f"client_{path}s"):
        return []
    return ["What passes before a request reaches its store is not seen: there are no client metrics."]


def _felt(telling: Telling, path: Path, origin: Origin) -> list[str]:
    """Say what clients' requests show of it inside the stores, and where none complete any more."""
    found, stage = telling.found, f"{path}_requests"
    known = found.stage(stage)
    grown = sorted((entity for entity in known if known[entity].rise() > 0), key=lambda entity: -known[entity].rise())
    says: list[str] = []
    if grown:
        share = f"; the stage explains {origin.share:.0%} of the growth" if origin.share is not None else ""
        over = " (over)" if all(known[entity].state == "over" for entity in grown) else ""
        says.append(f"Client {path}s on {telling.called(grown)}: mean {_change(known[grown[0]], 'mean')}{over}{share}.")
    elif known and origin.where != "nothing grew":
        says.append(f"Client {path}s inside the stores take no longer.")
    gone = [entity for entity, growth in known.items() if growth.state == "stopped"]
    if gone:
        ends = "completes" if len(gone) == 1 else "complete"
        why = "its leaders moved away, or clients cannot reach it" if len(gone) == 1 else "leaders moved away"
        says.append(f"{telling.called(gone)} {ends} no {path}s any more: {why}.")
    if origin.silent:
        says.append(f"No samples of {telling.called(origin.silent)} any more: nothing is known of it.")
    return says


def _load(telling: Telling, path: Path) -> list[str]:
    """Say where clients ask far more than before."""
    found, stage = telling.found, f"{path}_requests"
    more: list[tuple[float, str]] = []
    for entity, growth in found.stage(stage).items():
        before, now = growth.before.get("count"), growth.usual.get("count")
        if before is not None and now is not None and now > max(LEAST_LOAD, LOAD_GREW * before):
            more.append((now, f"{entity} takes {plain(now)} {path}s/s, before {plain(before)}"))
    more.sort(reverse=True)
    return [f"Load: {'; '.join(says for _, says in more[:NAMED])}."] if more else []


def _apart(telling: Telling, path: Path) -> list[str]:
    """Say which store was slower than its peers all along."""
    found = telling.found
    says: list[str] = []
    for stage in (f"{path}_requests", "fsync", "apply") if path == "write" else (f"{path}_requests", "read_pool_wait"):
        for entity, growth in found.stage(stage).items():
            own, peers = growth.usual.get("p99"), found.peers_p99(stage, entity)
            if own is not None and peers is not None and own > max(APART_SECONDS, APART * peers):
                what = f"{telling.titles[stage]} p99 {spoken(own)}, peers {spoken(peers)}"
                says.append(f"{telling.called((entity,))} is slower than its peers all along: {what}.")
    return says[:NAMED]


def rows(found: Measured, stages: Sequence[Stage], origins: Sequence[Origin]) -> list[dict[str, object]]:
    """Return every stage of every entity with its figures in full: those of the verdicts first, then by rise."""
    order = {stage.id: place for place, stage in enumerate(stages)}
    causes = {(origin.stage, entity) for origin in origins for entity in origin.entities}

    def place(key: tuple[str, str]) -> tuple[bool, int, float, float, int]:
        growth = found.growths[key]
        rank = CHANGED.index(growth.state) // 2 if growth.state in CHANGED else len(CHANGED)
        return (key not in causes, rank, -growth.rise(), -growth.rise("p99"), order[key[0]])

    return [_row(found, *key) for key in sorted(found.growths, key=place)]


def shown(found: Measured, row: Mapping[str, object]) -> bool:
    """Say whether a row is worth showing: it changed, and not only because leaders moved away."""
    growth = found.growths[(str(row["stage"]), str(row["entity"]))]
    if growth.state == "stopped" and growth.now.get("mean") is None:
        return row["stage"] in _EACH_STORE
    return growth.state in CHANGED


_EACH_STORE = ("append", "fsync", "log_queue", "apply", "message_delay", "write_requests", "read_requests")
"""Stages that go on without leaders, and the requests themselves: there no completions mean something."""


def _row(found: Measured, stage: str, entity: str) -> dict[str, object]:
    growth = found.growths[(stage, entity)]
    figures = {
        f"{unit}_{when}": side[part]
        for part, unit in _UNITS.items()
        for when, side in (("before", growth.before), ("now", growth.now))
        if part in side
    }
    return {
        "stage": stage,
        "entity": entity,
        "state": growth.state,
        **figures,
        "peers_p99_seconds_now": found.peers_p99(stage, entity) if "p99" in growth.now else None,
        "since": _moment(found, growth.since),
        "until": _moment(found, growth.until),
    }


def _moment(found: Measured, index: int | None) -> datetime | None:
    return None if index is None else found.plan.moment(index)


def brief(found: Measured, row: Mapping[str, object]) -> dict[str, object]:
    """Return a row as it is shown: `before → now` in one text each, times in milliseconds."""
    growth = found.growths[(str(row["stage"]), str(row["entity"]))]
    shown: dict[str, object] = {"stage": row["stage"], "entity": row["entity"]}
    if growth.state == "stopped":
        shown["state"] = "no completions any more"
    for part in ("mean", "p50", "p99"):
        if growth.now.get(part) is not None:
            shown[f"{part}_ms"] = f"{_ms(growth.before.get(part))} → {_ms(growth.now.get(part))}"
    for part, name in (("figure", "figure"), ("count", "per_s")):
        if growth.now.get(part) is not None:
            shown[name] = f"{plain(growth.before.get(part))} → {plain(growth.now.get(part))}"
    peers = row["peers_p99_seconds_now"]
    if isinstance(peers, float):
        shown["peers_p99_ms"] = _ms(peers)
    for name in ("since", "until"):
        moment = row[name]
        if isinstance(moment, datetime):
            shown[name] = f"{moment:%H:%M:%S}"
    return shown


def _ms(seconds: float | None) -> str:
    return plain(None if seconds is None else seconds * 1000)
