"""MCP's own judges of servers find nothing amiss: neither in the protocol as opsai speaks it, nor in opsai itself."""

from collections import Counter
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from opsai_server.entrance import Policy
from tests.clients.conformance import NEXT, RELEASED, judged
from tests.clients.fixtures.everything import add_everything
from tests.server.mcp.sites import site
from tests.server.mcp.test_http_program import program

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.clients,
    # The suites for the protocols of 2025 ask for logs to the client, which that of 2026 has given up.
    pytest.mark.filterwarnings("ignore::mcp.MCPDeprecationWarning"),
]

JUDGES_PER_SECOND = 1000
"""A suite asks more often than a client may as a rule."""
KEEPS_NO_EVENTS = "server-sse-polling"
"""It recommends that a client may come back for the rest of a broken stream. No answer of ours takes so long."""
EXTENSION = "tasks-"
"""Scenarios of an extension that opsai does not have, and that no requirement scores."""


@pytest.fixture
async def everything(tmp_path: Path) -> AsyncGenerator[str]:
    """The URL of opsai's server with all that the suites call, behind opsai's own entrance."""
    policy = Policy(token=None, requests_per_second=JUDGES_PER_SECOND)
    async with site(tmp_path, policy, fixtures=add_everything, max_sessions=100, within_seconds=120) as served:
        yield served.url


async def test_the_released_suite_passes_whole(everything: str, tmp_path: Path) -> None:
    found = await judged(RELEASED, everything, tmp_path / "found", "--suite", "all")

    assert found.amiss.keys() == {KEEPS_NO_EVENTS}, found.amiss
    assert found.counted(found.passed) == Counter(SUCCESS=44)
    assert (len(found.passed), found.code) == (31, 0)


async def test_all_that_the_protocol_of_2025_requires_is_there(everything: str, tmp_path: Path) -> None:
    found = await judged(NEXT, everything, tmp_path / "found", "--requirements", "2025-11-25")

    assert found.amiss.keys() == {KEEPS_NO_EVENTS}, found.amiss
    assert found.counted(found.passed) == Counter(SUCCESS=81)
    assert (len(found.passed), found.code) == (32, 0)


async def test_all_that_the_protocol_of_2026_requires_is_there(everything: str, tmp_path: Path) -> None:
    found = await judged(NEXT, everything, tmp_path / "found", "--requirements", "2026-07-28")

    amiss = {name: says for name, says in found.amiss.items() if not name.startswith(EXTENSION)}
    assert amiss == {}
    assert found.counted(found.passed) == Counter(SUCCESS=152, INFO=1)
    assert (len(found.passed), found.code) == (40, 0)


NAMELESS = frozenset(
    {
        "completion-complete",
        "dns-rebinding-protection",
        "prompts-list",
        "resources-list",
        "server-sse-multiple-streams",
        "tools-call-error",
        "tools-list",
    }
)
"""Scenarios that need nothing by a name of their own, so that any server can pass them, in both protocols."""
OF_2025 = NAMELESS | {"ping", "server-initialize", "server-session-lifecycle"}
OF_2026 = NAMELESS | {
    "caching",
    "http-header-validation",
    "input-required-result-unsupported-methods",
    "sep-2164-resource-not-found",
}
NEEDS_TOOLS = {
    "sep-2575-server-rejects-undeclared-capability",
    "sep-2575-missing-capability-http-400",
    "sep-2575-server-sends-prompts-list-changed-on-subscription",
    "sep-2575-server-sends-tools-list-changed-on-subscription",
}
"""Checks of `server-stateless` that each call a tool made for them."""


async def test_the_program_itself_passes_whatever_needs_no_names_of_the_suites(tmp_path: Path) -> None:
    often = {"OPSAI_HTTP__REQUESTS_PER_SECOND": str(JUDGES_PER_SECOND)}
    with program(tmp_path, "--http", "127.0.0.1:0", **often) as (_, url):
        old = await judged(NEXT, url, tmp_path / "old", "--requirements", "2025-11-25")
        new = await judged(NEXT, url, tmp_path / "new", "--requirements", "2026-07-28")
        released = await judged(RELEASED, url, tmp_path / "released", "--suite", "all")

    assert {name: says for name, says in old.amiss.items() if name in OF_2025} == {}
    assert {name: says for name, says in new.amiss.items() if name in OF_2026} == {}
    assert (OF_2025 - old.passed, OF_2026 - new.passed) == (frozenset(), frozenset())
    assert OF_2025 - released.passed == {"server-session-lifecycle"}, released.amiss  # it came later
    # It has none of the rest, and the suites notice.
    assert (old.code, new.code, released.code) == (1, 1, 1)
    assert "tools-call-image" in old.amiss.keys() & new.amiss.keys()
    stateless = new.scenarios["server-stateless"]
    assert new.counted(frozenset({"server-stateless"}))["SUCCESS"] == len(stateless) - len(NEEDS_TOOLS) == 26
    assert {check.id for check in stateless if check.status != "SUCCESS"} == NEEDS_TOOLS
