"""The operator as docs/operator.md runs it: the image, both services beside a recorded cluster, their store, their end."""

import os
import re
import subprocess
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from tests.docker.local import ROOT, docker, refused
from tests.docker.project import until

pytestmark = [pytest.mark.docker, pytest.mark.anyio]

BASE = "python:3.12-slim-bookworm"
PAGE = (ROOT / "docs" / "operator.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```console not-run: tests/docker/test_operator\.py runs it\n(.*?)^```", re.MULTILINE | re.DOTALL)
BUILD, START, LOOK = ([line[2:] for line in block.splitlines()] for block in BLOCK.findall(PAGE))


@dataclass(frozen=True)
class Site:
    """Both services, running, under a name of their own."""

    prefix: str
    folder: Path
    watch: str
    """URL of opsai-watch."""
    mcp: str
    """URL of opsai-mcp."""

    def renamed(self, command: str) -> str:
        """Return a command of the page with the names that this site has, and ports that are free."""
        command = command.replace("opsai-operator:local", f"{self.prefix}:local")
        command = re.sub(r"\boperator-(watch|mcp|store)\b", rf"{self.prefix}-\1", command)
        command = command.replace("--network cluster ", f"--network {self.prefix} ")
        command = re.sub(r"--publish 127\.0\.0\.1:\d+:", "--publish 127.0.0.1::", command)
        return command.replace("--detach ", "--detach --health-interval 2s ")

    def run(self, *commands: str) -> str:
        """Run commands of the page one after another; return what they say."""
        script = "\n".join(self.renamed(command) for command in commands)
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=self.folder,
            check=False,
            capture_output=True,
            text=True,
            timeout=600,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def token(self) -> str:
        return docker("exec", f"{self.prefix}-mcp", "cat", "token")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Generator[Site]:
    """The operator beside a recorded cluster; nothing of it is left afterwards."""
    if refused("image", "inspect", BASE):
        why = f"no image {BASE}: `scripts/images python` makes it"
        if os.environ.get("CI") == "true":
            pytest.fail(why)
        pytest.skip(why)
    prefix = f"opsai-test-operator-{os.getpid()}"
    folder = tmp_path_factory.mktemp("operator")
    one = Site(prefix, folder, "", "")
    try:
        subprocess.run(one.renamed(BUILD[0]), shell=True, cwd=ROOT, check=True, capture_output=True, timeout=900)
        docker("network", "create", prefix)
        settings = "".join(recorded_cluster(prefix))
        (folder / "opsai.toml").write_text(f"{settings}[watch]\ninterval_seconds = 2\n", encoding="utf-8")
        (folder / "opsai.toml").chmod(0o644)
        one.run(*START)
        for name in ("watch", "mcp"):
            healthy(f"{prefix}-{name}")
        yield Site(prefix, folder, url(f"{prefix}-watch", 9464), url(f"{prefix}-mcp", 8765))
    finally:
        for name in ("watch", "mcp", "cluster"):
            refused("rm", "--force", "--volumes", f"{prefix}-{name}")
        refused("volume", "rm", f"{prefix}-store")
        refused("network", "rm", prefix)
        refused("image", "rm", f"{prefix}:local")
    assert docker("ps", "--all", "--quiet", "--filter", f"name={prefix}") == ""
    assert docker("volume", "ls", "--quiet", "--filter", f"name={prefix}") == ""


def recorded_cluster(prefix: str) -> Iterator[str]:
    """Serve a recording in a container of the network; yield the settings by which the operator sees it."""
    script = ROOT / "tests" / "docker" / "recorded_cluster.py"
    mounted = ("--volume", f"{script}:/recorded_cluster.py:ro", "--no-healthcheck")
    where = ("--detach", "--name", f"{prefix}-cluster", "--network", prefix)
    docker("run", *where, *mounted, f"{prefix}:local", "python", "/recorded_cluster.py", "amber-heron", "+150s")
    with subprocess.Popen(
        ["docker", "logs", "--follow", f"{prefix}-cluster"], stdout=subprocess.PIPE, text=True
    ) as following:
        assert following.stdout is not None
        for line in following.stdout:
            if line == "# served\n":
                following.terminate()
                return
            yield line
    raise AssertionError("the recording is not served: " + docker("logs", f"{prefix}-cluster"))


def healthy(container: str) -> None:
    """Wait until the engine says that a container is well; fail with what it says where it has ended, or is not well in time."""

    def state() -> str:
        """Return how it is, once that will not change by itself."""
        found = docker("inspect", "--format", "{{.State.Status}} {{.State.Health.Status}}", container)
        return "" if found in ("running starting", "running unhealthy") else found

    assert until(state) == "running healthy", docker("logs", container)


def url(container: str, port: int) -> str:
    return f"http://{docker('port', container, f'{port}/tcp').splitlines()[0]}"


def test_it_is_no_root_writes_nowhere_but_to_its_folder_and_may_nothing(site: Site) -> None:
    shown = docker(
        "inspect",
        "--format",
        "{{.Config.User}} {{.HostConfig.ReadonlyRootfs}} {{.HostConfig.CapDrop}}",
        *(f"{site.prefix}-{name}" for name in ("watch", "mcp")),
    )
    tries = "touch /usr/here 2>/dev/null && echo wrote; touch /tmp/here && stat --format %a.%u.%n /var/lib/opsai/*"

    assert shown.splitlines() == ["10001:10001 true [ALL]"] * 2
    assert docker("exec", f"{site.prefix}-mcp", "sh", "-c", f"id --user; {tries}").splitlines() == [
        "10001",
        "600.10001./var/lib/opsai/opsai.sqlite",
        "600.10001./var/lib/opsai/opsai.sqlite-shm",
        "600.10001./var/lib/opsai/opsai.sqlite-wal",
        "600.10001./var/lib/opsai/token",
    ]


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_a_client_with_the_token_sees_the_cluster_and_the_ticket_that_the_other_service_raised(
    site: Site, mode: str
) -> None:
    headers = {"Authorization": f"Bearer {site.token()}"}
    async with (
        httpx2.AsyncClient(headers=headers, trust_env=False) as http,
        Client(streamable_http_client(f"{site.mcp}/mcp", http_client=http), mode=mode) as one,
    ):
        overview = (await one.call_tool("overview", {})).structured_content
        tickets = (await one.call_tool("tickets", {})).structured_content
        without = await http.post(f"{site.mcp}/mcp", json={}, headers={"Authorization": ""})

    assert overview is not None
    assert tickets is not None
    assert (overview["cluster"], overview["summary"]["healthy"], overview["summary"]["nodes"]) == ("recorded", False, 6)
    assert overview["watcher"]["last_at"] is not None
    assert ("store_up", "store:1") in [(one["invariant"], one["entity"]) for one in tickets["tickets"]]
    assert without.status_code == 401


def test_the_compose_file_of_the_page_is_one(tmp_path: Path) -> None:
    (snippet,) = re.findall(r"^```yaml\n(services:\n.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    (tmp_path / "compose.yaml").write_text(snippet, encoding="utf-8")
    command = ["docker", "compose", "--file", str(tmp_path / "compose.yaml"), "config", "--quiet"]
    token = {"OPSAI_HTTP_TOKEN": "canary-d41d8cd98f00b204"}

    done = subprocess.run(command, env=os.environ | token, check=False, capture_output=True, text=True)

    assert (done.returncode, done.stderr) == (0, "")


def test_both_tell_prometheus_what_they_do(site: Site) -> None:
    watch = httpx.get(f"{site.watch}/metrics", trust_env=False).text
    shown = {"Authorization": f"Bearer {site.token().strip()}"}
    without = httpx.get(f"{site.mcp}/metrics", trust_env=False).status_code
    mcp = httpx.get(f"{site.mcp}/metrics", headers=shown, trust_env=False).text

    violated = 'entity="store:1",invariant="store_up",severity="critical",subject="tikv",verdict="violated"} 1.0'
    assert violated in watch
    assert re.search(r'opsai_ticket_open\{cluster="recorded",entity="store:1",invariant="store_up",.*\} 1\.0', watch)
    assert 'opsai_mcp_http_requests_total{path="/healthz",status="200"}' in mcp
    assert without == 401


def test_the_commands_of_the_page_look_at_it_and_stop_it_within_ten_seconds(site: Site) -> None:
    token = site.token()
    said = site.run(*LOOK)
    ends = [
        docker("inspect", "--format", "{{.State.ExitCode}} {{.State.OOMKilled}}", f"{site.prefix}-{name}")
        for name in ("watch", "mcp")
    ]
    both = ["docker", "logs", f"{site.prefix}-mcp"]
    log = subprocess.run(both, check=True, capture_output=True, text=True)

    assert said.startswith("healthy\nhealthy\n")
    assert "store:1" in said
    assert token in said
    assert ends == ["0 false", "0 false"]  # 137 would be the engine's kill after ten seconds
    assert token not in log.stdout + log.stderr
    assert "Traceback" not in log.stderr
