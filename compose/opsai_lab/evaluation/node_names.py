"""Reading what a recording's nodes are called: by its manifest, and by the cluster itself."""

from datetime import timedelta
from pathlib import Path

from opsai_lab.evaluation.aliases import Aliases
from opsai_subjects.opening import ReplayCluster, open_replay

WARM_UP = timedelta(seconds=60)
"""Before, a recorded cluster may still be starting and tell nothing of its nodes."""


async def read_aliases(recording: Path) -> Aliases:
    """Open a recording and read what its nodes are called. Raises OpsaiError when it cannot be opened."""
    async with open_replay(recording) as cluster:
        return await aliases_of(cluster)


async def aliases_of(cluster: ReplayCluster) -> Aliases:
    """Return the names that the manifest, and the cluster itself at its start, middle and end, give to the nodes.

    Moves the recording's clock. Not at one moment alone: who has left, or cannot be asked any more, is not told then.
    """
    incident = cluster.recording.incident
    names: dict[str, str] = {}
    for node in incident.nodes:
        names |= {text: node.name for text in (node.name, node.address, node.status_address) if text}
    begin, end = incident.start, incident.end
    for moment in (min(begin + WARM_UP, end), begin + (end - begin) / 2, end):
        cluster.clock.set(moment)
        for seen in (await cluster.subject.topology()).nodes:
            known = names.get(seen.address) or names.get(seen.status_address)
            if known:
                names |= {seen.entity: known, seen.name: known}
    return Aliases(names)
