"""Looking at real members until what is awaited is seen."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

import anyio

from opsai_etcd.facts import EtcdFacts
from opsai_subjects.config import ClusterSettings, WebLimits
from opsai_subjects.differential import rank
from opsai_subjects.invariant import Verdict
from opsai_subjects.opening import Cluster, open_cluster
from tests.etcd.members import Members

WITHIN_SECONDS = 25.0
BETWEEN_SECONDS = 0.3


@asynccontextmanager
async def opened(
    members: Members, *, logs: bool = True, scrape: bool = False, prometheus: str | None = None
) -> AsyncGenerator[Cluster]:
    """Open the members as a cluster, by their endpoints."""
    settings = ClusterSettings(
        subject="etcd",
        endpoints=members.urls,
        logs=members.logs if logs else {},
        scrape=scrape,
        scrape_seconds=5.0,
        prometheus=prometheus,
    )
    async with open_cluster("test", settings, WebLimits()) as cluster:
        yield cluster


async def seen(cluster: Cluster, awaited: Callable[[EtcdFacts], bool], what: str) -> EtcdFacts:
    """Look until the facts are as awaited, and return them. Fails when they do not become so."""
    facts = await cluster.subject.facts()
    with anyio.move_on_after(WITHIN_SECONDS):
        while not awaited(as_etcd(facts)):
            await anyio.sleep(BETWEEN_SECONDS)  # between two looks, until the deadline
            facts = await cluster.subject.facts()
        return as_etcd(facts)
    raise AssertionError(
        f"not seen within {WITHIN_SECONDS:g} s: {what}; seen: {causes(cluster, as_etcd(facts))}, {violated(cluster, as_etcd(facts))}"
    )


async def diagnosed(cluster: Cluster, kind: str, *entities: str) -> EtcdFacts:
    """Look until the differential names this kind on one of these members, and nothing else."""
    named = [[(kind, entity)] for entity in entities]
    return await seen(cluster, lambda facts: causes(cluster, facts) in named, f"{kind} on {' or '.join(entities)}")


async def well(cluster: Cluster) -> EtcdFacts:
    """Look until every member is up, in touch and follows."""
    watched = (
        "etcd_member_up",
        "etcd_peers_connected",
        "etcd_member_follows",
        "etcd_quorum",
        "etcd_has_leader",
        "etcd_quorum_margin",
    )
    return await seen(
        cluster,
        lambda facts: all(v.state == "held" for v in verdicts(cluster, facts) if v.invariant in watched),
        "a cluster that is well",
    )


def as_etcd(facts: object) -> EtcdFacts:
    assert isinstance(facts, EtcdFacts)
    return facts


def verdicts(cluster: Cluster, facts: EtcdFacts) -> tuple[Verdict, ...]:
    return cluster.subject.judge(facts)


def violated(cluster: Cluster, facts: EtcdFacts) -> set[tuple[str, str]]:
    return {(one.invariant, one.entity) for one in verdicts(cluster, facts) if one.state == "violated"}


def causes(cluster: Cluster, facts: EtcdFacts) -> list[tuple[str, str]]:
    subject = cluster.subject
    found = rank(subject.kind.faults, subject.signs(facts), subject.groups(facts))
    return [(one.kind, one.entity) for one in found.causes]
