"""What the adapter offers as data: its parts name each other rightly, and say where each figure comes from."""

import re

import pytest

from opsai_etcd.kind import KIND
from opsai_etcd.limits import LIMITS
from opsai_etcd.metric import GRAINS
from opsai_etcd.signs.every import BY_GROUP
from opsai_subjects.fault import FaultKind
from opsai_subjects.promql.engine import Engine
from opsai_subjects.promql.samples import MemorySamples
from opsai_subjects.subject import Signal

SIGNS = {group: {rule.id for rule in rules} for group, rules in BY_GROUP.items()}
FAULTS = {fault.id: fault for fault in KIND.faults}
INVARIANTS = {one.id: one for one in KIND.invariants}
SIGNALS = {signal.name: signal for signal in KIND.signals}


@pytest.mark.parametrize("fault", KIND.faults, ids=lambda fault: fault.id)
def test_a_fault_kind_names_signs_of_its_own_group_and_kinds_that_exist(fault: FaultKind) -> None:
    named = {*fault.must_show, *fault.must_not_show, *fault.must_know, *fault.supports}
    named |= {sign for group in fault.one_of for sign in group}

    assert named <= SIGNS[fault.on]
    assert {*fault.rivals, *fault.explains} - {"*"} <= set(FAULTS)
    assert fault.id not in fault.rivals
    assert fault.must_show or fault.one_of


def test_no_two_fault_kinds_have_the_same_signs() -> None:
    signs = [(fault.on, fault.must_show, fault.one_of, fault.must_not_show) for fault in KIND.faults]

    assert len(set(signs)) == len(signs)


def test_each_fault_kind_has_notes_and_each_note_its_kind() -> None:
    assert set(KIND.fault_notes) == set(FAULTS)


def test_a_rival_knows_its_rival() -> None:
    lone = [(fault.id, rival) for fault in KIND.faults for rival in fault.rivals if not FAULTS[rival].rivals]

    assert lone == []


def test_each_limit_is_of_an_invariant_and_each_explanation_too() -> None:
    assert set(LIMITS) <= set(INVARIANTS)
    assert {name for one in KIND.invariants for name in one.explained_by} <= set(INVARIANTS)
    assert all(one.id not in one.explained_by for one in KIND.invariants)
    assert len(INVARIANTS) == len(KIND.invariants) >= 16


@pytest.mark.parametrize("signal", KIND.signals, ids=lambda signal: signal.name)
def test_a_signals_query_is_understood_and_its_metrics_are_scraped(signal: Signal) -> None:
    Engine(MemorySamples([])).instant(signal.promql.replace("$range", "1m"), 1_700_000_000.0)

    read = set(re.findall(r"\b(?:etcd|process|grpc|go|scrape|up)\w*", signal.promql)) - {"instance", "grpc_code"}
    assert {name for name in read if not name.endswith("_bucket")} <= KIND.scraped | {"up", "scrape_duration_seconds"}
    assert signal.unit in GRAINS
    assert signal.says
    assert signal.normal


def test_signals_have_names_of_their_own() -> None:
    assert len(SIGNALS) == len(KIND.signals) >= 25
    assert {metric for sign in KIND.signs for metric in sign.metrics} <= set(SIGNALS)


def test_pages_have_titles_and_speak_of_metrics_that_exist() -> None:
    pages = {page.id: page for page in KIND.knowledge}

    assert {"what-etcd-is", "quorum-and-stopping", "space-and-defragmentation", "restoring-quorum"} <= set(pages)
    assert all(page.title and len(page.text) > 300 for page in pages.values())


def test_each_known_bug_names_its_source_and_fault_kinds_that_exist() -> None:
    for bug in KIND.known_bugs:
        assert bug.source.startswith("https://github.com/etcd-io/etcd/")
        assert set(bug.kinds) <= set(FAULTS)


def test_nothing_may_be_asked_that_could_change_a_cluster() -> None:
    assert {rpc.path: rpc.body for rpc in KIND.rpcs} == {"/v3/cluster/member/list": {}, "/v3/maintenance/status": {}}
    allowed = [re.compile(path) for path in KIND.paths]
    refused = ("/v3/kv/put", "/v3/maintenance/alarm", "/v2/keys", "/debug/pprof/profile", "/v3/maintenance/defragment")
    assert not any(pattern.fullmatch(path) for pattern in allowed for path in refused)
