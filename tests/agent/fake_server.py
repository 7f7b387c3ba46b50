"""A small MCP server with the shapes of opsai-mcp's replies, for what the real one cannot be made to do: die, hang, refuse.

Run as a program: `python fake_server.py [MOOD …]`.
"""

import os
import sys
from typing import Any

import anyio
from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError

MOODS = set(sys.argv[1:])
ENTITY = "store:4"
AT = "2026-11-23T23:05:00.000Z"

SIGNS = {
    "gone": {
        "state": "shown",
        "active": "over" not in MOODS,
        "says": "its scrape is refused",
        "value": None,
        "limit": None,
    },
    "lag": {
        "state": "shown",
        "active": True,
        "says": "it lags by 40 s",
        "value": 40.0,
        "limit": 20.0,
        "source": "max(lag)",
    },
    "answers": {
        "state": "absent",
        "active": True,
        "says": "its status port does not answer",
        "value": None,
        "limit": None,
    },
}
KIND = {
    "says": "The process is gone.",
    "must_show": ["gone"],
    "one_of": [["lag", "answers"]],
    "supports": [],
    "rivals": ["hung"],
    "do": "Start it again.",
    "because": "Its data is whole.",
    "verify": "It answers again.",
    "touches": "restart" if "risky" in MOODS else "nothing",
}
CAUSE = {
    "kind": "down",
    "entity": ENTITY,
    "says": KIND["says"],
    "standing": "fits",
    "active": "over" not in MOODS,
    "score": 2.0,
    "support": [{"sign": "gone", "says": "its scrape is refused"}],
    "rivals": [{"kind": "hung", "standing": "contradicted", "against": ["answers"]}],
    "action": {name: KIND[name] for name in ("do", "because", "verify", "touches")},
}
CALLS: list[str] = []
MET = anyio.Event()
app = MCPServer("fake", instructions="A fake cluster of one store.", log_level="CRITICAL")


def reply(evidence_id: str, **shown: Any) -> dict[str, Any]:
    return {"cluster": "lab", "at": AT, "evidence_id": evidence_id, **shown}


@app.tool()
async def overview() -> dict[str, Any]:
    """Say how it stands."""
    if "dies" in MOODS:
        sys.stderr.write("fake: the disk is on fire\n")
        sys.stderr.flush()
        os._exit(3)
    if "hangs" in MOODS:
        await anyio.sleep_forever()
    if "rendezvous" in MOODS:
        await MET.wait()
    return reply(
        "E-1", summary={"healthy": False}, violated=[{"invariant": "up", "entity": ENTITY, "says": "it is down"}]
    )


@app.tool()
async def tickets(id: str = "", status: str = "open") -> dict[str, Any]:  # noqa: A002 (its name in the protocol)
    """Read tickets."""
    ticket = {
        "id": "T-1",
        "status": "created",
        "invariant": "up",
        "entity": ENTITY,
        "title": "store:4 is down",
        "evidence_ids": ["E-0"],
    }
    if id and id != "T-1":
        raise ToolError(f"There is no ticket {id!r}. Known: T-1.")
    done = {"id": "T-2", "status": "diagnosed"}
    return reply("E-2", ticket=ticket) if id else reply("E-2", tickets=[done, ticket])


@app.tool()
async def check_invariants() -> dict[str, Any]:
    """Judge."""
    quiet = {"healthy", "over"} & MOODS
    violated = [] if quiet else [{"invariant": "up", "entity": ENTITY, "says": "it is down"}]
    return reply("E-3", counts={"held": 1, "violated": len(violated), "unknown": 0}, violated=violated)


@app.tool()
async def differential(ticket: str = "") -> dict[str, Any]:
    """Rank."""
    causes = [] if {"healthy", "puzzling"} & MOODS else [CAUSE]
    other = {
        "kind": "slow",
        "entity": ENTITY,
        "standing": "possible",
        "contradiction": [],
        "unknown": ["late"],
        "active": True,
    }
    return reply("E-4", causes=causes, candidates=[] if "healthy" in MOODS else [other])


@app.tool()
async def evidence(id: str, path: str = "", offset: int = 0) -> dict[str, Any]:  # noqa: A002 (its name in the protocol)
    """Read what is stored."""
    value: Any = {
        "signs": {ENTITY: SIGNS},
        "kinds": {"down": KIND},
        "verdicts": {"up": {ENTITY: {"state": "violated"}}},
    }
    for step in path.split("/")[1:]:
        if step not in value:
            raise ToolError(f"There is nothing at {path}.")
        value = value[step]
    if path.startswith("/signs") and "paged" in MOODS:
        names = list(value)[offset : offset + 2]
        last = offset + len(names)
        more = "the end" if last >= len(value) else f"go on with offset={last}"
        note = f"2 of 3; elements {offset} to {last}; {more}"
        return reply(id, value={name: value[name] for name in names}, page=note)
    return reply(id, value=value)


@app.tool()
async def timeline(minutes: float = 10) -> dict[str, Any]:
    """Tell what happened."""
    MET.set()
    return reply("E-6", events=[{"at": AT, "entity": ENTITY, "kind": "gone", "says": "It was seen to go."}])


@app.tool(structured_output=False)
async def prose() -> str:
    """Answer with what is no object."""
    return "not an object"


@app.tool()
async def submit_diagnosis(
    verdict: str,
    summary: str,
    action: dict[str, Any],
    ticket: str | None = None,
    root_causes: list[dict[str, Any]] | None = None,
    claims: list[dict[str, Any]] | None = None,
    correlated_metrics: list[dict[str, Any]] | None = None,
    alternatives: list[dict[str, Any]] | None = None,
) -> dict[str, Any]:
    """Conclude."""
    CALLS.append(verdict)
    if "stubborn" in MOODS and verdict != "inconclusive":
        raise ToolError("Refused: I accept nothing of this.")
    if "adamant" in MOODS:
        raise ToolError("Refused: I accept nothing at all.")
    if "picky" in MOODS and len(CALLS) == 1:
        raise ToolError("Refused: a claim cites evidence that does not exist.")
    if action["touches"] in ("restart", "stop", "remove"):
        raise ToolError("Refused: the quorum of 3 regions would be at risk.")
    every = [*(claims or []), *(c for other in alternatives or [] for c in other["claims"])]
    checked = [{"says": c["says"], "held": True, "found": c["value"], "why": ""} for c in every]
    because = ["every sign it must show is shown"]
    return reply(
        "E-9", accepted=True, diagnosis_id="D-1", confidence="confirmed", because=because, claims=checked, not_seen=[]
    )


if __name__ == "__main__":
    if "mute" in MOODS:
        sys.stderr.write("fake: settings cannot be used\n")
        sys.exit(2)
    app.run()
