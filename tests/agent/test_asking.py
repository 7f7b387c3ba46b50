"""Asking the tools by hand."""

import json
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import pytest
from typer.testing import CliRunner

from opsai_agent.asking import ask, question
from opsai_agent.cli import app
from opsai_agent.errors import AgentError
from opsai_agent.session import Session
from opsai_lab.recordings import find

Fake = Callable[..., AbstractAsyncContextManager[Session]]


def test_a_question_is_a_tool_and_its_arguments_as_values() -> None:
    asked = question("""query_metrics name=fsync_p99 minutes=5 points=true nodes=["tikv1", "tikv 2"] query='up == 0'""")

    assert asked.tool == "query_metrics"
    assert asked.arguments == {
        "name": "fsync_p99",
        "minutes": 5,
        "points": True,
        "nodes": ["tikv1", "tikv 2"],
        "query": "up == 0",
    }


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "it is empty"),
        ("topology role='tikv pd", "is not NAME=VALUE"),
        ("topology tikv", "is not NAME=VALUE"),
        ("submit_diagnosis verdict=fault", "it writes"),
    ],
)
def test_what_is_no_question_is_said_with_an_example(text: str, says: str) -> None:
    with pytest.raises(AgentError, match=says):
        question(text)


@pytest.mark.anyio
async def test_each_question_is_answered_with_what_it_costs_to_read(fake: Fake) -> None:
    async with fake() as session:
        first, second = await ask(session, [question("overview"), question("tickets id=T-9")])

    told = first.as_json()
    assert (told["tool"], told["is_error"]) == ("overview", False)
    assert told["chars"] == len(json.dumps(told["reply"], separators=(",", ":")))
    assert second.reply.is_error
    assert "There is no ticket" in str(second.as_json()["reply"])


def test_the_command_prints_what_a_model_would_read(tmp_path) -> None:
    where = ["--replay", str(find("amber-heron")), "--at", "+180s", "--store", str(tmp_path / "opsai.sqlite")]

    done = CliRunner().invoke(app, ["ask", "overview", "topology role=tikv", *where, "--json"])

    first, second = (json.loads(line) for line in done.stdout.splitlines())
    assert done.exit_code == 0
    assert [cause["kind"] for cause in first["reply"]["causes"]] == ["tikv_down"]
    assert second["arguments"] == {"role": "tikv"}


def test_a_question_that_is_refused_ends_in_status_1(tmp_path) -> None:
    where = ["--replay", str(find("amber-heron")), "--store", str(tmp_path / "opsai.sqlite")]

    done = CliRunner().invoke(app, ["ask", "topology rolle=tikv", *where])

    assert done.exit_code == 1
    assert "Did you mean 'role'?" in done.stdout


def test_a_read_as_the_server_writes_it_for_a_shell_is_understood() -> None:
    asked = question("""search_logs 'nodes=["etcd1"]' 'contains=a b' limit=5""")

    assert asked.arguments == {"nodes": ["etcd1"], "contains": "a b", "limit": 5}
