"""The measurements, with what the judgements ask of them. Pure."""

from collections.abc import Iterable
from datetime import datetime

from opsai_tikv.latency.growth import Growth
from opsai_tikv.latency.measured import Measured
from opsai_tikv.latency.stages import Path

SAME_TROUBLE = 0.5
"""A store with at least this part of the largest rise has the same trouble."""
CHANGED = ("grew", "stopped", "over")


class Look:
    """The measurements, with what the judges ask of them."""

    def __init__(self, found: Measured, path: Path, stores: tuple[str, ...], every: tuple[str, ...]) -> None:
        self.found = found
        self.path: Path = path
        self.total = f"{path}_requests"
        self.client_total = f"client_{path}s"
        self.stores = stores
        """The stores asked about."""
        self.every = every
        """All stores: a leader waits for the logs of others."""

    def of(self, stage: str, store: str) -> Growth | None:
        """Return a stage of a store (or of clients), None when it has no series."""
        return self.found.of(stage, store)

    def rise(self, stage: str, store: str) -> float:
        """Return the rise of the mean, by the figure where the stage is one."""
        grown = self.of(stage, store)
        return 0.0 if grown is None else grown.rise("figure" if "figure" in grown.now else "mean")

    def per_request(self, stage: str, store: str) -> float:
        """Return what a stage that few requests go through (a lock, a coprocessor) adds to the mean of all of them."""
        one, whole = self.of(stage, store), self.of(self.total, store)
        through, all_of_them = (growth.now.get("count") if growth else None for growth in (one, whole))
        part = through / all_of_them if through is not None and all_of_them else 1.0
        return self.rise(stage, store) * min(1.0, part)

    def tails(self, stage: str) -> dict[str, float]:
        """Return the stores where the 99th percentile grew, and by how much."""
        growths = {store: growth for store in self.stores if (growth := self.of(stage, store)) is not None}
        return {store: rise for store, growth in growths.items() if (rise := growth.rise("p99")) > 0}

    def known(self) -> bool:
        """Say whether requests of the path could be timed at all."""
        return any(
            growth.state not in ("unknown", "silent", "idle")
            for (stage, _), growth in self.found.growths.items()
            if stage in (self.total, self.client_total)
        )

    def why_unknown(self) -> str:
        """Return why nothing can be said."""
        if not self.found.sampled and self.found.unread:
            return f"the metrics engine did not answer: {self.found.unread[0].why}"
        if not self.found.sampled:
            return "the metrics engine has no series of TiKV in this time (not scraped, or under other names)"
        states = {growth.state for (stage, _), growth in self.found.growths.items() if stage == self.total}
        if "silent" in states or "stopped" in states:
            return f"no {self.path}s complete any more, so none can be timed: see topology for what is down"
        return f"no client {self.path}s in this time: an empty histogram has no percentile"

    def silent(self) -> tuple[str, ...]:
        """Return the stores that gave samples and give none now."""
        return tuple(
            store
            for store in self.stores
            if any(growth.state == "silent" for (_, entity), growth in self.found.growths.items() if entity == store)
        )

    def moments(self, stage: str, entities: Iterable[str]) -> tuple[datetime | None, datetime | None]:
        """Return since when the stage is so on the first of them, and until when if all are over."""
        grown = [growth for entity in entities if (growth := self.of(stage, entity)) is not None]
        starts = [growth.since for growth in grown if growth.since is not None]
        ends = [growth.until for growth in grown]
        since = self.found.plan.moment(min(starts)) if starts else None
        known = [end for end in ends if end is not None]
        return since, self.found.plan.moment(max(known)) if known and len(known) == len(ends) else None

    def alike(self, rises: dict[str, float]) -> tuple[str, ...]:
        """Return the entities of the largest rise and of those near it, largest first."""
        most = max(rises.values())
        return tuple(sorted((one for one in rises if rises[one] >= SAME_TROUBLE * most), key=lambda one: -rises[one]))
