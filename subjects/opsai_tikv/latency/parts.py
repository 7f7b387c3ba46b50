"""The pieces of a path that add up: how much more each store spends in each, inner stages taken out of outer ones. Pure."""

from dataclasses import dataclass

from opsai_tikv.latency.look import Look

OWN_SHARE = 0.3
"""What is left of an outer stage after its inner ones counts as a stage of its own from this part of the outer rise on."""

RARE = ("flow_control", "lock_wait")
READ_KINDS = ("coprocessor_wait", "coprocessor_handle", "point_reads")
"""Not every request goes through these: they are weighed by how many do."""


@dataclass(frozen=True)
class Part:
    """A piece of the path that takes time of its own, and how much more each store spends in it, in seconds."""

    stage: str
    rises: dict[str, float]

    @property
    def largest(self) -> float:
        """The most that a store spends more."""
        return max(self.rises.values(), default=0.0)


def write_parts(look: Look) -> list[Part]:
    """Split the growth of writes into the pieces that add up, per store."""
    inner = {stage: _rises(look, stage) for stage in ("latch", "propose_wait", "apply_wait", "apply", *RARE)}
    log = {store: look.rise("append", store) + look.rise("log_queue", store) for store in look.every}
    slowest_log = max(log.values(), default=0.0)
    concerned = look.every if _rises(look, "commit") else look.stores
    commit = _rest(look, "commit", dict.fromkeys(look.stores, slowest_log))
    async_write = _rises(look, "async_write")
    scheduler = _rest(
        look,
        "scheduler",
        {
            store: async_write.get(store, 0.0) + look.rise("latch", store) + _rise(look, "flow_control", store)
            for store in look.stores
        },
    )
    outside = {
        store: max(look.rise("scheduler", store), async_write.get(store, 0.0)) + _rise(look, "lock_wait", store)
        for store in look.stores
    }
    return [
        *(Part(stage, rises) for stage, rises in inner.items()),
        Part("append", {store: log[store] for store in concerned if log[store] > 0}),
        Part("commit", commit),
        Part("scheduler", scheduler),
        Part(look.total, _rest(look, look.total, outside)),
    ]


def read_parts(look: Look) -> list[Part]:
    """Split the growth of reads into the pieces that add up, per store."""
    stages = ("read_pool_wait", "snapshot", "coprocessor_handle", "point_reads")
    inner = {stage: _rises(look, stage) for stage in stages}
    queue = _rest(
        look,
        "coprocessor_wait",
        {store: look.rise("read_pool_wait", store) + look.rise("snapshot", store) for store in look.stores},
    )
    known = {store: sum(_rise(look, stage, store) for stage in (*stages, "coprocessor_wait")) for store in look.stores}
    return [
        *(Part(stage, rises) for stage, rises in inner.items()),
        Part("coprocessor_wait", queue),
        Part(look.total, _rest(look, look.total, known)),
    ]


def _rises(look: Look, stage: str) -> dict[str, float]:
    return {store: rise for store in look.stores if (rise := _rise(look, stage, store)) > 0}


def _rise(look: Look, stage: str, store: str) -> float:
    return look.per_request(stage, store) if stage in (*RARE, *READ_KINDS) else look.rise(stage, store)


def _rest(look: Look, stage: str, explained: dict[str, float]) -> dict[str, float]:
    """Return what is left of a stage's rise beyond what is explained, where it is a good part of it."""
    rest: dict[str, float] = {}
    for store in look.stores:
        whole = _rise(look, stage, store)
        left = whole - explained.get(store, 0.0)
        if whole > 0 and left >= OWN_SHARE * whole:
            rest[store] = left
    return rest


def share(look: Look, part: Part) -> float | None:
    """Return how much of what clients' requests take longer inside the stores this piece explains, at most 1; None when no stage does."""
    whole = {store: look.rise(look.total, store) for store in look.stores}
    paid = "commit" if part.stage == "append" else part.stage
    weight = {
        store: (growth.now.get("count") or 0.0) for store in look.stores if (growth := look.of(look.total, store))
    }
    total = sum(whole[store] * weight.get(store, 0.0) for store in look.stores)
    if total <= 0 or part.stage == look.total:
        return None
    own = sum(
        (look.rise(paid, store) if paid == "commit" else part.rises.get(store, 0.0)) * weight.get(store, 0.0)
        for store in look.stores
    )
    return min(1.0, own / total)
