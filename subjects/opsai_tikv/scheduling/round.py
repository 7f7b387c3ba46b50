"""What PD does and may do about placement, read in one round: operators, schedulers, rules, limits."""

import anyio

from opsai_subjects.attempts import Attempts
from opsai_tikv.facts import TikvFacts
from opsai_tikv.pd.client import Pd
from opsai_tikv.scheduling.values import Action, Scheduling

DIAGNOSED = ("balance-region-scheduler", "balance-leader-scheduler")
CONFIGURED = (
    "evict-leader-scheduler",
    "grant-leader-scheduler",
    "grant-hot-region-scheduler",
    "evict-slow-store-scheduler",
)
"""Schedulers whose own settings name stores."""


async def read_scheduling(pd: Pd, tries: Attempts, facts: TikvFacts) -> Scheduling:
    """Ask everything, five questions at a time: some thirty small ones. Never raises for what cannot be read."""
    found = Scheduling()

    async with anyio.create_task_group() as tasks:
        for part in (_work, _schedulers, _rules, _states, _members):
            tasks.start_soon(part, found, pd, tries, facts)
    return found


async def _work(found: Scheduling, pd: Pd, tries: Attempts, _: TikvFacts) -> None:
    found.operators = await tries.of("pd", "operators", pd.operators())
    found.records = await tries.of("pd", "operators/records", pd.operator_records())


async def _schedulers(found: Scheduling, pd: Pd, tries: Attempts, facts: TikvFacts) -> None:
    found.pauses = await tries.of("pd", "schedulers?status=paused", pd.pauses())
    found.disabled = await tries.of("pd", "schedulers?status=disabled", pd.disabled_schedulers())
    await _each_scheduler(found, pd, tries, facts.schedulers or ())


async def _rules(found: Scheduling, pd: Pd, tries: Attempts, _: TikvFacts) -> None:
    found.rules = await tries.of("pd", "config/rules", pd.rules())
    found.label_rules = await tries.of("pd", "config/region-label/rules", pd.label_rules())
    found.replication = await tries.of("pd", "replication_mode/status", pd.replication())
    found.recovery = await tries.of("pd", "admin/unsafe/remove-failed-stores/show", pd.unsafe_recovery())


async def _states(found: Scheduling, pd: Pd, tries: Attempts, facts: TikvFacts) -> None:
    found.cluster_version = await tries.of("pd", "config/cluster-version", pd.cluster_version())
    found.gc = await tries.of("pd", "gc/safepoint", pd.gc_safe_point())
    for action in _under_way(facts):
        progress = await tries.of("pd", f"stores/progress?action={action}", pd.progress(action))
        if progress is not None:
            found.progress[action] = progress


def _under_way(facts: TikvFacts) -> list[Action]:
    found: list[Action] = []
    if any(store.state == "Offline" for store in facts.stores):
        found.append("removing")
    if any(store.node_state == "Preparing" and store.state == "Up" for store in facts.stores):
        found.append("preparing")
    return found


async def _members(found: Scheduling, pd: Pd, tries: Attempts, facts: TikvFacts) -> None:
    for member in facts.members:
        if member.client_port == "answered":
            config = await tries.of(f"pd:{member.entity}", "config", pd.config_of(member.entity))
            if config is not None:
                found.members[member.entity] = config


async def _each_scheduler(found: Scheduling, pd: Pd, tries: Attempts, names: tuple[str, ...]) -> None:
    for name in names:
        if name in DIAGNOSED:
            diagnosis = await tries.of("pd", f"schedulers/diagnostic/{name}", pd.diagnosis(name))
            if diagnosis is not None:
                found.diagnoses[name] = diagnosis
        if name in CONFIGURED:
            config = await tries.of("pd", f"scheduler-config/{name}", pd.scheduler_config(name))
            if config is not None:
                found.own[name] = config
