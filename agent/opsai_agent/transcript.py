"""The transcript: one JSON object a line, written as it happens, so that a killed investigation leaves whole lines."""

import os
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import orjson
import platformdirs
from pydantic import JsonValue

from opsai_agent.errors import FileUnusable

REDACTED = "[redacted]"
_USERINFO = re.compile(r"(?<=://)[^/@\s\"]+(?=@)")
_KEY_LIKE = re.compile(r"\bsk-ant-[A-Za-z0-9_-]{8,}")
_SECRET_NAME = re.compile(r"(KEY|TOKEN|SECRET|PASSWORD)$")


def secrets_of(environment: Mapping[str, str]) -> tuple[str, ...]:
    """Return the values in an environment that must never be written down."""
    return tuple(value for name, value in environment.items() if _SECRET_NAME.search(name) and len(value) >= 8)


def default_file(name: str, at: datetime) -> Path:
    """Return the file for an investigation of that name in the user's state folder."""
    slug = re.sub(r"[^A-Za-z0-9_.-]", "-", name)
    return (
        Path(platformdirs.user_state_path("opsai")) / "transcripts" / f"{at:%Y%m%dT%H%M%S}-{slug}-{os.getpid()}.jsonl"
    )


class Transcript:
    """Writes events to a file, mode 0600, appending; each line reaches the operating system before the next event."""

    def __init__(self, path: Path, now: Callable[[], datetime], secrets: tuple[str, ...] = ()) -> None:
        self.path = path
        self._now = now
        written = set(secrets) | {orjson.dumps(secret).decode()[1:-1] for secret in secrets}
        self._secrets = tuple(sorted(written, key=len, reverse=True))
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        except OSError as error:
            raise FileUnusable(f"The transcript {str(path)!r} cannot be written: {error.strerror}.") from error

    def write(self, event: str, **fields: JsonValue) -> None:
        """Append one event. Raises FileUnusable when the disk has no room."""
        line = self.line(event, **fields)
        try:
            _write_whole(self._fd, line.encode() + b"\n")
        except OSError as error:
            raise FileUnusable(f"The transcript {str(self.path)!r} cannot be written: {error.strerror}.") from error

    def line(self, event: str, **fields: JsonValue) -> str:
        """Return the event as it is written, without its secrets."""
        return self._redact(orjson.dumps({"at": self._now().isoformat(), "event": event, **fields}).decode())

    def close(self) -> None:
        """Close the file."""
        os.close(self._fd)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _redact(self, line: str) -> str:
        for secret in self._secrets:
            line = line.replace(secret, REDACTED)
        return _KEY_LIKE.sub(REDACTED, _USERINFO.sub(REDACTED, line))


def _write_whole(fd: int, data: bytes) -> None:
    while data:
        data = data[os.write(fd, data) :]
