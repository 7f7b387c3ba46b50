"""Reading the gzip files of a recording, so that what is wrong in one is named with its file and line."""

import gzip
import json
import zlib
from collections.abc import Iterator
from pathlib import Path

import orjson
from pydantic import JsonValue

from opsai_subjects.errors import RecordingCorrupt


def corrupt(file: Path, what: str, line: int | None = None) -> RecordingCorrupt:
    """Return the error that names the file, the line (counted from 1) and what is wrong there."""
    place = f"{file}, line {line}" if line is not None else str(file)
    return RecordingCorrupt(f"{place}: {what}. The recording cannot be used; copy it again from where it came from.")


def inflate(file: Path) -> bytes:
    """Return the whole content. Raises RecordingCorrupt when it is missing, no gzip or cut off."""
    try:
        return gzip.decompress(file.read_bytes())
    except FileNotFoundError as error:
        raise corrupt(file, "the file is missing") from error
    except EOFError as error:
        raise corrupt(file, "the file is cut off: its gzip stream does not end") from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise corrupt(file, f"the file is not whole gzip ({error})") from error
    except OSError as error:
        raise corrupt(file, f"the file cannot be read ({error.strerror})") from error


def lines(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield each line that is not empty with its number, counted from 1."""
    for number, line in enumerate(content.split(b"\n"), start=1):
        if line:
            yield number, line


def parse(file: Path, number: int, line: bytes) -> dict[str, JsonValue]:
    """Return the JSON object of one line. Raises RecordingCorrupt when it is none."""
    try:
        value: JsonValue = orjson.loads(line)
    except orjson.JSONDecodeError:
        value = _by_the_tolerant_parser(file, number, line)
    if not isinstance(value, dict):
        raise corrupt(file, "not a JSON object", number)
    return value


def _by_the_tolerant_parser(file: Path, number: int, line: bytes) -> JsonValue:
    # half a surrogate pair, which Python's own json writes into a body and reads back
    try:
        value: JsonValue = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise corrupt(file, f"not JSON ({error})", number) from error
    return value
