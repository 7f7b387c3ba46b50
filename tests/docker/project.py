"""A compose file as a user brings it up: by `docker compose`, under a name and in an environment of the test's own."""

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest

from tests.docker.local import docker, refused

WITHIN_SECONDS = 100.0
STAND_IN = '{{index .Config.Labels "opsai.stand-in"}}'
_T = TypeVar("_T")


@dataclass(frozen=True)
class Project:
    """A compose project that is up, or is to be."""

    name: str
    file: Path
    environment: dict[str, str]

    def compose(self, *words: str) -> str:
        command = ["docker", "compose", "--project-name", self.name, "--file", str(self.file), *words]
        ran = subprocess.run(
            command, env={**os.environ, **self.environment}, capture_output=True, text=True, check=False, timeout=180
        )
        assert ran.returncode == 0, f"{' '.join(words)}: {ran.stderr[-2000:]}"
        return ran.stdout

    def up(self, *services: str) -> None:
        self.compose("up", "--detach", "--no-build", "--pull", "never", "--wait", "--wait-timeout", "150", *services)

    def down(self) -> None:
        self.compose("down", "--volumes", "--timeout", "2")

    def within(self, service: str, *words: str) -> str:
        return self.compose("exec", "--no-TTY", service, *words)

    def inspected(self, service: str) -> dict[str, Any]:
        return json.loads(docker("inspect", f"{self.name}-{service}-1"))[0]

    def loads(self) -> list[dict[str, Any]]:
        """What the stand-in of go-ycsb was told, one start after another."""
        notes = lines(self.within("load", "sh", "-c", "cat /tmp/notes 2>/dev/null || true"))
        return [one for one in notes if one.get("command") == "run"]


def lines(text: str) -> Iterator[dict[str, Any]]:
    for line in text.splitlines():
        yield json.loads(line)


def until(ask: Callable[[], _T]) -> _T:
    """Return the first answer that is something; containers set no event here."""
    ends = time.monotonic() + WITHIN_SECONDS
    while True:
        if found := ask():
            return found
        assert time.monotonic() < ends, f"nothing came of it within {WITHIN_SECONDS:g} s"
        time.sleep(0.5)


def skip_without(*images: str, stand_ins: tuple[str, ...] = ()) -> None:
    """Skip where an image is missing, or is the real one where the test is about its stand-in."""
    missing = [name for name in (*images, *stand_ins) if refused("image", "inspect", name)]
    missing += [
        name for name in stand_ins if name not in missing and not docker("image", "inspect", "--format", STAND_IN, name)
    ]
    if missing:
        why = f"no (stand-in) image {', '.join(missing)}: `scripts/images` makes it"
        if os.environ.get("CI") == "true":
            pytest.fail(why)
        pytest.skip(why)
