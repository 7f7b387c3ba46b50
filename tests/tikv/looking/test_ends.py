"""How a process ended, as whoever runs its container tells it, and what that proves."""

from dataclasses import dataclass
from datetime import timedelta

import pytest

from opsai_subjects.model import LastState, LastStates, Node, Unread, Window
from opsai_tikv.logs.logged import node_of
from opsai_tikv.seen import Look
from opsai_tikv.signs.process import died_of_itself, killed_for_memory, memory_high
from tests.tikv.cluster import healthy, subject
from tests.tikv.eyes import AT, MemoryLogs, MemoryMetrics
from tests.tikv.scene import Scene

anyio = pytest.mark.anyio


def ended(reason: str, code: int | None, age_seconds: float = 60, *, running: bool = True) -> Look:
    scene = Scene()
    scene.end("store:2", reason, code, age_seconds=age_seconds, running=running)
    return Look(scene.facts())


def test_a_kill_for_memory_is_shown_with_who_says_so_and_proves_that_memory_was_high() -> None:
    look = ended("OOMKilled", 137)
    killed = killed_for_memory(look, "store:2")

    assert (killed.state, killed.active, killed.value) == ("shown", True, "OOMKilled")
    assert killed.says == "docker says OOMKilled, exit code 137, 60 s ago, 1 restarts"
    assert memory_high(look, "store:2") == killed
    assert died_of_itself(look, "store:2").state == "absent"


@pytest.mark.parametrize(
    ("reason", "code", "itself"),
    [
        ("Error", 134, "shown"),
        ("Error", 1, "shown"),
        ("Error", 137, "absent"),
        ("Completed", 0, "absent"),
        ("Error", 143, "absent"),
        ("", None, "unknown"),
    ],
)
def test_an_exit_code_tells_an_error_of_its_own_from_a_kill_and_an_orderly_stop(
    reason: str, code: int | None, itself: str
) -> None:
    look = ended(reason, code)

    assert died_of_itself(look, "store:2").state == itself
    assert killed_for_memory(look, "store:2").state == "absent"


def test_an_end_before_the_look_back_says_nothing_of_what_goes_on() -> None:
    look = ended("OOMKilled", 137, age_seconds=86_400)

    assert killed_for_memory(look, "store:2").state == "absent"
    assert memory_high(look, "store:2").state == "absent"


def test_an_old_end_of_what_runs_again_is_over_and_of_what_stays_away_is_not() -> None:
    assert not killed_for_memory(ended("OOMKilled", None, 300), "store:2").active
    assert killed_for_memory(ended("OOMKilled", 137, 300, running=False), "store:2").active


def test_a_store_whose_container_nobody_is_asked_about_is_unknown() -> None:
    look = Look(Scene().facts())

    assert killed_for_memory(look, "store:1").state == died_of_itself(look, "store:1").state == "unknown"


@pytest.mark.parametrize(
    ("name", "entity"),
    [
        ("prod-tikv-0", "store:1"),
        ("prod-tikv-0.prod-tikv-peer.db.svc", "store:1"),
        ("store:2", "store:2"),
        ("10", None),
        ("prod-tikv", None),
    ],
)
def test_a_pods_name_means_the_node_at_the_host_of_that_name(name: str, entity: str | None) -> None:
    addresses = {
        "store:1": "prod-tikv-0.prod-tikv-peer.db.svc:20160",
        "store:2": "prod-tikv-1.peer:20160",
        "store:3": "10.0.0.1:20160",
    }
    nodes = [Node(entity=e, name=a, role="tikv", address=a, state="Up") for e, a in addresses.items()]
    found = node_of(name, nodes)

    assert (found.entity if found else None) == entity


@dataclass
class Runtime:
    """Who runs kv1 and a stranger, and cannot say of kv2."""

    async def last_states(self) -> LastStates:
        end = AT - timedelta(seconds=60)
        states = [
            LastState(
                node=name,
                running=name == "kv1",
                ended_at=end,
                reason="OOMKilled",
                exit_code=137,
                restarts=3,
                source="docker",
            )
            for name in ("kv1", "stranger")
        ]
        return LastStates(tuple(states), (Unread(source="logs:kv2", asked="/x", why="HTTP 404: gone", advice="look"),))


@anyio
async def test_ends_reach_the_facts_by_entity_and_what_could_not_be_asked_is_unread() -> None:
    async with subject(healthy(), metrics=MemoryMetrics(), states=Runtime()) as found:
        facts = await found.facts()

    assert {entity: end.reason for entity, end in facts.ends.items()} == {"store:1": "OOMKilled"}
    assert "HTTP 404: gone" in [unread.why for unread in facts.unread]


@anyio
async def test_an_end_is_an_event() -> None:
    window = Window(start=AT - timedelta(minutes=10), end=AT)
    async with subject(healthy(), metrics=MemoryMetrics(), logs=MemoryLogs({}), states=Runtime()) as found:
        told = await found.events(window)
        before = await found.events(Window(start=AT - timedelta(hours=2), end=AT - timedelta(hours=1)))

    (event,) = told.events
    assert (event.entity, event.kind, event.source) == ("store:1", "killed_for_memory", "docker")
    assert event.says == "the container of kv1 ended: OOMKilled, exit code 137; it runs again"
    assert before.events == ()


@anyio
async def test_check_tells_how_many_run_and_who_is_no_node_of_the_cluster() -> None:
    async with subject(healthy(), metrics=MemoryMetrics(), states=Runtime()) as found:
        sights = {sight.source: sight for sight in await found.check()}

    assert (sights["containers"].state, sights["containers"].identity) == ("partial", "docker")
    assert "1 of 2 run; the last to end was kv1" in sights["containers"].says
    assert "stranger is no node of this cluster" in sights["containers"].says
    assert (sights["containers:kv2"].state, sights["containers:kv2"].advice) == ("blind", "look")


@anyio
async def test_a_look_never_reads_what_is_for_those_who_ask() -> None:
    dear = MemoryLogs({"kv1": []})
    async with subject(healthy(), metrics=MemoryMetrics(), logs=MemoryLogs({}), asked_logs=dear) as found:
        await found.facts()
        await found.events(Window(start=AT - timedelta(minutes=10), end=AT))
        await found.topology()

    assert dear.queries == []
