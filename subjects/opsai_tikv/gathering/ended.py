"""How the nodes' processes last ended, as whoever runs their containers tells it."""

from collections.abc import Sequence

from opsai_subjects.attempts import Attempts
from opsai_subjects.model import Event, LastState, Node, StateSource, Window
from opsai_tikv.logs.logged import node_of


async def read_ends(source: StateSource | None, nodes: Sequence[Node], tries: Attempts) -> dict[str, LastState]:
    """Return the last state by entity; of a name that is no node's it says nothing."""
    if source is None:
        return {}
    told = await source.last_states()
    tries.add(told.unread)
    pairs = ((node_of(state.node, nodes), state) for state in told.states)
    return {node.entity: state for node, state in pairs if node is not None}


def end_events(ends: dict[str, LastState], window: Window) -> list[Event]:
    """Return the ends that lie in the window as events."""
    found: list[Event] = []
    for entity, state in ends.items():
        if state.ended_at is not None and window.start <= state.ended_at <= window.end:
            again = "; it runs again" if state.running else ""
            says = f"the container of {state.node} ended: {state.how}{again}"
            kind = "killed_for_memory" if state.killed_for_memory else "process_ended"
            found.append(Event(at=state.ended_at, entity=entity, kind=kind, says=says, source=state.source))
    return found
