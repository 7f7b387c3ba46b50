"""What is counted of live runs, and how they are watched: without any cluster."""

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from opsai_lab.chaos.injecting import Injected
from opsai_lab.errors import LabError
from opsai_lab.live.bench import Ran, faults_of, told, wanted_targets
from opsai_lab.live.haste import Haste
from opsai_lab.live.performing import Performed
from opsai_lab.live.table import as_json, table
from opsai_lab.live.truths import true_causes
from opsai_lab.targets.blueprints import find_blueprint
from opsai_subjects.config import ClusterSettings
from opsai_subjects.errors import UnknownName
from opsai_subjects.registry import subject_kind

ETCD = find_blueprint("etcd")


def ran(number: int, *, right: bool = True, detected: float | None = 2.0, fault: str = "kill") -> Ran:
    return Ran(
        target="processes",
        fault=fault,
        number=number,
        right=right,
        kind_right=right,
        entity_right=True,
        detected_seconds=detected,
        says="" if right else "etcd_member_hang on etcd1; right is etcd_member_down on etcd1",
        recording="" if right else "kept/here",
    )


def test_the_table_counts_each_fault_and_names_what_is_not_right_and_where_it_was_recorded() -> None:
    lines = table([ran(1), ran(2, right=False, detected=9.0), ran(3, detected=4.0), ran(1, fault="pause")]).splitlines()

    assert lines[1].split()[:6] == ["processes", "kill", "2/3", "2/3", "3/3", "4.0"]
    assert lines[2].split()[:3] == ["processes", "pause", "1/1"]
    assert lines[-1] == (
        "Not right: processes kill 2: etcd_member_hang on etcd1; right is etcd_member_down on etcd1 kept/here"
    )


def test_the_file_says_how_many_of_how_many_are_right() -> None:
    written = as_json([ran(1), ran(2, right=False)], "etcd", "rules")

    assert (written["right"], written["of"]) == (1, 2)


def test_a_run_that_was_never_detected_has_no_seconds_and_is_not_right() -> None:
    line = told("docker", 1, Performed(fault="kill", error="Nothing was detected within 60 s of kill."), Path())

    assert (line.right, line.detected_seconds, line.recording) == (False, None, "")
    assert line.says == "Nothing was detected within 60 s of kill."


def test_the_faults_meant_are_those_named_or_the_usual_ones_or_all() -> None:
    assert faults_of(ETCD, ()) == ("kill", "pause", "partition", "leader-kill")
    assert faults_of(ETCD, ("pause",)) == ("pause",)
    assert faults_of(ETCD, ("all",)) == tuple(ETCD.faults)
    with pytest.raises(UnknownName, match="leader-kill"):
        faults_of(ETCD, ("frobnicate",))


def test_a_cluster_of_somebody_else_is_never_among_the_targets() -> None:
    with pytest.raises(LabError, match="only looked at"):
        wanted_targets(("processes", "existing"))


def test_haste_shortens_what_is_short_and_leaves_alone_what_is_slow_or_set() -> None:
    invariants = subject_kind("etcd").invariants
    usual = {one.id: one.for_seconds for one in invariants}
    own = ClusterSettings(subject="etcd", for_seconds={"etcd_member_follows": 3.0})

    hasty = Haste(limits={"etcd_member_stays_up": 6.0}).applied(own, invariants)

    assert hasty.for_seconds["etcd_member_follows"] == 3.0
    assert {usual[name] > 6 for name in hasty.for_seconds if name != "etcd_member_follows"} == {True}
    assert max(usual[name] for name in hasty.for_seconds) <= 15
    assert hasty.limits == {"etcd_member_stays_up": 6.0}


def test_a_fault_of_the_whole_cluster_is_true_of_the_cluster() -> None:
    at = datetime(2026, 11, 24, tzinfo=UTC)
    lost = Injected(fault="quorum-loss", says="", harms=(), at=at, kind="etcd_quorum_loss", entities=())

    assert true_causes(lost)[0].entities == ("cluster",)


def opsai(*arguments: str, home: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "opsai_lab.cli", *arguments],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        env={"PATH": "/usr/bin:/bin", "OPSAI_LAB_HOME": str(home)},
    )


def test_the_faults_of_a_cluster_are_listed_without_bringing_it_up_and_an_unknown_one_names_them(
    tmp_path: Path,
) -> None:
    listed = opsai("demo", "--live", "--subject", "etcd", "--fault", "list", home=tmp_path)
    unknown = opsai("demo", "--live", "--subject", "etcd", "--fault", "frobnicate", home=tmp_path)

    assert "leader-kill" in listed.stdout
    assert "etcd_leader_down" in listed.stdout
    assert unknown.returncode == 1
    assert "There is no fault of three etcd members 'frobnicate'. Known: kill, pause," in unknown.stderr
    assert list(tmp_path.iterdir()) == []
