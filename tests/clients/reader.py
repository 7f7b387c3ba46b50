"""A model that reads: it stands at the Messages API where Claude would, and what it says next comes from what the tools answered.

No model is behind it. Its course is the plainest investigation that there is; every claim it makes is taken from a reply.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from tests.agent.stub import Stub, blocks_of, reply_of

Json = dict[str, Any]


@dataclass(frozen=True)
class Heard:
    """What one request brings to the model."""

    body: Json

    @cached_property
    def tools(self) -> dict[str, Json]:
        """Each of opsai's tools that is offered, by its own name: a client puts its prefix before it."""
        return {tool["name"].rpartition("__")[2]: tool for tool in self.body.get("tools", ()) if is_ours(tool["name"])}

    @cached_property
    def results(self) -> list[tuple[str, Json]]:
        """Each answered call of the conversation: the tool's full name, and the result as it came."""
        names = {block["id"]: block["name"] for block in blocks_of(self.body) if block["type"] == "tool_use"}
        return [
            (names[block["tool_use_id"]], block) for block in blocks_of(self.body) if block["type"] == "tool_result"
        ]

    @cached_property
    def replies(self) -> dict[str, Json]:
        """The newest reply of each of opsai's tools, read."""
        return {name.rpartition("__")[2]: reply_of(block) for name, block in self.results if is_ours(name)}

    @cached_property
    def text(self) -> str:
        """All that it was told in words, system prompt and reminders included."""
        system = self.body.get("system", [])
        return "\n".join([*texts(system), *(text for turn in self.body["messages"] for text in texts(turn["content"]))])

    def call(self, tool: str, **arguments: object) -> Json:
        """Return the step that calls one of opsai's tools."""
        return {"calls": [{"name": self.tools[tool]["name"], "input": arguments}]}


def is_ours(name: str) -> bool:
    return name.startswith("mcp__") and "opsai" in name


def texts(content: Any) -> Iterator[str]:
    """Yield the texts of a message's content, those of tool results left out."""
    if isinstance(content, str):
        yield content
        return
    yield from (block["text"] for block in content if block["type"] == "text")


def investigate(heard: Heard) -> Json:
    """Look, judge, weigh, conclude: what the server's own instructions ask for."""
    replies = heard.replies
    if "overview" not in replies:
        return heard.call("overview")
    ticket = replies["overview"]["tickets"][0]["id"]
    if "check_invariants" not in replies:
        return heard.call("check_invariants")
    if "differential" not in replies:
        return heard.call("differential", ticket=ticket)
    if "submit_diagnosis" not in replies:
        return heard.call("submit_diagnosis", **diagnosis(ticket, replies["check_invariants"], replies["differential"]))
    return {"text": f"{ticket} is diagnosed: {replies['submit_diagnosis']['confidence']}."}


def diagnosis(ticket: str, invariants: Json, differential: Json) -> Json:
    """Return a diagnosis whose every claim repeats what one of the two replies said."""
    cause = differential["causes"][0]
    entity = cause["entity"]
    violated = [
        claim(row["says"], invariants, f"/verdicts/{row['invariant']}/{entity}/state", "violated")
        for row in invariants["violated"]
        if row["entity"] == entity
    ]
    shown = [
        claim(sign["says"], differential, f"/signs/{entity}/{sign['sign']}/state", "shown") for sign in cause["support"]
    ]
    return {
        "ticket": ticket,
        "verdict": "fault",
        "summary": f"{entity}: {cause['says']}.",
        "root_causes": [{"entity": entity, "kind": cause["kind"], "explanation": cause["support"][0]["says"]}],
        "claims": [*violated, *shown],
        "action": {**cause["action"], "entity": entity},
    }


def claim(says: str, reply: Json, path: str, value: str) -> Json:
    return {"says": says, "evidence_id": reply["evidence_id"], "path": path, "op": "==", "value": value}


@dataclass
class Reader(Stub):
    """The service with a course to follow; what asks it without tools (a title, say) gets a word."""

    course: Callable[[Heard], Json] = investigate
    heard: list[Heard] = field(default_factory=list)
    """Each request with tools, in order."""

    async def step(self, body: Json) -> Json:
        heard = Heard(body)
        if not body.get("tools"):
            return {"text": "ok"}
        self.heard.append(heard)
        return self.course(heard)
