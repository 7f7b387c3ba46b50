"""The patterns of load as data, the command line they make, and the file that names one."""

from itertools import pairwise
from pathlib import Path

import pytest

from opsai_lab.errors import LabError
from opsai_lab.load.driver import loading, read_driver, running
from opsai_lab.load.patterns import PATTERNS, WORKLOADS
from opsai_lab.load.wanted import Wanted, read_wanted, wanted, write_wanted

COMPOSE = Path(__file__).parents[3] / "compose"


def test_the_patterns_are_those_that_the_docs_name() -> None:
    assert list(PATTERNS) == ["steady", "burst", "hot-read", "hot-write", "scan", "ramp"]
    text = (COMPOSE.parent / "docs" / "tikv-local.md").read_text(encoding="utf-8")
    assert all(f"`{name}`" in text for name in PATTERNS)


@pytest.mark.parametrize("subject", ["tikv", "etcd"])
@pytest.mark.parametrize("name", PATTERNS)
def test_every_segment_makes_a_command_that_go_ycsb_takes(subject: str, name: str) -> None:
    driver = read_driver(COMPOSE / subject / "load.toml")
    for segment in PATTERNS[name].segments:
        command = running("go-ycsb", driver, "a:1,b:2", segment, 700)
        assert command[:3] == ("go-ycsb", "run", subject)
        flags = dict(part[2:].split("=", 1) for part in command if part.startswith("--"))
        properties = dict(value.split("=", 1) for flag, value in pairwise(command) if flag == "-p")
        assert int(flags["target"]) == round(700 * segment.share)
        assert int(properties["operationcount"]) >= int(flags["target"]) * segment.seconds
        assert "{" not in "".join(command)
        # an operation that is not named keeps go-ycsb's own share: 0.95 reads, 0.05 updates
        shares = [float(properties[f"{what}proportion"]) for what in ("read", "update", "insert", "scan")]
        assert sum(shares) == 1


def test_the_hot_keys_are_some_and_next_to_each_other() -> None:
    driver = read_driver(COMPOSE / "tikv" / "load.toml")
    assert driver.records * float(WORKLOADS["hot-write"]["hotspotdatafraction"]) >= 1
    assert "-p" in (command := loading("go-ycsb", driver, "a:1"))
    assert "insertorder=ordered" in command


def test_what_is_written_is_what_is_read_and_anybody_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "new" / "load.json"
    write_wanted(path, Wanted(pattern="ramp", rate=900))
    assert read_wanted(path) == Wanted(pattern="ramp", rate=900)
    assert path.stat().st_mode & 0o777 == 0o644
    assert [entry.name for entry in path.parent.iterdir()] == ["load.json"]


def test_no_file_is_the_steady_pattern_at_its_own_rate(tmp_path: Path) -> None:
    assert read_wanted(tmp_path / "load.json") == Wanted(pattern="steady", rate=None)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "cannot be read"),
        ('{"pattern": "storm"}', "there is no pattern 'storm': steady, burst"),
        ('{"rate": -1}', "rate: Input should be greater than or equal to 0"),
        ('{"pace": 1}', "pace: Extra inputs are not permitted"),
        ("[]", "Input should be a valid dictionary"),
        ("\x00", "cannot be read"),
    ],
)
def test_a_file_that_cannot_be_followed_says_why(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "load.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(LabError, match=r"load\.json") as caught:
        read_wanted(path)
    assert says in str(caught.value)


def test_a_wish_that_cannot_be_set_says_why() -> None:
    with pytest.raises(LabError, match=r"there is no pattern 'storm': steady, burst"):
        wanted("storm", None)
    with pytest.raises(LabError, match="rate: Input should be less than or equal to 1000000"):
        wanted("steady", 10**9)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("driver = ", "cannot be read"),
        ('driver = "tikv"\nrecords = 1\nrate = 1\n[properties]\n', "records: Input should be greater"),
        ('driver = "tikv"\n', "records: Field required"),
    ],
)
def test_a_driver_file_that_is_none_says_why(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "load.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(LabError, match=r"load\.toml") as caught:
        read_driver(path)
    assert says in str(caught.value)


def test_a_missing_driver_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(LabError, match=r"There is no .*load\.toml"):
        read_driver(tmp_path / "load.toml")
