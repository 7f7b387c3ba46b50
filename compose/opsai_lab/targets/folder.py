"""Files in a place's folder: written whole or not at all, and read back."""

import os
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from opsai_lab.errors import LabError
from opsai_subjects.model import Value

_V = TypeVar("_V", bound=Value)


@contextmanager
def writing(path: Path) -> Generator[None]:
    """Turn what goes wrong while writing into a LabError that names the file and the reason (no space left, read-only)."""
    try:
        yield
    except OSError as error:
        raise LabError(
            f"{error.filename or path} cannot be written: {error.strerror or error}. The state of a local cluster is kept there; "
            "$OPSAI_LAB_HOME names another folder for it."
        ) from error


def write_whole(path: Path, text: str) -> None:
    """Write a file so that a reader, and whoever comes after a crash, sees the old text or the new. Raises LabError."""
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise


def read_value(path: Path, kind: type[_V]) -> _V | None:
    """Return what was written there, None when there is no file. Raises LabError for a damaged one."""
    try:
        return kind.model_validate_json(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise LabError(f"{path} cannot be read: {error.strerror or error}.") from error
    except ValidationError as error:
        raise LabError(
            f"{path} is damaged ({error.errors(include_url=False)[0]['msg']}). It was written by opsai; remove it and run "
            "`opsai deploy local down`."
        ) from error


def last_lines(path: Path, count: int) -> tuple[str, ...]:
    """Return the last lines of a text file, oldest first; none when there is no such file."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - 64 * 1024))
            lines = file.read().decode("utf-8", "replace").splitlines()
    except OSError:
        return ()
    return tuple(lines[-count:]) if count else ()
