"""What a model reads when it asks for what cannot be answered."""

import logging
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from opsai_subjects.errors import SourceTimedOut
from tests.server.mcp.bench import ERAS, Served, served

pytestmark = pytest.mark.anyio

TIME = "Try: ISO time in UTC, as the replies show it: '2026-11-23T23:05:00Z'"
ADVISED = "An entity, a name or an address will do."
NODES = "Known: part:a (a), part:b (b), part:c (c)."
REFUSALS: list[tuple[str, dict[str, Any], str]] = [
    ("overview", {"deep": True}, "unknown argument 'deep'. Arguments of overview: none."),
    (
        "search_logs",
        {"level": "ERROR"},
        "unknown argument 'level'. Arguments of search_logs: contains, regex, levels, nodes, minutes, start, end, temp",
    ),
    (
        "search_logs",
        {"levels": ["LOUD"]},
        "argument levels.0: Input should be 'FATAL', 'ERROR', 'WARN', 'INFO', 'DEBUG' or 'TRACE' (given 'LOUD')",
    ),
    ("search_logs", {"levls": ["ERROR"]}, "limit, offset. Did you mean 'levels'?"),
    ("evidence", {}, "argument id: Field required"),
    ("evidence", {"id": "E-7"}, "There is no evidence 'E-7'. Known: E-1. Old evidence that nothing cites is forgotten"),
    ("evidence", {"id": "nonsense"}, "There is no evidence 'nonsense'. Known: E-1."),
    ("evidence", {"id": "E-1", "path": "verdicts"}, "path='verdicts' cannot be used: a JSON Pointer begins with /."),
    (
        "evidence",
        {"id": "E-1", "path": "/nosuch"},
        "There is no key at the top: 'nosuch'. Known: verdicts, counts, unread.",
    ),
    ("evidence", {"id": "E-1", "path": "/unread/5"}, "There is no element at /unread: '5'. Known: none."),
    (
        "evidence",
        {"id": "E-1", "path": "/counts/held/x"},
        "path='/counts/held/x' cannot be used: a plain value stands at /counts/held. Try: path='/counts/held'",
    ),
    ("tickets", {"id": "T-9"}, "There is no ticket 'T-9'. Known: none."),
    ("differential", {"ticket": "T-9"}, "There is no ticket 'T-9'. Known: none."),
    ("differential", {"entity": "z"}, f"There is no node or entity 'z'. {NODES} {ADVISED}"),
    ("differential", {"kind": "gremlins"}, "There is no fault kind 'gremlins'. Known: toy_down, toy_full, toy_slow."),
    ("check_invariants", {"invariant": "part_nice"}, "There is no invariant 'part_nice'. Known: part_up, part_roomy,"),
    ("check_invariants", {"entity": "z"}, f"There is no node or entity 'z'. {NODES}"),
    ("topology", {"role": "pd"}, "There is no role 'pd'. Known: part."),
    ("topology", {"nodes": ["z"]}, f"There is no node or entity 'z'. {NODES}"),
    ("topology", {"nodes": ["load"]}, f"There is no node 'load'. {NODES}"),
    ("search_logs", {"nodes": ["z"]}, "There is no node with a log 'z'. Known: a, b, c."),
    (
        "search_logs",
        {"regex": "(("},
        "The query '((' is refused: not a regular expression: missing )",
    ),
    ("timeline", {"start": "yesterday"}, f"start='yesterday' cannot be used: it is not a time. {TIME}"),
    (
        "timeline",
        {"start": "0001-01-01T00:00:00+14:00"},
        "start='0001-01-01T00:00:00+14:00' cannot be used: it is not a",
    ),
    ("query_metrics", {"name": "up", "end": "9999-12-31T23:59:59-12:00"}, "cannot be used: it is not a time. Try:"),
    ("search_logs", {"start": "0001-01-01"}, "start='0001-01-01' cannot be used: nothing is kept from before 1970"),
    ("timeline", {"end": "2026-13-01"}, f"end='2026-13-01' cannot be used: it is not a time. {TIME}"),
    (
        "timeline",
        {"start": "2026-05-01T12:00:01Z"},
        "start='2026-05-01T12:00:01Z' cannot be used: the window would be empty. Try: a start before 2026-05-01T12:00:00",
    ),
    (
        "timeline",
        {"start": "2026-05-01T11:00:00Z", "minutes": 5},
        "minutes=5.0 cannot be used: start is given too. Try: either minutes, or start (and end)",
    ),
    ("timeline", {"minutes": 0}, "argument minutes: Input should be greater than 0 (given 0)"),
    ("timeline", {"minutes": 1e9}, "argument minutes: Input should be less than or equal to 10080"),
    ("query_metrics", {"query": "rate(up"}, "The query 'rate(up' is refused: parse error: unclosed left parenthesis"),
    ("query_metrics", {}, "exactly one of query and name is needed. Try: query='up', or a named metric"),
    ("query_metrics", {"query": "up", "name": "part_latency"}, "exactly one of query and name is needed"),
    (
        "query_metrics",
        {"name": "speed"},
        "There is no named metric 'speed'. Known: part_latency. PromQL goes into query.",
    ),
    (
        "query_metrics",
        {"query": "up", "minutes": 10080, "step_seconds": 1},
        "step_seconds=1.0 cannot be used: over 604800 s it makes more than 2000 points. Try: at least 302, or a shorter",
    ),
    ("knowledge", {"words": "zebra"}, "There is no knowledge page or entry for 'zebra'. Known: toy_down, toy_full,"),
    ("submit_diagnosis", {"verdict": "maybe"}, "argument verdict: Input should be 'fault', 'recovered', 'healthy' or"),
    (
        "submit_diagnosis",
        {"verdict": "healthy", "summary": "s", "action": {"undo": 1}},
        "argument action.do: Field required",
    ),
    ("look_around", {}, "there is no such tool. Tools: overview, topology, check_invariants,"),
]

CONCLUSION: dict[str, Any] = {
    "verdict": "healthy",
    "summary": "All is well.",
    "action": {"do": "Nothing.", "because": "It is well.", "verify": "It stays.", "touches": "nothing"},
}


@pytest.mark.parametrize("mode", ERAS)
async def test_each_refusal_says_what_is_wrong_and_what_would_do(tmp_path: Path, mode: str) -> None:
    async with served(tmp_path, mode=mode) as toy:
        await toy.ask("check_invariants")
        said = [(tool, arguments, await toy.fail(tool, **arguments)) for tool, arguments, _ in REFUSALS]

    for (tool, arguments, text), (_, _, expected) in zip(said, REFUSALS, strict=True):
        of_cluster = not any(says in text for says in ("unknown argument", ": argument ", "no such tool"))
        assert text.endswith("(cluster 'toy')") == of_cluster, text
        assert text.startswith(f"Error executing tool {tool}: "), text
        assert expected in text, (arguments, text)
        assert "pydantic" not in text


async def test_a_cluster_without_metrics_or_logs_says_what_to_set(tmp_path: Path) -> None:
    async with served(tmp_path, metrics=False, logs=False) as toy:
        metrics = await toy.fail("query_metrics", query="up")
        logs = await toy.fail("search_logs")

    assert "Cluster 'toy' has no metrics engine. Set `prometheus` in opsai.toml or give --prometheus URL." in metrics
    assert (
        "Cluster 'toy' has no logs. Set `logs` (or docker, kubernetes, loki, diagnostics) in opsai.toml or give --logs NODE=GLOB."
        in logs
    )


async def test_an_error_of_a_source_reaches_the_model_word_for_word(tmp_path: Path) -> None:
    async with served(tmp_path) as toy:
        toy.world.broken = SourceTimedOut("/status", "part a", "no answer within 10 s", "a longer read_seconds")
        text = await toy.fail("overview")

    assert text.endswith("Asked part a for /status: no answer within 10 s. Try: a longer read_seconds (cluster 'toy')")


async def test_a_fault_of_our_own_is_said_to_be_one_and_logged_with_its_traceback(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with served(tmp_path) as toy:
        toy.world.broken = ZeroDivisionError("a secret of the inside")
        with caplog.at_level(logging.ERROR):
            text = await toy.fail("overview")

    assert "internal error ZeroDivisionError in overview, logged with its traceback" in text
    assert "secret" not in text
    assert "a secret of the inside" in caplog.text


async def test_a_reply_that_cannot_be_stored_is_given_all_the_same_and_says_so(tmp_path: Path) -> None:
    async with served(tmp_path, busy_seconds=0.05) as toy:
        other = sqlite3.connect(toy.store.path, isolation_level=None)
        try:
            other.execute("BEGIN IMMEDIATE")
            locked = await toy.ask("overview")
            refused = await toy.fail("submit_diagnosis", **CONCLUSION)
        finally:
            other.close()
        free = await toy.ask("overview")

    assert locked["evidence_id"] is None
    assert locked["not_stored"].startswith("No claim can cite this reply, for it could not be stored: ")
    assert str(toy.store.path) in locked["not_stored"]
    assert str(toy.store.path) in refused
    assert free["evidence_id"] == "E-1"


async def test_a_ticket_of_another_cluster_is_none_of_this_ones(tmp_path: Path) -> None:
    async with served(tmp_path) as toy:
        await _ticket_elsewhere(toy)
        text = await toy.fail("tickets", id="T-1")
        listed = await toy.ask("tickets", status="all")

    assert "There is no ticket of cluster 'toy' 'T-1'. Known: none." in text
    assert listed["tickets"] == []


async def _ticket_elsewhere(toy: Served) -> None:
    here = toy.cluster
    elsewhere = Served(**{**vars(toy), "cluster": type(here)(**{**vars(here), "name": "elsewhere"})})
    toy.world.parts["b"].up = False
    await elsewhere.watch(0, 30)
    toy.world.parts["b"].up = True
