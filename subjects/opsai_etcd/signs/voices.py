"""What the other members say of one: whether the way to it is open, by their metrics and their logs. Pure.

A member that does not answer us may be well, and we the ones cut off: only the others can tell.
"""

from dataclasses import dataclass
from datetime import datetime

from opsai_etcd.facts import Track
from opsai_etcd.seen import Look

STALE_LOG_SECONDS = 60.0
"""Older than that a log line gives way to a metric that says otherwise: that is scraped every few seconds."""


@dataclass(frozen=True)
class Voices:
    """Who lost a member, who has it, and since when it is lost."""

    lost_by: tuple[str, ...]
    had_by: tuple[str, ...]
    since: datetime | None
    """When the first of those who lost it did so; None where they do not tell."""


def voices(look: Look, entity: str) -> Voices:
    """Return what the other members that answer, or are scraped, say of this one."""
    lost: list[str] = []
    had: list[str] = []
    times: list[datetime] = []
    for teller in look.others(entity):
        said, since = _said(look, teller, entity)
        if said is None:
            continue
        (had if said else lost).append(teller)
        if not said and since is not None:
            times.append(since)
    return Voices(tuple(lost), tuple(had), min(times, default=None))


def cut_lately(look: Look, entity: str) -> bool:
    """Say whether a way of this member's was lost within the look-back, by its own word or by another's."""
    ident = look.member(entity).id
    for other in look.others(entity):
        ways = (look.facts.active.get(entity, {}).get(other), look.facts.active.get(other, {}).get(entity))
        if any(way is not None and 0 in way.points for way in ways):
            return True
        if look.logged_of("peer_inactive", other, ident) or look.logged_of(
            "peer_inactive", entity, look.member(other).id
        ):
            return True
    return False


def _said(look: Look, teller: str, entity: str) -> tuple[bool | None, datetime | None]:
    """Return whether one member has the way to the other open, and since when not."""
    way = look.facts.active.get(teller, {}).get(entity)
    by_metric = None if way is None or way.now is None else way.now == 1
    logged, at = _logged(look, teller, look.member(entity).id)
    if look.member(teller).port != "answered" and by_metric is None:
        return None, None  # what it wrote before it was lost itself says nothing of now
    if _in_a_minority(look, teller):
        return None, None  # it lost everybody: that is its own trouble
    age = look.ago(at)
    if logged is not None and (by_metric in (None, logged) or (age is not None and age <= STALE_LOG_SECONDS)):
        return logged, at
    return by_metric, _closed_since(look, way) if by_metric is False else None


def _in_a_minority(look: Look, teller: str) -> bool:
    return look.member(teller).leader_id == "" and look.facts.leader is not None


def _logged(look: Look, teller: str, peer_id: str) -> tuple[bool | None, datetime | None]:
    lost, found = look.logged_of("peer_inactive", teller, peer_id), look.logged_of("peer_active", teller, peer_id)
    if lost is None or (found is not None and found.last_at >= lost.last_at):
        return (True, found.last_at) if found is not None else (None, None)
    return False, lost.last_at


def _closed_since(look: Look, way: Track | None) -> datetime | None:
    if way is None:
        return None
    index = len(way.points)
    while index > 0 and way.points[index - 1] == 0:
        index -= 1
    return look.moment(index) if 0 < index < len(way.points) else None
