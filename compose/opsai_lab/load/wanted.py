"""Which load is wanted: a small file that one program writes and the supervisor follows."""

import json
import tempfile
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError, field_validator

from opsai_lab.errors import LabError
from opsai_lab.load.patterns import PATTERNS
from opsai_subjects.model import Value

FILE_NAME = "load.json"
MAX_RATE = 1_000_000


class Wanted(Value):
    """What the file says: `{"pattern": "burst", "rate": 800}`."""

    pattern: str = "steady"
    rate: Annotated[int, Field(ge=0, le=MAX_RATE)] | None = None
    """Operations a second; 0: none. None: as `load.toml` says."""

    @field_validator("pattern")
    @classmethod
    def _known(cls, pattern: str) -> str:
        if pattern not in PATTERNS:
            raise ValueError(f"there is no pattern {pattern!r}: {', '.join(PATTERNS)}")
        return pattern


def wanted(pattern: str, rate: int | None) -> Wanted:
    """Return it, checked. Raises LabError for a pattern that is none and a rate that cannot be."""
    try:
        return Wanted(pattern=pattern, rate=rate)
    except ValidationError as error:
        raise LabError(f"That load cannot be set: {_said(error)}.") from error


def read_wanted(path: Path) -> Wanted:
    """Return what the file says; the defaults where there is none. Raises LabError for one that cannot be followed."""
    try:
        return Wanted.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return Wanted()
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise LabError(f"{path} cannot be read: {error}.") from error
    except ValidationError as error:
        raise LabError(f"{path} cannot be followed: {_said(error)}.") from error


def write_wanted(path: Path, what: Wanted) -> None:
    """Write it whole or not at all, for everybody to read: the supervisor may be another user. Raises LabError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=".", delete=False, encoding="utf-8") as file:
            file.write(what.model_dump_json() + "\n")
        Path(file.name).chmod(0o644)
        Path(file.name).replace(path)
    except OSError as error:
        raise LabError(f"{path} cannot be written: {error.strerror or error}.") from error


def _said(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    return f"{where}: {first['msg'].removeprefix('Value error, ')}" if where else first["msg"]
