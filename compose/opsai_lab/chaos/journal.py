"""What harm was done and is not undone yet: written down before it is done, so that it is found after any crash."""

import os
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from opsai_lab.errors import LabError
from opsai_lab.targets.folder import writing
from opsai_lab.targets.harm import Harm
from opsai_subjects.model import Clock, Value, WallClock

FILE_NAME = "journal.jsonl"


class Entry(Value):
    """One line of the journal."""

    at: datetime
    did: Literal["harm", "undone"]
    """harm: it is about to be done. undone: it has been undone."""
    harm: Harm
    fault: str = ""
    """The fault of the blueprint that it belongs to."""


class Journal:
    """The journal of one place. Lines are only ever appended, each on the disk before anything is done."""

    def __init__(self, folder: Path, clock: Clock | None = None) -> None:
        self._path = folder / FILE_NAME
        self._clock = clock or WallClock()

    def next_id(self) -> str:
        """Return an id that no harm in the journal has."""
        return f"h{1 + max((_number(entry.harm.id) for entry in self.entries()), default=0)}"

    def intend(self, harm: Harm, fault: str = "") -> None:
        """Write down that a harm is about to be done. Raises LabError; then it must not be done."""
        self._append(Entry(at=self._clock.now(), did="harm", harm=harm, fault=fault))

    def undone(self, harm: Harm) -> None:
        """Write down that a harm has been undone."""
        self._append(Entry(at=self._clock.now(), did="undone", harm=harm))

    def entries(self) -> tuple[Entry, ...]:
        """Return all lines, oldest first.

        A damaged line is passed over: it was being written when the power went, so what it announces was never done.
        """
        try:
            content = self._path.read_bytes()
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise LabError(f"{self._path} cannot be read: {error.strerror or error}.") from error
        return tuple(_parsed(content.split(b"\n")))

    def left(self) -> tuple[Harm, ...]:
        """Return the harms that are not undone, oldest first."""
        open_harms: dict[str, Harm] = {}
        for entry in self.entries():
            if entry.did == "harm":
                open_harms[entry.harm.id] = entry.harm
            else:
                open_harms.pop(entry.harm.id, None)
        return tuple(open_harms.values())

    def _append(self, entry: Entry) -> None:
        line = entry.model_dump_json().encode() + b"\n"
        with writing(self._path):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
            try:
                size = os.fstat(descriptor).st_size
                torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
                whole = b"\n" + line if torn else line
                while whole:
                    whole = whole[os.write(descriptor, whole) :]
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


def _parsed(lines: Iterable[bytes]) -> Iterable[Entry]:
    for line in lines:
        try:
            yield Entry.model_validate_json(line)
        except ValidationError:
            continue


def _number(harm_id: str) -> int:
    digits = harm_id.removeprefix("h")
    return int(digits) if digits.isascii() and digits.isdigit() else 0
