"""Telling series of another cluster: those that name a store, a member or an address that is none of this one."""

import re
from collections.abc import Callable, Mapping

from opsai_tikv.facts import TikvFacts
from opsai_tikv.gathering.tracking import Finder

_JOB = re.compile(r".*(tikv|pd)")
_OURS = ("tikv_", "pd_", "etcd_", "raft_engine_")
"""Metrics that only TiKV and PD have: an `instance` of theirs that is no node here is another cluster's. Another metric's
may be TiDB's or a host's, and stays."""
_ADDRESS = re.compile(r"\S+:\d{1,5}")


def foreign(facts: TikvFacts, metrics: frozenset[str] | None) -> Callable[[Mapping[str, str]], str]:
    """Return what says which stranger the labels of a series name; nothing is told while PD does not say who is who."""
    if not (facts.stores_known and facts.leader_known):
        return lambda _: ""
    finder = Finder(facts.nodes)
    entities = {node.entity for node in facts.nodes}
    addresses = {address for node in facts.nodes for address in (node.address, node.status_address)}
    of_nodes = bool(metrics) and all(name.startswith(_OURS) for name in metrics or ())

    def stranger(labels: Mapping[str, str]) -> str:
        job, instance = labels.get("job", ""), labels.get("instance", "")
        told = bool(_JOB.fullmatch(job)) if job else of_nodes
        if instance and told and not any(finder.by_instance(instance, role) for role in ("tikv", "pd")):
            return f"instance {instance}"
        for name in ("store", "store_id"):
            number = labels.get(name, "")
            if number.isdecimal() and number != "0" and f"store:{number}" not in entities:
                return f"{name} {number}"
        address = labels.get("address", "")
        if of_nodes and _ADDRESS.fullmatch(address) and address not in addresses:
            return f"address {address}"
        return ""

    return stranger
