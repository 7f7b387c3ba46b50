"""Every sign can be looked for by hand, with calls that there are."""

from opsai_server.app import READS as TOOLS
from opsai_server.tools.telling import Readable, cheapest, deciders
from opsai_tikv.faults import FAULTS
from opsai_tikv.kind import KIND
from opsai_tikv.logs.every import texts
from opsai_tikv.signs import SIGNS
from opsai_tikv.signs.reads import READS

ALL = Readable(metrics=True, logs=frozenset({"store:1"}))
BY_ID = {spec.id: spec for spec in SIGNS}


def test_reads_are_of_signs_tools_and_texts_that_there_are() -> None:
    tools = {tool.__name__ for tool in (*TOOLS, *KIND.probes)}
    assert set(READS) <= set(BY_ID)
    for read in (read for reads in READS.values() for read in reads):
        assert read.tool in tools
        assert set(read.arguments.get("contains", ())) <= set(texts())
        assert (read.needs == "logs") == (read.tool == "search_logs")


def test_every_sign_that_a_kind_rests_on_has_a_read() -> None:
    needed = {
        name
        for kind in FAULTS
        for name in (*kind.must_show, *(sign for group in kind.one_of for sign in group), *kind.must_not_show)
    }
    assert sorted(name for name in needed if cheapest(BY_ID.get(name), "store:1", ALL) is None) == []


def test_named_metrics_of_signs_are_metrics() -> None:
    known = {signal.name for signal in KIND.signals}
    assert {name for spec in SIGNS for name in spec.metrics} - known == set()


def test_rivals_on_one_entity_are_parted_by_some_sign() -> None:
    kinds = {kind.id: kind for kind in FAULTS}
    alike = [
        (kind.id, rival)
        for kind in FAULTS
        for rival in kind.rivals
        if kinds[rival].on == kind.on and not deciders(kind, kinds[rival], {})
    ]
    assert alike == []
