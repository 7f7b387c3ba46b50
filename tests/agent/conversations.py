"""What the tests of Claude share: a backend on the stub, and small conversations."""

import json
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import anyio

from opsai_agent.backend import SUBMIT, Assignment, Tool, ToolCall, ToolReply
from opsai_agent.budget import Budget, Limits
from opsai_agent.claude import ClaudeBackend, open_claude
from opsai_agent.loop import Outcome, investigate
from opsai_agent.prices import Price
from opsai_agent.session import Session
from opsai_agent.transcript import Transcript
from tests.agent.conftest import AT, serving
from tests.agent.stub import Stub

Fake = Callable[..., AbstractAsyncContextManager[Session]]
KEY = "sk-ant-stub-0123456789"
MODEL = "claude-opus-5-5"
PRICE = Price(input=4.0, output=20.0, cache_write_5m=5.0, cache_write_1h=8.0, cache_read=0.2)
TOOLS = (Tool("overview", "Look.", {"type": "object"}), Tool(SUBMIT, "Conclude.", {"type": "object"}))
LOOK = {"thinking": "Let me look.", "text": "I look.", "calls": [{"name": "overview", "input": {"a": 1}}]}
CONCLUSION = {
    "verdict": "fault",
    "summary": "store:4 is gone.",
    "root_causes": [{"entity": "store:4", "kind": "down", "explanation": "Its process is gone."}],
    "claims": [
        {
            "says": "its scrape is refused",
            "evidence_id": {"$evidence": "differential"},
            "path": "/signs/store:4/gone/state",
            "op": "==",
            "value": "shown",
        }
    ],
    "action": {"do": "Look at it.", "because": "It is gone.", "verify": "It is back.", "touches": "nothing"},
}
CONCLUDE = {"calls": [{"name": SUBMIT, "input": CONCLUSION}]}


@asynccontextmanager
async def claude(stub: Stub, *, effort: str = "medium", max_retries: int = 2) -> AsyncGenerator[ClaudeBackend]:
    async with serving(stub) as url:
        environment = {"ANTHROPIC_API_KEY": KEY, "ANTHROPIC_BASE_URL": url}
        async with open_claude(MODEL, effort, PRICE, environment, max_retries=max_retries) as backend:
            backend.begin(Assignment("T-1", TOOLS, "Of the server."))
            yield backend


async def course(fake: Fake, path: Path, stub: Stub, *moods: str, limits: Limits | None = None) -> Outcome:
    """Investigate with the small server over stdio and the stub as Claude."""
    with Transcript(path, lambda: AT, (KEY,)) as transcript, anyio.fail_after(30):
        async with claude(stub) as backend, fake(*moods) as session:
            budget = Budget(limits or Limits(), lambda: 0.0)
            return await investigate(session, backend, "T-1", budget, transcript, lambda _: None)


def answers(calls: tuple[ToolCall, ...], text: str = '{"evidence_id":"E-1"}') -> tuple[ToolReply, ...]:
    return tuple(ToolReply(call=call, text=text, value=json.loads(text)) for call in calls)
