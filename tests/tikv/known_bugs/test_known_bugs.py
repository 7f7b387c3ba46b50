"""Known bugs: told by version, by a mark in a log, and only where they may be."""

import re
from datetime import date

import pytest

from opsai_subjects.known_bug import KnownBug, recognised, version_in
from opsai_tikv.bugs_seen import bugs_seen
from opsai_tikv.kind import KIND
from opsai_tikv.known_bugs import known_bugs
from opsai_tikv.logs.logged import DECISIVE
from opsai_tikv.logs.patterns_bugs import BUG_PATTERNS, pattern_id
from tests.tikv.scene import Scene

BY_ID = {bug.id: bug for bug in known_bugs()}


def _bug(**changes: object) -> KnownBug:
    row = {"id": "tikv#1", "component": "raft", "says": "it breaks", "fixed": ("6.5.9", "7.1.4", "8.0.0")}
    return KnownBug.model_validate(row | {"source": "https://a", "checked": date(2026, 1, 1)} | changes)


@pytest.mark.parametrize(
    ("version", "has"),
    [
        ("6.5.8", "yes"),
        ("6.5.9", "no"),
        ("7.1.0", "yes"),
        ("7.1.10", "no"),
        ("7.5.3", "maybe"),
        ("6.1.0", "maybe"),
        ("8.0.0", "no"),
        ("8.5.1", "no"),
        ("9.0.0", "no"),
    ],
)
def test_a_version_has_a_bug_until_its_own_line_is_fixed(version: str, has: str) -> None:
    found = version_in(version)
    assert found is not None
    assert _bug().had_by(found) == has


def test_no_version_from_before_the_bug_has_it() -> None:
    assert _bug(since="7.1.2").had_by((7, 1, 1)) == "no"
    assert _bug(since="7.1.2").had_by((7, 1, 2)) == "yes"


def test_a_bug_that_no_release_fixes_may_be_in_any() -> None:
    assert _bug(fixed=()).had_by((8, 5, 7)) == "maybe"
    assert _bug(fixed=()).remedy == "no release fixes it yet"


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("v8.5.1", (8, 5, 1)),
        ("8.5.4-alpha", (8, 5, 4)),
        ("snapshot stuck on 7.1.0?", (7, 1, 0)),
        ("", None),
        ("[2026/05/04 03:02:01.123 +00:00] [WARN] [a.rs:12]", None),
        ("store at 10.77.0.21:20160", None),
        ("took 1.25s", None),
    ],
)
def test_a_version_is_told_from_times_and_addresses(text: str, version: tuple[int, int, int] | None) -> None:
    assert version_in(text) == version


def test_every_row_names_its_issue_and_when_it_was_checked() -> None:
    assert len(BY_ID) == len(known_bugs()) >= 25
    for bug in known_bugs():
        repository, _, number = bug.id.partition("#")
        assert bug.source == f"https://github.com/tikv/{repository}/issues/{number}"
        assert bug.checked >= date(2026, 11, 1)
        versions = [version_in(text) for text in bug.fixed]
        assert None not in versions
        assert versions == sorted(versions, key=lambda found: found or (0, 0, 0))
        assert len({version[:2] for version in versions if version}) == len(versions), "one fix for each line"
        assert not bug.says.endswith(".")


def test_rows_speak_of_metrics_that_there_are() -> None:
    known = {signal.name for signal in KIND.signals}
    assert {name for bug in known_bugs() for name in bug.metrics} - known == set()


def test_rows_speak_of_fault_kinds_that_there_are() -> None:
    known = {fault.id for fault in KIND.faults}
    assert {name for bug in known_bugs() for name in bug.kinds} - known == set()


def test_what_a_healthy_log_does_not_hold_is_looked_for() -> None:
    marked = {pattern_id(bug.id) for bug in known_bugs() if bug.log}
    assert {pattern.id for pattern in BUG_PATTERNS} == marked
    assert marked <= set(DECISIVE)


def test_a_pasted_line_is_recognised() -> None:
    line = '[2025/02/13 10:00:00.000 +08:00] [WARN] [gc_worker.rs:1] ["failed to schedule gc task"] [err="channel is full"]'
    assert [bug.id for bug in recognised(known_bugs(), line)] == ["tikv#18214"]
    assert recognised(known_bugs(), '["TiKV is ready to serve"]') == ()


def _marked(version: str) -> Scene:
    scene = Scene()
    for store in scene.stores:
        scene.store(store, version=version)
    scene.log("store:2", "bug_tikv_18214", sample="failed to schedule gc task")
    return scene


def test_a_mark_in_the_log_of_a_version_that_has_the_bug_names_it() -> None:
    seen = bugs_seen(_marked("8.5.1").facts(), ())
    assert [(one.bug.id, one.entity, one.version, one.has) for one in seen] == [
        ("tikv#18214", "store:2", "8.5.1", "yes")
    ]
    assert seen[0].sample == "failed to schedule gc task"
    assert re.search(r"fixed in .*8\.5\.2", seen[0].bug.remedy)


@pytest.mark.parametrize("version", ["8.5.2", "9.0.0", ""])
def test_a_mark_in_a_version_that_does_not_have_the_bug_names_nothing(version: str) -> None:
    assert bugs_seen(_marked(version).facts(), ()) == ()


def test_a_bug_that_only_looks_alike_is_named_once_and_only_where_it_surely_is() -> None:
    scene = Scene()
    for store in scene.stores:
        scene.store(store, version="7.5.0")
    seen = bugs_seen(scene.facts(), ("tikv_gc_blocked",))
    assert [(one.bug.id, one.entity, one.sample) for one in seen] == [("tikv#18214", "store:1", "")]
    for store in scene.stores:
        scene.store(store, version="8.1.0")  # no fix in that line: only perhaps
    assert bugs_seen(scene.facts(), ("tikv_gc_blocked",)) == ()


def test_bugs_of_pd_are_looked_for_in_its_members_only() -> None:
    scene = Scene()
    for store in scene.stores:
        scene.store(store, version="7.5.0")
    assert bugs_seen(scene.facts(), ("pd_leader_flap",)) == ()
    for member in scene.members:
        scene.member(member, version="7.5.0")
    assert "pd#7251" in [one.bug.id for one in bugs_seen(scene.facts(), ("pd_leader_flap",))]
