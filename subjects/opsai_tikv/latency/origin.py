"""Where the time went: from the stages that grew to the one that explains the others, its stores, and who is to look. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from opsai_tikv.latency.causes import Where, cause
from opsai_tikv.latency.look import Look
from opsai_tikv.latency.measured import CLIENTS, Measured
from opsai_tikv.latency.parts import read_parts, share, write_parts
from opsai_tikv.latency.spoken import plain, spoken
from opsai_tikv.latency.stages import Path

THREAD_WAITS = ("read_pool_wait", "scheduler_pool_wait")
RAFT_WAITS = ("propose_wait", "apply_wait")
PEERS_GO_ON = 0.2
"""Completions stopped on one store, and not for want of work, while the others keep this part of theirs."""


@dataclass(frozen=True)
class Origin:
    """The stage that explains the rest."""

    where: Where
    stage: str = ""
    entities: tuple[str, ...] = ()
    """Worst first."""
    since: datetime | None = None
    until: datetime | None = None
    """None: it is so now."""
    why: str = ""
    """What speaks for it, a sentence without its dot."""
    starved: bool = False
    """Whether threads are short of a processor, and not the stage by itself is slow."""
    share: float | None = None
    """Of the growth that clients' requests show inside the stores, 0 to 1; None where they show none."""
    silent: tuple[str, ...] = ()
    """Stores that gave samples and give none any more: nothing is known of them."""


def origin(found: Measured, path: Path, stores: Sequence[str], every: Sequence[str]) -> Origin:
    """Name what made the path slower on these stores; `every` are all of the cluster."""
    look = Look(found, path, tuple(stores), tuple(every))
    if not found.sampled or not look.known():
        return Origin("unknown", why=look.why_unknown())
    seen = [one for judge in _JUDGES if (one := judge(look)) is not None]
    present = next((one for one in seen if one.until is None), None)
    if present is not None:
        return present
    return _blind(look) if look.silent() else seen[0] if seen else Origin("nothing grew")


def _blind(look: Look) -> Origin:
    """Return what can be said where a store fell silent and nothing else explains the path."""
    silent = look.silent()
    last = [growth.since for (_, one), growth in look.found.growths.items() if one in silent and growth.since]
    why = "down, hung or cut off (topology says which), so its stages are unknown; on the other stores nothing is slow now"
    since = look.found.plan.moment(max(last)) if last else None
    return Origin("unknown", entities=silent, since=since, why=why, silent=silent)


def _stopped(look: Look) -> Origin | None:
    """Find a store whose raft log is not written any more while the others' is: a hung disk has no percentile."""
    for stage in ("fsync", "append") if look.path == "write" else ():
        hung = [store for store in look.stores if _ended(look, stage, store) and _others_go_on(look, stage, store)]
        if hung:
            since, _ = look.moments(stage, hung)
            growth = look.of(stage, hung[0])
            before = plain(growth.before.get("count")) if growth else "?"
            why = f"no completions any more (before {before}/s) though it is scraped: its disk hangs, or what writes to it"
            return Origin("tikv", stage, tuple(hung), since, why=why)
    return None


def _ended(look: Look, stage: str, store: str) -> bool:
    growth = look.of(stage, store)
    return growth is not None and growth.state == "stopped"


def _others_go_on(look: Look, stage: str, store: str) -> bool:
    others = [growth for other in look.every if other != store and (growth := look.of(stage, other)) is not None]
    before = sum(growth.before.get("count") or 0.0 for growth in others)
    now = sum(growth.usual.get("count") or 0.0 for growth in others if growth.state != "stopped")
    return before > 0 and now > PEERS_GO_ON * before


def _nobody(look: Look) -> Origin | None:
    """Find that no store completes a request of this path any more: what is below it has nothing to do."""
    served = [growth for store in look.every if (growth := look.of(look.total, store)) is not None]
    busy = [growth for growth in served if (growth.before.get("count") or 0.0) > 0]
    ended = [growth.since for growth in busy if growth.state == "stopped" and growth.since is not None]
    if not busy or len(ended) < len(busy):
        return None
    why = f"no store completes {look.path}s any more: clients stopped asking, or cannot (without PD no transaction begins; see overview)"
    return Origin("unknown", look.total, look.every, look.found.plan.moment(max(ended)), why=why)


def _processor(look: Look) -> Origin | None:
    """Find stores where tasks of several pools wait for a thread: no disk and no peer makes all of them wait."""
    starved: dict[str, float] = {}
    for store in look.stores:
        pools = [look.rise(stage, store) for stage in THREAD_WAITS]
        raft = [look.rise(stage, store) for stage in RAFT_WAITS]
        if max(pools) > 0 and max(raft) > 0:
            starved[store] = max(*pools, *raft)
    if not starved:
        return None
    entities = look.alike(starved)
    waits = [name for name in (*THREAD_WAITS, *RAFT_WAITS) if look.rise(name, entities[0]) > 0]
    stage = max(waits, key=lambda name: look.rise(name, entities[0]))
    since, until = look.moments(stage, entities)
    why = f"tasks of {len(waits)} pools wait for a thread ({', '.join(waits)}): what else is slow there follows from it"
    return Origin("tikv", stage, entities, since, until, why, starved=True)


def _client(look: Look) -> Origin | None:
    """Find what grew for clients and not in the stores; None without their metrics or where the stores explain it."""
    asked = {store: rise for store in look.stores if (rise := look.rise(look.client_total, store)) > 0}
    network = {store: rise for store in look.stores if (rise := look.rise("client_network", store)) > 0}
    worst = max(asked or network, key=lambda store: (asked or network)[store], default="")
    inside, between = look.rise(look.total, worst), network.get(worst, 0.0)
    own = asked.get(worst, 0.0) - inside - between
    if worst and inside >= max(between, own):
        return None
    if worst and between >= own:
        entities = look.alike(network)
        since, until = look.moments("client_network", entities)
        why = f"requests take {spoken(between)} longer on their way, and {spoken(inside)} longer inside the store"
        return Origin("network", "client_network", entities, since, until, why)
    if worst:
        entities = look.alike(asked)
        since, until = look.moments(look.client_total, entities)
        why = f"clients wait {spoken(asked[worst])} longer, {spoken(inside)} of it in the store and {spoken(between)} on the way: the rest is the client's own (its CPU, its connections)"
        return Origin("client", look.client_total, entities, since, until, why)
    return _client_waits(look)


def _client_waits(look: Look) -> Origin | None:
    """Find clients that wait between requests while the stores are as quick as before."""
    if any(look.rise(look.total, store) > 0 for store in look.every):
        return None
    waits = [
        (rise, stage, entity)
        for stage in ("client_backoff", "client_timestamp")
        for entity in look.found.entities(stage)
        if (rise := look.rise(stage, entity)) > 0
    ]
    if not waits:
        return None
    _, stage, entity = max(waits)
    since, until = look.moments(stage, (entity,))
    what = f"back off because of {entity.removeprefix(f'{CLIENTS}:')}" if stage == "client_backoff" else "wait for PD"
    return Origin("client", stage, (entity,), since, until, f"clients {what}, and the stores are as quick as before")


def _largest(look: Look) -> Origin | None:
    """Take the piece of the path with the largest rise."""
    pieces = [piece for piece in (write_parts(look) if look.path == "write" else read_parts(look)) if piece.largest > 0]
    if not pieces:
        return _slowest_alone(look)
    piece = max(pieces, key=lambda one: one.largest)
    stores = look.alike(piece.rises)
    found = cause(look, piece.stage, stores)
    entities = found.entities or stores
    since, until = look.moments(found.stage, entities)
    return Origin(found.where, found.stage, entities, since, until, found.why, share=share(look, piece))


def _slowest_alone(look: Look) -> Origin | None:
    """Name a stage whose slowest requests alone grew."""
    rises = {stage: look.tails(stage) for stage in _TAIL[look.path]}
    stage = max(rises, key=lambda name: max(rises[name].values(), default=0.0))
    if not rises[stage]:
        return None
    entities = look.alike(rises[stage])
    since, until = look.moments(stage, entities)
    return Origin("tikv", stage, entities, since, until, "its slowest requests alone, the mean is as before")


_TAIL: dict[Path, tuple[str, ...]] = {
    "write": ("append", "commit", "apply", "latch", "propose_wait", "apply_wait", "write_requests"),
    "read": ("snapshot", "coprocessor_wait", "coprocessor_handle", "read_pool_wait", "point_reads", "read_requests"),
}
_JUDGES = (_stopped, _nobody, _processor, _client, _largest)
