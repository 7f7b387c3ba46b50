"""Telling series of another cluster: those of an etcd that name a target or a member that is none of this one."""

from collections.abc import Callable, Mapping

from opsai_etcd.facts import EtcdFacts

_OURS = ("etcd_",)
_PEER_LABELS = ("To", "From", "Remote", "Local")


def foreign(
    facts: EtcdFacts, known: Mapping[str, str], metrics: frozenset[str] | None
) -> Callable[[Mapping[str, str]], str]:
    """Return what says which stranger the labels of a series name; nothing is told while nobody says who is who.

    `known` are the instances that were found to be members.
    """
    if not facts.members_known:
        return lambda _: ""
    instances = {*known, *(member.address for member in facts.members)}
    ids = {member.id for member in facts.members}
    of_etcd = bool(metrics) and all(name.startswith(_OURS) for name in metrics or ())

    def stranger(labels: Mapping[str, str]) -> str:
        instance = labels.get("instance", "")
        if of_etcd and instance and instance not in instances:
            return f"instance {instance}"
        if of_etcd:
            for name in _PEER_LABELS:
                peer = labels.get(name, "")
                if peer and peer not in ids and peer != "0":
                    return f"{name} {peer}"
        return ""

    return stranger
