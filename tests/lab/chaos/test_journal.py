"""The journal of harm: what is left, whatever happened to its last line."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opsai_lab.chaos.journal import FILE_NAME, Journal
from opsai_lab.errors import LabError
from opsai_lab.targets.harm import Harm

STEPS = st.lists(st.integers(1, 6), max_size=8)


def harm(number: int) -> Harm:
    return Harm(id=f"h{number}", name="kill", node=f"etcd{number}")


def left_after(steps: list[int]) -> list[Harm]:
    """Return what is left when each harm is done the first time it comes, undone the next, and so on."""
    left: list[Harm] = []
    for number in steps:
        left.remove(harm(number)) if harm(number) in left else left.append(harm(number))
    return left


def played(folder: str, steps: list[int]) -> Journal:
    journal = Journal(Path(folder))
    for at, number in enumerate(steps):
        if harm(number) in left_after(steps[:at]):
            journal.undone(harm(number))
        else:
            journal.intend(harm(number), "kill")
    return Journal(Path(folder))


@settings(max_examples=40)  # each line waits for the disk
@given(steps=STEPS)
def test_what_is_left_is_what_was_done_and_not_undone_in_that_order(steps: list[int]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        assert list(played(folder, steps).left()) == left_after(steps)


@settings(max_examples=40)
@given(steps=STEPS.filter(bool), cut=st.floats(0, 1, exclude_max=True))
def test_a_last_line_cut_anywhere_counts_as_never_written_and_the_next_one_is_whole(
    steps: list[int], cut: float
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        journal = played(folder, steps)
        path = Path(folder) / FILE_NAME
        content = path.read_bytes()
        last = content.rfind(b"\n", 0, -1) + 1
        path.write_bytes(content[: last + int(cut * (len(content) - last - 1))])

        assert list(journal.left()) == left_after(steps[:-1])
        journal.intend(harm(9), "kill")
        assert list(journal.left()) == [*left_after(steps[:-1]), harm(9)]


def test_ids_are_never_given_twice(tmp_path: Path) -> None:
    journal = Journal(tmp_path)

    for number in (1, 2, 3):
        assert journal.next_id() == f"h{number}"
        journal.intend(harm(number))
        journal.undone(harm(number))


def test_a_journal_that_cannot_be_written_says_why_and_where_else(tmp_path: Path) -> None:
    (tmp_path / "lab").write_text("a file where the folder should be", encoding="utf-8")

    with pytest.raises(LabError, match=r"cannot be written: .*\$OPSAI_LAB_HOME"):
        Journal(tmp_path / "lab").intend(harm(1))


def test_no_room_on_the_disk_is_said_and_nothing_counts_as_done() -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("no /dev/full here")
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / FILE_NAME).symlink_to(full)

        with pytest.raises(LabError, match="No space left on device"):
            Journal(Path(folder)).intend(harm(1))
