"""A program run with bytes of our own on its stdin."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

PATIENCE_SECONDS = 120


@dataclass(frozen=True)
class Done:
    """What it wrote, and how it ended."""

    stdout: bytes
    stderr: bytes
    code: int


def ran(
    command: Sequence[str], env: Mapping[str, str], home: Path, asked: bytes, *, answers: int, last: int = 0
) -> Done:
    """Run it, send the bytes, read that many lines (or to the answer with the id `last`), end its stdin and read the rest."""
    with (
        (home / "stderr.bin").open("w+b") as stderr,
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr, env=env, cwd=home
        ) as started,
    ):
        assert started.stdin is not None
        assert started.stdout is not None
        try:
            lines: list[bytes] = []
            if answers:
                started.stdin.write(asked)
                started.stdin.flush()
            while len(lines) < answers or (last and json.loads(lines[-1]).get("id") != last):
                line = started.stdout.readline()
                if not line:
                    break
                lines.append(line)
            rest, _ = started.communicate(timeout=PATIENCE_SECONDS)
        finally:
            started.kill()
        stderr.seek(0)
        return Done(b"".join(lines) + rest, stderr.read(), started.returncode)
