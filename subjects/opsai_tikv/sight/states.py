"""What can be seen of the nodes' containers: how many are known, and whether one ended of late."""

from collections.abc import Sequence

from opsai_subjects.model import Node, StateSource
from opsai_subjects.subject import Sight
from opsai_tikv.logs.logged import node_of


async def states(source: StateSource | None, nodes: Sequence[Node]) -> list[Sight]:
    """Say whether those who run the nodes' containers tell how they ended; nothing when none is set."""
    if source is None:
        return []
    told = await source.last_states()
    found = [
        Sight(
            source=f"containers:{part.source.removeprefix('logs:')}", state="blind", says=part.why, advice=part.advice
        )
        for part in told.unread
    ]
    if told.states:
        strangers = [state.node for state in told.states if node_of(state.node, nodes) is None]
        ended = [state for state in told.states if state.ended_at is not None]
        newest = max(ended, key=lambda state: state.ended_at or state.node) if ended else None
        says = f"{sum(state.running for state in told.states)} of {len(told.states)} run"
        if newest is not None and newest.ended_at is not None:
            says += f"; the last to end was {newest.node}, at {newest.ended_at:%Y-%m-%d %H:%M:%S}Z ({newest.how})"
        if strangers:
            says += f"; {', '.join(strangers[:8])} is no node of this cluster"
        who = ", ".join(sorted({state.source for state in told.states}))
        advice = "name them after nodes: name, address or name in PD" if strangers else ""
        found.append(
            Sight(source="containers", state="partial" if strangers else "ok", identity=who, says=says, advice=advice)
        )
    return found
