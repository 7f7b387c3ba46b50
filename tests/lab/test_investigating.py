"""What is said when the agent's program cannot conclude."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from opsai_agent.errors import AgentError
from opsai_lab.investigating import Order, investigate
from opsai_lab.recordings import find

pytestmark = pytest.mark.anyio
AT = datetime(2026, 11, 23, 23, 7, tzinfo=UTC)


def order(tmp_path: Path, **changes: str | None) -> Order:
    given = {"ticket": None, "backend": "rules"} | changes
    backend = given["backend"]
    assert backend is not None
    return Order(given["ticket"], find("amber-heron"), AT, tmp_path / "opsai.sqlite", backend)


async def test_a_model_without_a_key_is_said_with_how_to_do_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)

    with pytest.raises(AgentError, match=r"status 1\. Its last words: .*no key.* --backend rules"):
        await investigate(order(tmp_path, backend="claude"))


async def test_an_unknown_ticket_is_said_in_the_agents_own_words(tmp_path: Path) -> None:
    with pytest.raises(AgentError, match="T-99"):
        await investigate(order(tmp_path, ticket="T-99"))
