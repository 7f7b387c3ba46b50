"""What cannot be read makes verdicts unknown, never held or violated, and is named with what to set."""

from dataclasses import replace
from datetime import timedelta

import pytest

from opsai_subjects.differential import rank
from opsai_subjects.opening import open_replay
from opsai_tikv.facts import groups
from opsai_tikv.faults import FAULTS
from opsai_tikv.gathering.gather import gather
from opsai_tikv.invariants import judge
from opsai_tikv.pd.client import Pd
from opsai_tikv.signs import signs
from tests.subjects.recording.opened import INCIDENTS
from tests.tikv.cluster import healthy, subject
from tests.tikv.eyes import MemoryMetrics, stored

pytestmark = pytest.mark.anyio

HEALTHY = INCIDENTS / "birch-lynx"
OF_METRICS = {"store_disk_fast", "store_cpu_enough", "store_reachable", "pd_disk_fast", "load_even", "pd_leader_stable"}


async def test_without_prometheus_what_rests_on_it_is_unknown() -> None:
    async with open_replay(HEALTHY) as cluster:
        cluster.clock.set(cluster.recording.incident.start + timedelta(seconds=120))
        sources = replace(cluster.subject.sources, metrics=None)
        pd = Pd(sources.web, cluster.settings.endpoints, sources.reach, sources.clock)
        facts = await gather("lab", pd, sources, cluster.settings.names, "30s")
    states = {verdict.invariant: verdict.state for verdict in judge(facts)}
    assert {states[name] for name in OF_METRICS} == {"unknown"}
    assert states["store_up"] == "held"
    assert [entry for entry in facts.unread if entry.source == "prometheus" and "--prometheus" in entry.advice]


async def test_without_pd_nothing_of_pd_is_held_and_metrics_still_speak() -> None:
    async with open_replay(HEALTHY) as cluster:
        cluster.clock.set(cluster.recording.incident.start + timedelta(seconds=120))
        sources = cluster.subject.sources
        nobody = Pd(sources.web, ("http://127.0.0.1:9",), {}, sources.clock)
        facts = await gather("lab", nobody, sources, cluster.settings.names, "30s")
    by_invariant: dict[str, set[str]] = {}
    for verdict in judge(facts):
        by_invariant.setdefault(verdict.invariant, set()).add(verdict.state)
    assert by_invariant["pd_has_leader"] == {"unknown"}
    assert by_invariant["store_up"] == {"unknown"}
    assert by_invariant["store_disk_fast"] == {"held"}
    assert "held" not in by_invariant["gc_advances"]
    assert any(entry.source.startswith("pd") for entry in facts.unread)


async def test_without_logs_an_unexplained_restart_is_unknown_and_not_a_crash() -> None:
    async with open_replay(INCIDENTS / "frost-hare") as cluster:
        cluster.clock.set(cluster.recording.incident.end)
        sources = replace(cluster.subject.sources, logs=None)
        pd = Pd(sources.web, cluster.settings.endpoints, sources.reach, sources.clock)
        facts = await gather("lab", pd, sources, cluster.settings.names, "30s")
    verdicts = [verdict for verdict in judge(facts) if verdict.invariant == "store_stays_up"]
    assert {verdict.state for verdict in verdicts} == {"unknown"}
    assert "log" in verdicts[0].says


async def test_a_mistyped_address_is_unknown_and_no_lost_quorum() -> None:
    async with open_replay(HEALTHY) as cluster:
        cluster.clock.set(cluster.recording.incident.start + timedelta(seconds=120))
        sources = replace(cluster.subject.sources, metrics=None, logs=None)
        nobody = Pd(sources.web, ("http://127.0.0.1:9",), {}, sources.clock)
        facts = await gather("lab", nobody, sources, cluster.settings.names, "30s")
    states = {verdict.invariant: verdict.state for verdict in judge(facts)}
    assert states["pd_member_up"] == "unknown"
    assert states["pd_quorum"] != "violated"
    assert rank(FAULTS, signs(facts), groups(facts)).causes == ()


async def test_a_count_of_regions_that_is_no_number_is_not_known_and_stops_no_look() -> None:
    counts = [
        stored("pd_regions_status", [value], type=f"{name}-region-count", instance="10.1.0.1:2379", job="pd")
        for name, value in (("miss-peer", float("nan")), ("down-peer", 3.0), ("pending-peer", float("inf")))
    ]
    async with subject(healthy(), metrics=MemoryMetrics(counts)) as found:
        facts = await found.facts()

    assert facts.region_states == {"down-peer": 3}
