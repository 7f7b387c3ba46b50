"""The official conformance suites, run against a server, and what they found: check by check, from the files they write."""

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import anyio

from tests.clients.installed import node_program

RELEASED = "@modelcontextprotocol/conformance"
"""The release, which knows the protocols up to 2025."""
NEXT = "conformance-next"
"""The next one, with the frozen requirements of the protocols of 2025 and 2026."""
FINE = ("SUCCESS", "INFO")
WITHIN_SECONDS = 100
TIMED = frozenset(
    f"sep-2575-{name}"
    for name in (
        "http-server-no-independent-requests-on-stream",
        "server-honors-notification-filter",
        "server-no-log-without-loglevel",
        "server-sends-prompts-list-changed-on-subscription",
        "server-sends-subscription-ack",
        "server-sends-tools-list-changed-on-subscription",
        "server-tags-subscription-id",
    )
)
"""Checks that give the server half a second or a little more by the wall's clock, which a busy machine may not have."""
TURNS = 3
"""So often a suite is run, at most, while one of these fails."""


@dataclass(frozen=True)
class Check:
    """One statement of a suite about the server."""

    id: str
    status: str
    says: str


@dataclass(frozen=True)
class Judged:
    """What a suite found, by scenario."""

    code: int
    printed: str
    """For whoever reads a failure."""
    scenarios: Mapping[str, tuple[Check, ...]]

    @property
    def passed(self) -> frozenset[str]:
        """Scenarios that found nothing amiss, and did find something."""
        return frozenset(
            name for name, checks in self.scenarios.items() if checks and all(check.status in FINE for check in checks)
        )

    @property
    def amiss(self) -> dict[str, list[str]]:
        """What the other scenarios found, by scenario."""
        return {
            name: [f"{check.status} {check.id}: {check.says}" for check in checks if check.status not in FINE]
            for name, checks in self.scenarios.items()
            if name not in self.passed
        }

    @property
    def late(self) -> bool:
        """Whether something failed that a busy machine can make fail."""
        checks = (check for checks in self.scenarios.values() for check in checks)
        return any(check.id in TIMED and check.status in ("FAILURE", "WARNING") for check in checks)

    def counted(self, scenarios: frozenset[str]) -> Counter[str]:
        """Return how many checks of these scenarios came to which status."""
        return Counter(check.status for name in scenarios for check in self.scenarios[name])


async def judged(suite: str, url: str, folder: Path, *flags: str) -> Judged:
    """Run a suite against the server at a URL; `folder` is for what it writes."""
    found = await _judged(suite, url, folder / "1", *flags)
    for turn in range(2, TURNS + 1):
        if not found.late:
            break
        found = await _judged(suite, url, folder / str(turn), *flags)
    return found


async def _judged(suite: str, url: str, folder: Path, *flags: str) -> Judged:
    command = [*node_program(suite), "server", "--url", url, "--output-dir", str(folder), *flags]
    with anyio.fail_after(WITHIN_SECONDS):
        done = await anyio.run_process(command, check=False)
    return Judged(done.returncode, done.stdout.decode() + done.stderr.decode(), _found(folder))


def _found(folder: Path) -> dict[str, tuple[Check, ...]]:
    return {_scenario(found): _checks(found) for found in sorted(folder.glob("*/checks.json"))}


def _scenario(found: Path) -> str:
    named = re.fullmatch(r"server-(.+)-\d{4}-\d\d-\d\dT[\d-]+Z", found.parent.name)
    assert named is not None, found
    return named[1]


def _checks(found: Path) -> tuple[Check, ...]:
    listed = json.loads(found.read_text(encoding="utf-8"))
    return tuple(Check(one["id"], one["status"], one.get("errorMessage") or "") for one in listed)
