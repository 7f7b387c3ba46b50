"""What tells two candidates apart is named with the cheapest call that shows it."""

from datetime import timedelta
from pathlib import Path

import pytest

from opsai_server.tools.telling import Call, Decider, Readable, cheapest, deciders
from opsai_subjects.fault import FaultKind, Read, Sign, SignSpec
from tests.server.mcp.bench import served
from tests.server.toy import ToyKind

LOGGED = Readable(metrics=True, logs=frozenset({"part:b"}))
BLIND = Readable(metrics=False, logs=frozenset())
METRIC = SignSpec(id="late", says="-", metrics=("latency", "other"))
LOG = Read(tool="search_logs", arguments={"nodes": ("{entity}",), "contains": ("it's full",)}, needs="logs")
PROBE = Read(tool="regions", arguments={"stop": "{entity}"})


def _kind(name: str, **more: tuple[object, ...]) -> FaultKind:
    base = {"id": name, "says": "-", "on": "part", "must_show": (), "do": "-", "because": "-", "verify": "-"}
    return FaultKind.model_validate(base | more)


def test_a_metric_is_the_cheapest_read_where_prometheus_is_set() -> None:
    spec = METRIC.model_copy(update={"reads": (LOG, PROBE)})
    assert cheapest(spec, "part:b", LOGGED) == Call("query_metrics name=latency", 1)


def test_without_prometheus_another_read_is_cheaper_than_setting_it() -> None:
    spec = METRIC.model_copy(update={"reads": (LOG, PROBE)})
    assert cheapest(spec, "part:b", BLIND) == Call("regions stop=part:b", 2)


def test_a_call_is_spelt_so_that_it_can_be_asked_as_it_stands() -> None:
    spec = SignSpec(id="full", says="-", reads=(LOG,))
    call = cheapest(spec, "part:b", LOGGED)
    assert call is not None
    assert call.text == """search_logs 'nodes=["part:b"]' 'contains=["it'"'"'s full"]'"""


def test_a_source_that_is_not_set_is_to_be_set_first() -> None:
    call = cheapest(SignSpec(id="full", says="-", reads=(LOG,)), "part:c", LOGGED)
    assert call is not None
    assert call.text.startswith("set `logs` (--logs NODE=GLOB) for part:c, then search_logs ")
    assert not call.ready


def test_a_sign_that_no_call_shows_has_none() -> None:
    assert cheapest(SignSpec(id="odd", says="-"), "part:b", LOGGED) is None
    assert cheapest(None, "part:b", LOGGED) is None


def test_a_sign_that_one_needs_and_the_other_forbids_decides_either_way_and_comes_first() -> None:
    one = _kind("one", must_show=("gone", "cold"), must_not_show=("loud",))
    other = _kind("other", must_show=("cold",), must_not_show=("gone",))
    assert deciders(one, other, {}) == (Decider("gone", "one", "other"), Decider("loud", "other", ""))


def test_what_is_known_decides_no_more() -> None:
    one, other = _kind("one", must_show=("gone",)), _kind("other", must_not_show=("gone",))
    known = Sign(id="gone", entity="part:b", state="shown", says="-")
    assert deciders(one, other, {"gone": known}) == ()
    assert deciders(one, other, {"gone": known.model_copy(update={"state": "unknown"})}) != ()


def test_one_of_a_group_decides_only_when_it_is_the_whole_group() -> None:
    alone, among = _kind("alone", one_of=(("gone",),)), _kind("among", one_of=(("gone", "late"),))
    assert deciders(alone, among, {}) == (Decider("gone", "", "among"),)


@pytest.mark.anyio
async def test_the_differential_names_the_read_that_parts_the_best_two(tmp_path: Path) -> None:
    gone = _kind("toy_gone", must_show=("gone",), must_not_show=("full",), rivals=("toy_stuffed",))
    stuffed = _kind("toy_stuffed", one_of=(("gone", "slow"),), must_show=("full",), rivals=("toy_gone",))
    full = SignSpec(id="full", says="it is full", reads=(Read(tool="topology"),))
    async with served(tmp_path) as toy:
        toy.cluster.subject.kind = ToyKind(faults=(gone, stuffed), signs=(full,))
        toy.world.parts["b"].up = False
        await toy.watch(0)
        toy.world.parts["b"].seen = False
        toy.world.at += timedelta(seconds=10)
        reply = await toy.ask("differential")

    assert reply["next_read"] == "topology"
    first = reply["apart"][0]
    assert (first["sign"], first["entity"], first["read"]) == ("full", "part:b", "topology")
    assert (first["if_shown"], first["if_absent"]) == ("toy_stuffed", "toy_gone")


@pytest.mark.anyio
async def test_what_is_only_possible_and_no_rival_does_not_compete_with_what_fits(tmp_path: Path) -> None:
    gone = _kind("toy_gone", must_show=("gone",))
    odd = _kind("toy_odd", must_show=("gone", "never_looked_at"))
    async with served(tmp_path) as toy:
        toy.cluster.subject.kind = ToyKind(faults=(gone, odd))
        toy.world.parts["b"].up = False
        reply = await toy.ask("differential")
        toy.cluster.subject.kind = ToyKind(faults=(odd, _kind("toy_gone", must_show=("gone",), rivals=("toy_odd",))))
        toy.world.at += timedelta(seconds=10)
        rivals = await toy.ask("differential")

    assert [cause["kind"] for cause in reply["causes"]] == ["toy_gone"]
    assert "if_absent" not in reply["apart"][0]
    assert rivals["apart"][0]["if_absent"] == "toy_gone"
