"""Where a source cannot be read, a deed is named right, more broadly, or not at all."""

from collections.abc import Callable

import pytest

from opsai_subjects.differential import rank
from opsai_tikv.facts import TikvFacts, groups
from opsai_tikv.faults import FAULTS
from opsai_tikv.signs import signs
from tests.tikv.deeds.every import DEEDS
from tests.tikv.scene import Scene

BROADER = {
    "tikv_oom": {"tikv_down"},
    "tikv_disk_error": {"tikv_down"},
    "tikv_disk_hang": {"tikv_down"},
    "place_down": {"tikv_down"},
    "range_paused": {"pd_scheduler"},
}
"""Kinds under which a process is gone, or a scheduler added, too: true, though the reason for what follows is not seen."""


def _without_logs(facts: TikvFacts) -> TikvFacts:
    return facts.model_copy(update={"logs": {}})


def _without_prometheus(facts: TikvFacts) -> TikvFacts:
    return facts.model_copy(update={"tracks": facts.tracks.model_copy(update={"by_name": {}})})


def _without_status_ports(facts: TikvFacts) -> TikvFacts:
    stores = tuple(store.model_copy(update={"status_port": "unknown"}) for store in facts.stores)
    return facts.model_copy(update={"stores": stores})


def _without_pd(facts: TikvFacts) -> TikvFacts:
    unsaid = {"heartbeat_age_seconds": None, "state": "unknown", "leader_count": None, "slow_score": None}
    unasked = {"client_port": "unknown", "sees_leader": None, "is_leader": False}
    names = ("schedulers", "paused_schedulers", "config", "region_states", "max_replicas", "region_count", "leader")
    return facts.model_copy(
        update=dict.fromkeys(names)
        | {"hot_writes": None, "hot_reads": None, "evicting": {}, "stores_known": False, "leader_known": False}
        | {"stores": tuple(store.model_copy(update=unsaid) for store in facts.stores)}
        | {"members": tuple(member.model_copy(update=unasked | {"health": None}) for member in facts.members)}
    )


BLINDNESS: dict[str, Callable[[TikvFacts], TikvFacts]] = {
    "logs": _without_logs,
    "prometheus": _without_prometheus,
    "status ports": _without_status_ports,
    "pd": _without_pd,
}


@pytest.mark.parametrize("unseen", BLINDNESS)
@pytest.mark.parametrize("name", sorted(DEEDS))
def test_no_wrong_cause_is_named(name: str, unseen: str) -> None:
    do, kind, entities = DEEDS[name]
    scene = Scene()
    do(scene)
    facts = BLINDNESS[unseen](scene.facts())
    for cause in rank(FAULTS, signs(facts), groups(facts)).causes:
        assert cause.kind in {kind} | BROADER.get(kind, set())
        assert cause.entity in entities


@pytest.mark.parametrize("unseen", BLINDNESS)
def test_a_healthy_scene_has_no_cause(unseen: str) -> None:
    facts = BLINDNESS[unseen](Scene().facts())
    assert rank(FAULTS, signs(facts), groups(facts)).causes == ()


def test_what_must_be_known_speaks_against_the_kind() -> None:
    assert [kind.id for kind in FAULTS if not set(kind.must_know) <= set(kind.must_not_show)] == []
