"""Looks at one store that put several signs together."""

from opsai_tikv.seen import ABSENT, Look, Seen, ago
from opsai_tikv.signs.leadership import evicting, leaders_lost
from opsai_tikv.signs.process import restarted, stopped_in_order
from opsai_tikv.signs.reach import (
    one_peer_accuses,
    pd_disconnected,
    peers_accuse,
    process_gone,
    status_silent,
)
from opsai_tikv.signs.stages import (
    append_late,
    apply_late,
    commit_late,
    cpu_late,
    fsync_late,
    fsync_stuck,
    message_late,
    probe_late,
    send_wait_late,
)

ORDERLY_SECONDS = 75.0
"""An orderly restart may take so long before a store counts as down."""


def store_down(look: Look, entity: str) -> Seen:
    """It does not reach PD, or neither answers nor is reached by its peers; a restart in order has its minute."""
    seen = pd_disconnected(look, entity)
    if seen.state != "shown":
        gone = process_gone(look, entity)
        silent = status_silent(look, entity)
        accused = peers_accuse(look, entity)
        mute = gone if gone.state == "shown" else silent
        if mute.state == "shown" and accused.state == "shown" and accused.active:
            seen = Seen("shown", f"{mute.says}; {accused.says}", value=mute.value)
    if seen.state == "shown" and restarting_in_order(look, entity):
        return Seen("absent", "it is restarting in order")
    return seen


def restarting_in_order(look: Look, entity: str) -> bool:
    """Say whether its log tells of an orderly stop less than a restart's time ago."""
    stopped = stopped_in_order(look, entity)
    age = ago(look.facts, stopped.since)
    return stopped.state == "shown" and age is not None and age < ORDERLY_SECONDS


def peers_lost(look: Look, entity: str) -> Seen:
    """A peer or all of them cannot reach it, and it is not just restarting in order."""
    seen = peers_accuse(look, entity)
    if seen.state == "absent":
        seen = one_peer_accuses(look, entity)
    return Seen("absent", "it is restarting in order") if restarting_in_order(look, entity) else seen


def lost_leaders(look: Look, entity: str) -> Seen:
    """It lost its leaders though nothing moves them away on purpose."""
    seen = leaders_lost(look, entity)
    if seen.state != "shown" or evicting(look, entity).state == "shown":
        return seen if seen.state == "unknown" else ABSENT
    again = restarted(look, entity)
    if again.state == "shown" and stopped_in_order(look, entity).state != "absent":
        return Seen("absent", "it restarted in order and its leaders are on their way back")
    return ABSENT if restarting_in_order(look, entity) else seen


def network_late(look: Look, entity: str) -> Seen:
    """What crosses its network is late although its disk and processor are quick."""
    found = [sign(look, entity) for sign in (commit_late, probe_late, message_late, send_wait_late)]
    late = next((seen for seen in found if seen.state == "shown" and seen.active), None)
    if late is None:
        return found[0]
    if any(
        other(look, entity).state == "shown" for other in (fsync_late, append_late, cpu_late, apply_late, fsync_stuck)
    ):
        return ABSENT
    if restarted(look, entity).state == "shown":
        return Seen("absent", "it restarted lately and its connections are new")
    says = "; ".join(seen.says for seen in found if seen.state == "shown" and seen.active)
    return Seen("shown", says, True, late.value, late.limit, late.since)
