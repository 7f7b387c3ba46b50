"""What can be seen of PD and of the stores' status ports, and whether clocks agree."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal

import anyio

from opsai_subjects.subject import Sight, Sources
from opsai_tikv.gathering.status import Probe, StatusPort
from opsai_tikv.pd.reaching import address_of, status_address
from opsai_tikv.pd.values import Store, View
from opsai_tikv.topology import named

PROBES_AT_ONCE = 16
STORES_TOLD = 20
"""So many stores are told one by one; more are told by how they met us, with so many names."""
APART_SECONDS = 2.0
LATE_SECONDS = 60.0
"""A store that PD holds for Up sends a heartbeat every 10 s: if all are older than this, the clocks are apart."""
_MAP_IT = "see whether it runs; if it does, map this address in `addresses` to the one that is reachable from here"


def members(urls: Sequence[str], views: Sequence[View], names: Mapping[str, str]) -> list[Sight]:
    """Say of each PD member whether it answers."""
    if not urls:
        return [
            Sight(
                source="pd",
                state="blind",
                says="no PD URL is set, so the stores are not known",
                advice="give --endpoint URL, or set `endpoints` to the URLs of its members",
            )
        ]
    return [_member(view, names) for view in views]


def _member(view: View, names: Mapping[str, str]) -> Sight:
    address = address_of(view.url)
    source = f"pd:{named(names, address, view.name)}"
    identity = f"{view.name} {view.status.version if view.status else ''}".strip()
    if view.outcome != "answered" and not view.is_other:
        says = f"{address} does not answer ({view.outcome.replace('_', ' ')}): {view.why}"
        return Sight(source=source, state="blind", identity=identity, says=says, advice=_MAP_IT)
    if view.members is None:
        says = f"{address} answers, but does not list the members: {view.why}"
        return Sight(source=source, state="partial", identity=identity, says=says, advice=view.advice)
    says = f"{address} answers within {view.seconds:.2f} s and sees {view.sees_leader or 'no leader'} as leader"
    return Sight(source=source, state="ok", identity=identity, says=says)


def agreement(views: Sequence[View]) -> list[Sight]:
    """Say whether all members that answer are of one cluster."""
    ids = Counter(view.members.cluster_id for view in views if view.members and view.members.cluster_id)
    if not ids:
        return []
    if len(ids) == 1:
        cluster_id, count = next(iter(ids.items()))
        says = f"{count} of {len(views)} members name the same cluster"
        return [Sight(source="cluster", state="ok", identity=str(cluster_id), says=says)]
    listed = ", ".join(f"{cluster_id} ({count})" for cluster_id, count in ids.most_common())
    says = f"the URLs lead to different clusters: {listed}"
    return [Sight(source="cluster", state="blind", says=says, advice="give the URLs of one cluster in `pd`")]


def leader(views: Sequence[View], leads: str | None, names: Mapping[str, str]) -> list[Sight]:
    """Say whether a PD leader can be asked: stores, regions and schedulers are known to it alone."""
    answering = [view for view in views if view.outcome == "answered"]
    if not answering:
        return []
    if leads is not None:
        view = next(view for view in views if view.name == leads)
        name = named(names, address_of(view.url), leads)
        return [Sight(source="pd leader", state="ok", identity=leads, says=f"{name} says itself that it leads")]
    claimed = sorted({view.sees_leader for view in answering if view.sees_leader})
    says = "no member that answers leads"
    says += (
        f"; they name {', '.join(claimed)}, which cannot be asked from here" if claimed else ", and none names a leader"
    )
    advice = "make that member reachable (`addresses`), or see to PD's quorum"
    return [Sight(source="pd leader", state="blind", says=f"{says}: stores and regions are unknown", advice=advice)]


async def ports(
    sources: Sources, stores: Sequence[Store] | None, names: Mapping[str, str], *, tls: bool
) -> list[Sight]:
    """Say of each store whether its status port answers."""
    if stores is None:
        says = "PD did not list the stores, so their status ports are not known"
        return [Sight(source="stores", state="blind", says=says, advice="make the PD leader reachable first")]
    kept = [store for store in stores if store.state != "Tombstone" and store.role == "tikv"]
    probes: dict[str, Probe] = {}
    limiter = anyio.CapacityLimiter(PROBES_AT_ONCE)

    async def probe(store: Store) -> None:
        async with limiter:
            address = status_address(store)
            probes[store.id] = await StatusPort(sources.web, address, sources.reach, tls=tls).alive()

    async with anyio.create_task_group() as tasks:
        for store in kept:
            tasks.start_soon(probe, store)
    if len(kept) <= STORES_TOLD:
        return [_port(store, probes[store.id], names) for store in kept]
    return _many([(store, probes[store.id]) for store in kept], names)


def _port(store: Store, probe: Probe, names: Mapping[str, str]) -> Sight:
    address = status_address(store)
    source = f"status:{named(names, store.address, address)}"
    identity = f"{store.entity} {store.version}"
    if probe.outcome == "answered":
        says = f"{address} answers within {probe.seconds:.2f} s"
        return Sight(source=source, state="ok", identity=identity, says=says)
    says = (
        f"{address or 'no status address'} does not answer ({_word(probe)}): {probe.says}. For PD it is {store.state}"
    )
    return Sight(source=source, state="blind", identity=identity, says=says, advice=_advice(store, probe))


def _advice(store: Store, probe: Probe) -> str:
    if probe.outcome == "unknown":
        return ""
    return _MAP_IT if store.state == "Up" else "PD does not hear from it either: see whether the process runs"


def _many(probed: Sequence[tuple[Store, Probe]], names: Mapping[str, str]) -> list[Sight]:
    """Tell many stores by how they met us, with the names of a few of each kind."""
    groups: dict[str, list[tuple[Store, Probe]]] = {}
    for store, probe in probed:
        groups.setdefault(_word(probe), []).append((store, probe))
    answered = len(groups.pop("answered", []))
    says = f"{answered} of {len(probed)} status ports answer"
    state: Literal["ok", "partial", "blind"] = "ok" if not groups else "partial" if answered else "blind"
    found = [Sight(source="stores", state=state, says=says)]
    for word, group in sorted(groups.items()):
        store, probe = group[0]
        called = [named(names, one.address, status_address(one)) for one, _ in group[:STORES_TOLD]]
        more = f" and {len(group) - STORES_TOLD} more" if len(group) > STORES_TOLD else ""
        told = f"{len(group)} do not answer ({word}): {', '.join(called)}{more}; the first: {probe.says}"
        found.append(Sight(source="stores", state="blind", says=told, advice=_advice(store, probe)))
    return found


def _word(probe: Probe) -> str:
    return "not recorded" if probe.outcome == "unknown" else probe.outcome.replace("_", " ")


def clock(stores: Sequence[Store], now: datetime) -> list[Sight]:
    """Say whether this machine's clock agrees with PD's, by the stores' heartbeats as PD dated them."""
    ages = [
        (now - store.last_heartbeat_at).total_seconds()
        for store in stores
        if store.state == "Up" and store.last_heartbeat_at
    ]
    if not ages:
        return []
    youngest = min(ages)
    advice = "set the clocks right (NTP): times of one are compared with times of the other"
    if youngest < -APART_SECONDS:
        says = f"PD dates a heartbeat {-youngest:.0f} s into our future: this machine's clock is behind PD's"
        return [Sight(source="clock", state="partial", says=says, advice=advice)]
    if youngest > LATE_SECONDS:
        says = (
            f"for PD stores are Up, but by this clock none sent a heartbeat for {youngest:.0f} s: it is ahead of PD's"
        )
        return [Sight(source="clock", state="partial", says=says, advice=advice)]
    return [Sight(source="clock", state="ok", says=f"agrees with PD's (newest heartbeat {youngest:.0f} s ago)")]
