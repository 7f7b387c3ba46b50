"""Which worker runs which tests: those that wait for real clusters beside those that compute, and never crowded.

A plugin of pytest: `python -m pytest -p tests.scheduling --numprocesses auto`, as `scripts/check` runs the suite. Without it tests run
as pytest and xdist have them.

A real cluster mostly waits: for an election, for a deadline, for a container. So there are more workers than cores, and at most
`LANES` of them have tests of real clusters at the same time; the others compute meanwhile. More clusters at a time would make every
one of them late (elections lost, disks slow, health checks timed out), which is just what their tests look for.

(`--dist loadgroup` of xdist 3.8 would not do, even for groups alone: it writes them into ids, and pytest 9.2 does not let it.)
"""

import inspect
import json
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

LANES = 3
"""So many workers at most have a real cluster up."""
LIVE = ("clients", "docker", "etcd")
"""Markers of the tests that bring real parts up and wait for them."""
CHUNK = 10
"""So many tests of a file that computes go to a worker together: they share what it has read."""
PLANS = "opsai_plans"
"""Under this name a worker is told the folder that it writes its plan to."""
_FOLDER = pytest.StashKey[Path]()


def cores() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@pytest.hookimpl(tryfirst=True)
def pytest_xdist_auto_num_workers() -> int:
    """Return how many workers there are: one for each core, and one for each real cluster that may be up."""
    return cores() + LANES


def pytest_configure_node(node: WorkerController) -> None:
    """Tell a worker where its plan is to be written: the process that schedules collects no tests, and knows their ids only."""
    stash = node.config.stash
    if _FOLDER not in stash:
        stash[_FOLDER] = Path(tempfile.mkdtemp(prefix="opsai-plans-"))
    node.workerinput[PLANS] = str(stash[_FOLDER])


def pytest_unconfigure(config: pytest.Config) -> None:
    """Take the plans away."""
    if _FOLDER in config.stash:
        shutil.rmtree(config.stash[_FOLDER], ignore_errors=True)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put long tests first, for workers.

    Nothing is known of how long a test takes, but where a file has few they are whole programs and clusters, and where it has
    hundreds they are rows of a table: these fill the gaps at the end.
    """
    if PLANS in getattr(config, "workerinput", {}):
        of_file = Counter(item.path for item in items)
        items.sort(key=lambda item: 0 if shares(item) else of_file[item.path])


@pytest.hookimpl(tryfirst=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    """Write the plan, before the ids are sent."""
    known = getattr(session.config, "workerinput", {})
    if PLANS in known:
        (Path(known[PLANS]) / known["workerid"]).write_text(json.dumps(plan(session.items)), encoding="utf-8")


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> "Lanes":
    """Return our scheduler."""
    config.option.loadscopereorder = False  # the order is ours
    return Lanes(config, log)


def plan(items: Sequence[pytest.Item]) -> dict[str, list[str]]:
    """Return the units that one worker runs as a whole: the ids of their tests. The names of those of real clusters begin with `live`."""
    units: dict[str, list[str]] = {}
    seen: Counter[Path] = Counter()
    for item in items:
        together = item.get_closest_marker("xdist_group")
        if together is not None:
            unit = f"group {together.args[0]}"
        elif shares(item):
            unit = str(item.path)
        elif is_live(item):
            unit = item.nodeid
        else:
            unit = f"{item.path} {seen[item.path] // CHUNK}"
            seen[item.path] += 1
        units.setdefault(f"live {unit}" if is_live(item) else unit, []).append(item.nodeid)
    return units


def is_live(item: pytest.Item) -> bool:
    """Return whether a test brings real parts up."""
    return any(item.get_closest_marker(marker) for marker in LIVE)


def shares(item: pytest.Item) -> bool:
    """Return whether a test uses what is made once for its module, or is up for longer than a test."""
    known = item._fixtureinfo.name2fixturedefs if isinstance(item, pytest.Function) else {}
    used = [defined[-1] for name, defined in known.items() if name in item.fixturenames]
    return any(
        one.scope in ("class", "module", "package")
        or (one.scope == "session" and inspect.isgeneratorfunction(one.func))
        for one in used
    )


class Lanes(LoadScopeScheduling):
    """Hands units of tests to workers: a real cluster to whoever has one or may have one, else tests that compute."""

    _unit_of: dict[str, str]

    def schedule(self) -> None:
        if self.collection is None:
            node = next(iter(self.registered_collections))
            planned = json.loads((self.config.stash[_FOLDER] / node.gateway.id).read_text(encoding="utf-8"))
            self._unit_of = {nodeid: unit for unit, nodeids in planned.items() for nodeid in nodeids}
        super().schedule()

    def _split_scope(self, nodeid: str) -> str:
        return self._unit_of[nodeid]

    def _assign_work_unit(self, node: WorkerController) -> None:
        unit = self._choose(node)
        if unit is None:  # only real clusters are left, for those who have them up already
            node.shutdown()
            return
        self.workqueue.move_to_end(unit, last=False)
        super()._assign_work_unit(node)

    def _choose(self, node: WorkerController) -> str | None:
        others = sum(self._is_lane(other) for other in self.nodes if other is not node)
        live = next((unit for unit in self.workqueue if unit.startswith("live ")), None)
        computing = next((unit for unit in self.workqueue if not unit.startswith("live ")), None)
        return live if live and others < LANES else computing

    def _is_lane(self, node: WorkerController) -> bool:
        units = self.assigned_work[node].items()
        return any(not all(tests.values()) for unit, tests in units if unit.startswith("live "))
