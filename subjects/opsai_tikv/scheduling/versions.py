"""Which versions run, and how far garbage collection has come. Pure."""

from opsai_tikv.facts import TikvFacts
from opsai_tikv.pd.values import ServiceSafePoint
from opsai_tikv.scheduling.defaults import version_of
from opsai_tikv.scheduling.values import Scheduling
from opsai_tikv.wording import counted, lasting, tally

OLD_SECONDS = 24 * 3600.0
"""TiDB moves its safe point every 10 minutes or so; one that is a day old holds a day of versions."""


def version_lines(facts: TikvFacts, found: Scheduling) -> list[str]:
    """Say which versions there are, and what it means when they differ."""
    stores = tally(_plain(store.version) for store in facts.stores if store.version and store.state != "Tombstone")
    members = tally(_plain(member.version) for member in facts.members if member.version)
    cluster = _plain(found.cluster_version or "")
    lines = [
        f"PD {counted(members) or 'unknown'}; stores {counted(stores) or 'unknown'}; cluster-version {cluster or 'unknown'}"
    ]
    if len(stores) > 1:
        lines.append("Stores run different versions: an upgrade is under way, or stopped half-way.")
    if len(members) > 1:
        lines.append("PD members run different versions: an upgrade is under way, or stopped half-way.")
    least = min((version for one in stores if (version := version_of(one))), default=None)
    own = version_of(cluster)
    if least is not None and own is not None and own < least:
        lines.append(
            f"cluster-version {cluster} is behind the oldest store ({'.'.join(map(str, least))}): new features stay off until "
            "PD raises it, at the next store that registers."
        )
    return lines


def _plain(version: str) -> str:
    return version.removeprefix("v")


def gc_lines(facts: TikvFacts, found: Scheduling) -> list[str]:
    """Say how old GC's safe point is and which services hold it back."""
    if found.gc is None:
        return ["unknown: PD's safe point could not be read"]
    if found.gc.gc_safe_point_at is None:
        return ["GC is not used (safe point 0): there is no TiDB here, or it has never run"]
    age = (facts.at - found.gc.gc_safe_point_at).total_seconds()
    lines = [f"safe point {lasting(age)} old" + (": versions pile up" if age > OLD_SECONDS else "")]
    held = [one for one in found.gc.services if one.safe_point_at is not None]
    for service in sorted(held, key=lambda one: one.safe_point_at or facts.at)[:3]:
        lines.append(_held(service, facts))
    return lines


def _held(service: ServiceSafePoint, facts: TikvFacts) -> str:
    assert service.safe_point_at is not None
    age = lasting((facts.at - service.safe_point_at).total_seconds())
    if service.expires_at is None:
        return f"{service.service_id} keeps versions of the last {age}, without end"
    left = (service.expires_at - facts.at).total_seconds()
    return f"{service.service_id} keeps versions of the last {age}, {f'for {lasting(left)} more' if left > 0 else 'expired'}"
