"""Whether the cluster that answers under a name is the one that answered under it before: tickets of two are never mixed."""

from opsai_server.tickets.store import Store
from opsai_subjects.errors import OpsaiError
from opsai_subjects.model import Topology, clean
from opsai_subjects.subject import Facts


class ClusterSwapped(OpsaiError):
    """Another cluster answers under a known name; nothing of it was shown or kept."""


async def recognise(store: Store, seen: Facts | Topology) -> None:
    """Compare the id that a cluster gives itself with the one first seen under its name, and keep it where none was.

    A cluster that does not tell its id is taken for the one meant. Raises ClusterSwapped or StoreError.
    """
    if seen.cluster_id is None:
        return
    known = await store.identity(seen.cluster)
    if known is None:
        known = await store.introduce(seen.cluster, seen.cluster_id, seen.at)
    if known.cluster_id == seen.cluster_id:
        return
    raise ClusterSwapped(
        f"Another cluster answers under the name {seen.cluster!r}: its id is {clean(seen.cluster_id, 80)}, and the one "
        f"first seen under this name, at {known.first_seen.isoformat(timespec='seconds')}, has the id {known.cluster_id}. "
        "Nothing of it is shown or kept, so that tickets of two clusters are not mixed. Try: see where its endpoints lead "
        "(a port-forward, a changed address), give the other cluster a name of its own, or, where it was made anew, "
        f"`opsai clusters forget {seen.cluster}`."
    )
