"""Several clusters as a user sets them: a settings file, the real programs."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from opsai_server.tickets.store import open_store
from tests.server.mcp.bench import text_of
from tests.server.mcp.test_stdio import environment, program
from tests.server.toy import NOON

pytestmark = pytest.mark.anyio

SETTINGS = """
store = "opsai.sqlite"

[clusters.prod]
endpoints = ["http://127.0.0.1:1"]

[clusters.config]
subject = "etcd"
endpoints = ["http://127.0.0.1:1"]
"""


def run(home: Path, module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", module, *arguments],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        env=environment(home),
        cwd=home,
    )


async def test_one_server_shows_every_cluster_of_the_settings_also_while_none_answers(tmp_path: Path) -> None:
    (tmp_path / "opsai.toml").write_text(SETTINGS, encoding="utf-8")
    async with program(tmp_path) as client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        listed = await client.call_tool("overview", {})
        one = await client.call_tool("overview", {"cluster": "config"})

    assert listed.structured_content is not None
    assert [row["cluster"] for row in listed.structured_content["of_each"]] == ["prod", "config"]
    assert one.structured_content is not None
    assert one.structured_content["cluster"] == "config"
    assert one.structured_content["summary"]["healthy"] is None, text_of(one)
    assert tools["regions"].input_schema["properties"]["cluster"]["const"] == "prod"


def test_an_investigation_of_several_asks_for_one_of_them(tmp_path: Path) -> None:
    (tmp_path / "opsai.toml").write_text(SETTINGS, encoding="utf-8")
    done = run(tmp_path, "opsai_agent.cli", "investigate", "T-1", "--backend", "rules")

    assert done.returncode == 1
    assert "several clusters: prod, config" in done.stderr
    assert "--cluster" in done.stderr


async def test_a_user_sees_who_was_first_seen_under_each_name_and_can_let_a_name_go(tmp_path: Path) -> None:
    (tmp_path / "opsai.toml").write_text(SETTINGS, encoding="utf-8")
    before = run(tmp_path, "opsai_lab.cli", "clusters", "list")
    made = (tmp_path / "opsai.sqlite").exists()
    async with open_store(tmp_path / "opsai.sqlite") as store:
        await store.introduce("prod", "7431…", NOON)
        await store.introduce("gone", "12", NOON)
    after = run(tmp_path, "opsai_lab.cli", "clusters", "list")
    as_json = run(tmp_path, "opsai_lab.cli", "clusters", "list", "--json")
    forgotten = run(tmp_path, "opsai_lab.cli", "clusters", "forget", "gone")
    again = run(tmp_path, "opsai_lab.cli", "clusters", "forget", "gone")

    assert before.stdout.splitlines() == ["prod  tikv  never seen", "config  etcd  never seen"]
    assert not made
    assert after.stdout.splitlines() == [
        f"prod  tikv  id 7431…, first seen {NOON:%Y-%m-%d %H:%M:%S} UTC",
        "config  etcd  never seen",
        f"gone  not set  id 12, first seen {NOON:%Y-%m-%d %H:%M:%S} UTC",
    ]
    assert [one["name"] for one in json.loads(as_json.stdout)["clusters"]] == ["prod", "config", "gone"]
    assert forgotten.stdout.startswith("gone was 12, first seen")
    assert again.returncode == 1
    assert "Known: prod." in again.stderr


def test_one_watcher_looks_at_every_cluster_of_the_settings(tmp_path: Path) -> None:
    (tmp_path / "opsai.toml").write_text(SETTINGS, encoding="utf-8")
    done = run(tmp_path, "opsai_server.watch_cli", "--once", "--json")

    assert [json.loads(line)["cluster"] for line in done.stdout.splitlines()] == ["prod", "config"], done.stderr
