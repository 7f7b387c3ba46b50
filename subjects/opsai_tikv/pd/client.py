"""PD's HTTP API, read only: each question a method that returns frozen values or raises SourceError.

Never asked: `/regions` and `/stats/region` without `count` (they cost PD in proportion to all regions, the latter looped
for ever on a master of March 2026), and a check of regions without a bound.
"""

import time
from collections.abc import Mapping, Sequence
from typing import Literal

from opsai_subjects.errors import NotRecorded, SourceMalformed, SourceRefused, SourceTooLarge
from opsai_subjects.model import Clock
from opsai_subjects.sources.web import Web
from opsai_tikv.pd.hot import Direction, read_hot_regions
from opsai_tikv.pd.members import read_etcd_health, read_health, read_members, read_status
from opsai_tikv.pd.operators import read_operators
from opsai_tikv.pd.regions import read_count, read_label_rules, read_region, read_regions, read_rules
from opsai_tikv.pd.round import VIEW_SECONDS, Known, Round, read
from opsai_tikv.pd.settings import (
    read_config,
    read_diagnosis,
    read_gc_safe_point,
    read_names,
    read_paused,
    read_pauses,
    read_replication,
    read_resolved_ts,
    read_scheduler_config,
    read_text,
    read_unsafe_recovery,
)
from opsai_tikv.pd.stores import read_progress, read_store_flows, read_stores
from opsai_tikv.pd.traffic import WHOLE_AT_MOST, Traffic, read_traffic
from opsai_tikv.pd.values import (
    Config,
    Diagnosis,
    EtcdHealth,
    GcSafePoint,
    HotRegion,
    LabelRule,
    MemberHealth,
    Members,
    Operator,
    Pause,
    PdStatus,
    Progress,
    Region,
    RegionsFound,
    Replication,
    ResolvedTs,
    Rule,
    Store,
    StoreFlow,
    View,
)

V1 = "/pd/api/v1"
CHECKERS = ("learner", "replica", "rule", "split", "merge", "joint-state")
RegionCheck = Literal[
    "miss-peer",
    "extra-peer",
    "pending-peer",
    "down-peer",
    "learner-peer",
    "offline-peer",
    "empty-region",
    "oversized-region",
    "undersized-region",
]
REGIONS_LISTED_AT_MOST = 500
"""One region is about 600 bytes of JSON, and the lists have no paging."""
LEAST_HOT_SHARE = 0.10
_HEALTH_SECONDS = 8.0
"""PD pings every member with 3 s each before it answers."""
_HEAVY_SECONDS = 10.0
_ALL_STATES = (("state", "0"), ("state", "1"), ("state", "2"))


class Pd:
    """One round of reading PD: which members answer is found out once. For the next round take `again()`."""

    def __init__(
        self, web: Web, urls: Sequence[str], reach: Mapping[str, str], clock: Clock, known: Known | None = None
    ) -> None:
        self._web = web
        self._urls = tuple(urls)
        self._reach = reach
        self._clock = clock
        self._known = known or Known()
        self._round = Round(web, urls, reach, self._known)

    def again(self) -> "Pd":
        """Return a client for a new round that remembers the members found so far and nothing of who answered."""
        return Pd(self._web, self._urls, self._reach, self._clock, self._known)

    async def views(self) -> tuple[View, ...]:
        """Return how each known member met us and how it sees the membership. Never raises."""
        return await self._round.views()

    async def leader(self) -> str | None:
        """Return the member that itself says it leads; None when none that answers does. Never raises."""
        return await self._round.leader()

    async def members(self) -> Members:
        """Return the membership as the leader sees it, without one as the first member that answers does."""
        views = [view for view in await self._round.views() if view.members is not None]
        leader = await self._round.leader()
        chosen = next((view for view in views if view.name == leader), views[0] if views else None)
        if chosen is not None and chosen.members is not None:
            return chosen.members
        return read(await self._round.ask(f"{V1}/members"), read_members)

    async def members_of(self, name: str) -> Members:
        """Return the membership as this member alone sees it."""
        found = next((view.members for view in await self._round.views() if name in (view.name, view.url)), None)
        return found or read(await self._round.ask_member(name, f"{V1}/members"), read_members)

    async def health(self) -> tuple[MemberHealth, ...]:
        """Return what the member asked found when it pinged all members."""
        seconds = _HEALTH_SECONDS if await self._round.leader() else VIEW_SECONDS
        return read(await self._round.ask(f"{V1}/health", seconds=seconds), read_health)

    async def health_of(self, name: str) -> tuple[MemberHealth, ...]:
        """Return what this member found when it pinged all members: needs no leader."""
        reply = await self._round.ask_member(name, f"{V1}/health", seconds=_HEALTH_SECONDS)
        return read(reply, read_health)

    async def etcd_health(self, name: str) -> EtcdHealth:
        """Return what this member's own etcd says: unhealthy while it sees no etcd leader."""
        return read(await self._round.ask_member(name, "/health", local=False, accept=(503,)), read_etcd_health)

    async def status(self, name: str) -> PdStatus:
        """Return this member's version and start."""
        found = next((view.status for view in await self._round.views() if name in (view.name, view.url)), None)
        return found or read(await self._round.ask_member(name, f"{V1}/status"), read_status)

    async def ping(self, name: str) -> float:
        """Return the seconds this member took to answer a ping."""
        began = time.monotonic()
        await self._round.ask_member(name, f"{V1}/ping", local=False)
        return time.monotonic() - began

    async def cluster_id(self) -> str | None:
        """Return the cluster's id."""
        return (await self.members()).cluster_id

    async def cluster_version(self) -> str:
        """Return the version all stores have at least: it lags while an upgrade is under way."""
        return read(await self._round.ask(f"{V1}/config/cluster-version"), read_text)

    async def stores(self) -> tuple[Store, ...]:
        """Return all stores in every state (a tombstone too, while PD keeps it), in order of id."""
        return read(await self._round.ask(f"{V1}/stores", params=_ALL_STATES, seconds=_HEAVY_SECONDS), read_stores)

    async def store_flows(self) -> tuple[StoreFlow, ...]:
        """Return each store's reads and writes per second."""
        return read(await self._round.ask(f"{V1}/hotspot/stores"), read_store_flows)

    async def progress(self, action: Literal["removing", "preparing"] = "removing") -> Progress | None:
        """Return how far stores that leave (or join) have come; None when none does."""
        try:
            reply = await self._round.ask(f"{V1}/stores/progress", params={"action": action})
        except SourceRefused as error:
            if error.status == 404:
                return None
            raise
        return read(reply, read_progress)

    async def schedulers(self) -> tuple[str, ...]:
        """Return the schedulers there are. For up to 5 minutes after a change of leader the list may be incomplete."""
        return read(await self._round.ask(f"{V1}/schedulers"), read_names)

    async def paused_schedulers(self) -> tuple[str, ...]:
        """Return the schedulers that are paused."""
        return read(await self._round.ask(f"{V1}/schedulers", params={"status": "paused"}), read_paused)

    async def pauses(self) -> tuple[Pause, ...]:
        """Return the schedulers that are paused, and until when."""
        params = {"status": "paused", "timestamp": "true"}
        try:
            return read(await self._round.ask(f"{V1}/schedulers", params=params), read_pauses)
        except NotRecorded:  # a recording knows the names alone
            return tuple(Pause(name=name) for name in await self.paused_schedulers())

    async def disabled_schedulers(self) -> tuple[str, ...]:
        """Return the default schedulers that somebody removed."""
        return read(await self._round.ask(f"{V1}/schedulers", params={"status": "disabled"}), read_paused)

    async def scheduler_config(self, name: str) -> Config | None:
        """Return a scheduler's own settings, flattened (`store-id-ranges.5.0.start-key`); None when it is not there."""
        try:
            reply = await self._round.ask(f"{V1}/scheduler-config/{name}/list")
        except SourceRefused as error:
            if error.status == 404:
                return None
            raise
        return read(reply, read_scheduler_config)

    async def diagnosis(self, scheduler: str) -> Diagnosis | None:
        """Return what `balance-region-scheduler` or `balance-leader-scheduler` says of its last round (since v6.3).

        None where diagnosing is switched off (it is by default before v7.1) or there was no round yet.
        """
        try:
            return read(await self._round.ask(f"{V1}/schedulers/diagnostic/{scheduler}"), read_diagnosis)
        except SourceRefused as error:
            if "PD:diagnostic" in error.body or error.status == 404:
                return None
            raise

    async def paused_checkers(self) -> tuple[str, ...]:
        """Return the checkers that are paused, of those this version knows. Costs one small question each."""
        paused: list[str] = []
        for name in CHECKERS:
            try:
                config = read(await self._round.ask(f"{V1}/checker/{name}"), read_config)
            except SourceRefused as error:
                if error.status not in (400, 404):
                    raise
                continue
            if config.values.get("paused") is True:
                paused.append(name)
        return tuple(paused)

    async def operators(self) -> tuple[Operator, ...]:
        """Return the operators under way."""
        return read(await self._round.ask(f"{V1}/operators", seconds=_HEAVY_SECONDS), read_operators)

    async def operator_records(self) -> tuple[Operator, ...]:
        """Return the operators that ended in the last ten minutes or so."""
        try:
            reply = await self._round.ask(f"{V1}/operators/records", seconds=_HEAVY_SECONDS)
        except SourceRefused as error:
            if "operator not found" in error.body:  # PD's word for an empty list, with status 500
                return ()
            raise
        return read(reply, read_operators)

    async def config(self) -> Config:
        """Return the configuration in force: the leader's, flattened to dotted names."""
        return read(await self._round.ask(f"{V1}/config"), read_config)

    async def config_of(self, name: str) -> Config:
        """Return this member's own configuration (its addresses, its data folder), flattened."""
        return read(await self._round.ask_member(name, f"{V1}/config"), read_config)

    async def rules(self) -> tuple[Rule, ...] | None:
        """Return the placement rules; None when they are switched off."""
        try:
            reply = await self._round.ask(f"{V1}/config/rules")
        except SourceRefused as error:
            if error.status == 412:
                return None
            raise
        return read(reply, read_rules)

    async def label_rules(self) -> tuple[LabelRule, ...]:
        """Return the rules that label regions of a key range."""
        return read(await self._round.ask(f"{V1}/config/region-label/rules"), read_label_rules)

    async def replication(self) -> Replication:
        """Return the replication mode and its state."""
        return read(await self._round.ask(f"{V1}/replication_mode/status"), read_replication)

    async def unsafe_recovery(self) -> str:
        """Return the stage of an unsafe recovery, empty when none is under way: PD schedules nothing meanwhile."""
        return read(await self._round.ask(f"{V1}/admin/unsafe/remove-failed-stores/show"), read_unsafe_recovery)

    async def region_count(self) -> int:
        """Return how many regions there are."""
        return read(await self._round.ask(f"{V1}/regions/count"), read_count)

    async def regions_check(self, check: RegionCheck, *, expected: int) -> RegionsFound:
        """List the regions of one check. `expected` is their number as a metric tells it (`pd_regions_status`).

        Raises SourceTooLarge, and asks nothing, when that is more than REGIONS_LISTED_AT_MOST.
        """
        path = f"{V1}/regions/check/{check}"
        if expected > REGIONS_LISTED_AT_MOST:
            raise SourceTooLarge(
                path,
                "PD",
                f"not asked: about {expected:,} regions, and PD lists them all at once",
                "the count by itself (pd_regions_status), or one region by its id",
            )
        return read(await self._round.ask(path, seconds=_HEAVY_SECONDS), lambda json: read_regions(json, check))

    async def region(self, region_id: str) -> Region | None:
        """Return one region; None when PD knows none of that id."""
        return await self._one_region(f"{V1}/region/id/{region_id}", {})

    async def region_of(self, key: bytes) -> Region | None:
        """Return the region that holds the key, encoded as PD prints it.

        Raises SourceMalformed where a PD before v7.5 should take a key with a `/` in it, which its path cannot carry.
        """
        if b"/" in key:
            found = await self._one_region(f"{V1}/region/key/{key.hex().upper()}", {"format": "hex"})
        else:
            found = await self._one_region(f"{V1}/region/key/{''.join(f'%{byte:02X}' for byte in key)}", {})
        if found is not None and not found.holds(key):
            raise SourceMalformed(
                "the region of a key", "PD", f"region {found.id}, which does not hold it", "the region's id instead"
            )
        return found

    async def _one_region(self, path: str, params: Mapping[str, str]) -> Region | None:
        try:
            return read(await self._round.ask(path, params=params), read_region)
        except SourceRefused as error:
            if error.status == 404:
                return None
            raise

    async def every_region(self) -> tuple[Region, ...]:
        """Return all regions of a cluster of at most WHOLE_AT_MOST, in order of id.

        Raises SourceTooLarge, and asks nothing more, for a larger one.
        """
        reply = await self._round.ask(f"{V1}/regions/key", params=await self._page(), seconds=_HEAVY_SECONDS)
        return read(reply, lambda json: read_regions(json, "all")).regions

    async def region_traffic(self, count: int | None = None) -> tuple[Traffic, ...]:
        """Return every region's traffic of its last interval, of a cluster of at most WHOLE_AT_MOST regions.

        `count` is what `region_count` said, where that was read a moment ago.
        Raises SourceTooLarge, and asks nothing more, for a larger one: there, ask for the hot ones.
        """
        return read(
            await self._round.ask(f"{V1}/regions/key", params=await self._page(count), seconds=_HEAVY_SECONDS),
            read_traffic,
        )

    async def _page(self, count: int | None = None) -> Mapping[str, str]:
        if (await self.region_count() if count is None else count) > WHOLE_AT_MOST:
            raise SourceTooLarge("every region", "PD", "not asked: too many regions", "hot_regions")
        return {"limit": str(WHOLE_AT_MOST)}

    async def busiest_regions(self, direction: Direction) -> tuple[Traffic, ...]:
        """Return the 16 regions that read or wrote the most bytes: PD scans all regions and answers with 16."""
        path, params = f"{V1}/regions/{direction}flow", {"limit": "16"}
        return read(await self._round.ask(path, params=params, seconds=_HEAVY_SECONDS), read_traffic)

    async def hot_regions(
        self,
        direction: Direction,
        *,
        least_share_ratio: float = LEAST_HOT_SHARE,
        flows: Sequence[StoreFlow] | None = None,
        on: Sequence[str] = (),
    ) -> tuple[HotRegion, ...]:
        """Return the regions whose leader carries at least that share of the cluster's reads or writes, largest first.

        PD needs three intervals to call a region hot: about 3 minutes for writes, 30 s for reads. It answers from what it
        keeps of hot peers and scans no regions. The answer grows with the number of stores (0.4 MB at 300): `on` asks for
        those of a few alone. `flows` is what `store_flows` said, where that was read a moment ago.
        """
        flows = await self.store_flows() if flows is None else flows
        params = tuple(("store_id", store) for store in on)
        reply = await self._round.ask(f"{V1}/hotspot/regions/{direction}", params=params, seconds=_HEAVY_SECONDS)
        return read(reply, lambda json: read_hot_regions(json, flows, direction, least_share_ratio))

    async def gc_safe_point(self) -> GcSafePoint:
        """Return how far GC may go, and which services hold it back."""
        return read(await self._round.ask(f"{V1}/gc/safepoint"), read_gc_safe_point)

    async def min_resolved_ts(self) -> ResolvedTs:
        """Return the cluster's smallest resolved timestamp."""
        return read(await self._round.ask(f"{V1}/min-resolved-ts"), read_resolved_ts)
