"""A water works as the rules see it: hand-made replies, and nothing of any real subject."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from opsai_agent.backend import SUBMIT, Tool
from opsai_agent.budget import Budget, Limits
from opsai_agent.loop import Outcome, investigate
from opsai_agent.rules import RulesBackend
from opsai_agent.session import CallResult
from opsai_agent.transcript import Transcript
from opsai_server.tickets.diagnosis import Submission
from tests.agent.conftest import AT

WELL = "pump:2/a~b"
PLACE = "/signs/pump:2~1a~0b"
KIND = {
    "says": "The valve is stuck",
    "must_show": ["stuck"],
    "one_of": [["dry", "hot"]],
    "supports": ["noise", "smell"],
    "do": "Open the valve by hand.",
    "because": "A stuck valve does not free itself.",
    "verify": "The flow is back.",
    "touches": "nothing",
}
SIGNS = {
    "stuck": {"state": "shown", "active": True, "says": "it is stuck"},
    "dry": {"state": "shown", "active": True, "says": "its flow is 0.5 l/s", "value": 0.5, "limit": 2.0},
    "hot": {"state": "absent", "active": False, "says": "it is cool", "value": 20, "limit": 80},
    "noise": {"state": "shown", "active": True, "says": "it is loud at 90 dB", "value": 90, "limit": 60},
    "smell": {"state": "unknown", "active": False, "says": "nobody smelled"},
    "power": {"state": "shown", "active": True, "says": "it has power", "value": True, "limit": None},
}
CAUSE = {
    "kind": "valve_stuck",
    "entity": WELL,
    "says": "The valve is stuck",
    "standing": "fits",
    "active": True,
    "support": [
        {"sign": "stuck", "says": "it is stuck"},
        {"sign": "dry", "says": "its flow is 0.5 l/s", "metrics": ["flow"]},
    ],
    "action": {"do": "Open the valve.", "because": "It is stuck.", "verify": "It flows.", "touches": "nothing"},
    "rivals": [
        {"kind": "no_power", "standing": "contradicted", "against": ["power"]},
        {"kind": "leak", "standing": "possible", "open": ["puddle"]},
    ],
}
VIOLATED = {"invariant": "flows", "entity": WELL, "says": "its flow is 0.5 l/s, below 2"}
TICKET = {
    "id": "T-7",
    "invariant": "flows",
    "entity": WELL,
    "title": "no flow",
    "grade": "cause",
    "violated_at": "2026-11-23T23:00:00Z",
    "evidence_ids": ["E-raised"],
}


@dataclass
class Works:
    """A water works that answers as told."""

    causes: list[Any] = field(default_factory=lambda: [CAUSE])
    candidates: list[Any] = field(default_factory=list)
    violated: list[Any] = field(default_factory=lambda: [VIOLATED])
    counts: dict[str, int] = field(default_factory=dict)
    kind: dict[str, Any] = field(default_factory=lambda: dict(KIND))
    ticket: dict[str, Any] = field(default_factory=lambda: dict(TICKET))
    signs: dict[str, Any] = field(default_factory=lambda: dict(SIGNS))
    page: int = 100
    quorum_at_risk: bool = False
    fails: tuple[str, ...] = ()
    refuses: int = 0
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    instructions: str = ""
    names: tuple[str, ...] = (
        "overview",
        "tickets",
        "check_invariants",
        "differential",
        "evidence",
        "timeline",
        "query_metrics",
        "search_logs",
        "knowledge",
        SUBMIT,
    )

    @property
    def tools(self) -> tuple[Tool, ...]:
        properties: Any = {"properties": {"ticket": {}}}
        return tuple(Tool(name, "", properties) for name in self.names)

    async def call(self, name: str, arguments: Mapping[str, object]) -> CallResult:
        given: dict[str, Any] = dict(arguments)
        self.asked.append((name, given))
        if name in self.fails:
            return CallResult(f"{name} fails.", None, True)
        answer = getattr(self, name)(**given)
        if isinstance(answer, str):
            return CallResult(answer, None, True)
        return CallResult("{}", {"evidence_id": f"E-{name}", **answer}, False)

    def overview(self) -> Any:
        return {}

    def tickets(self, id: str) -> Any:  # noqa: A002
        return {"ticket": self.ticket}

    def check_invariants(self) -> Any:
        return {"violated": self.violated, "counts": self.counts}

    def differential(self, ticket: str = "") -> Any:
        return {"causes": self.causes, "candidates": self.candidates}

    def evidence(self, id: str, path: str, offset: int = 0) -> Any:  # noqa: A002
        if id == "E-raised":
            return {"value": "violated"}
        if path == PLACE:
            names = list(self.signs)[offset : offset + self.page]
            whole = offset == 0 and len(names) == len(self.signs)
            last = offset + len(names)
            more = "the end" if last == len(self.signs) else f"go on with offset={last}"
            note = {} if whole else {"page": f"{len(names)} of {len(self.signs)}; elements {offset} to {last}; {more}"}
            return {"value": {name: self.signs[name] for name in names}, **note}
        return {"value": self.kind} if path == "/kinds/valve_stuck" else "nothing there"

    def timeline(self, **window: Any) -> Any:
        mine = {
            "at": "2026-11-23T22:59:58Z",
            "entity": WELL,
            "kind": "valve",
            "says": "The valve was turned.",
            "source": "log",
        }
        other = {**mine, "entity": "pump:1", "says": "Another pump hummed."}
        ours = {**mine, "kind": "ticket_created", "says": "T-7: raised"}
        return {"events": [other, mine, ours]}

    def knowledge(self, words: str) -> Any:
        return {
            "found": [
                {"type": "sign", "id": "dry"},
                {"type": "metric", "id": "laundry", "says": "what was hung up"},
                {
                    "type": "metric",
                    "id": "flow",
                    "says": "litres; a dry pump has none, noise or not, and a stuck one neither",
                },
            ]
        }

    def query_metrics(self, name: str, **window: Any) -> Any:
        calm = {"entity": "pump:1", "first": 5, "min": 5, "max": 5, "last": 5}
        moved = {
            "entity": WELL,
            "first": 5,
            "min": 0.5,
            "max": 5.123456,
            "last": 0.5,
            "change_at": "2026-11-23T22:59:59Z",
            "change_by": -4.5,
        }
        return {"unit": "l/s", "series": [calm, moved]}

    def search_logs(self, **query: Any) -> Any:
        old = {"template": "all is well", "new": False, "count": 900, "first_at": "x"}
        return {"templates": [old, {"template": "valve # jammed", "new": True, "count": 3, "first_at": "22:59:58"}]}

    def submit_diagnosis(self, **submission: Any) -> Any:
        if self.refuses:
            self.refuses -= 1
            return "The diagnosis is not accepted."
        if self.quorum_at_risk and submission["action"]["touches"] in ("restart", "stop", "remove"):
            return "To restart it would put a quorum at risk now."
        return {"accepted": True, "diagnosis_id": "D-1"}


async def asked(works: Works, tmp_path: Path, ticket: str | None = "T-7", limits: Limits | None = None) -> Outcome:
    with Transcript(tmp_path / "t.jsonl", lambda: AT) as transcript:
        budget = Budget(limits or Limits(), lambda: 0.0)
        return await investigate(works, RulesBackend(), ticket, budget, transcript, lambda _: None)


def submitted(outcome: Outcome) -> Submission:
    return Submission.model_validate({n: v for n, v in outcome.submission.items() if n != "ticket"})
