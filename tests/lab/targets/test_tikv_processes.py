"""compose/tikv as processes, with stand-ins for PD and TiKV in tiup's folder: the order, the flags and the log files, not the programs."""

import sys
from pathlib import Path

import pytest

from opsai_lab.targets.blueprint import read_blueprint
from opsai_lab.targets.processes.target import Processes
from opsai_lab.targets.target import Place
from tests.lab.places import COMPOSE, silent, unique_name

pytestmark = pytest.mark.anyio

STAND_IN = """#!{python}
import http.server, sys
flags = dict(word[2:].split("=", 1) for word in sys.argv[1:])
asked = "/pd/api/v1/leader" if "client-urls" in flags else "/status"
where = flags.get("client-urls", "http://" + flags.get("status-addr", ""))
host, port = where.removeprefix("http://").split(":")
open(flags["config"]).read()
open(flags["log-file"], "w").write("serving " + where + "\\n")
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == asked else 404)
        self.end_headers()
    def log_message(self, *words): pass
http.server.HTTPServer((host, int(port)), Handler).serve_forever()
"""


@pytest.fixture
def tiup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the stand-ins where tiup would put the programs."""
    monkeypatch.setenv("TIUP_HOME", str(tmp_path / "tiup"))
    monkeypatch.setenv("PATH", str(tmp_path))
    for component, program in (("pd", "pd-server"), ("tikv", "tikv-server")):
        path = tmp_path / "tiup" / "components" / component / "v8.5.4" / program
        path.parent.mkdir(parents=True)
        path.write_text(STAND_IN.replace("{python}", sys.executable), encoding="utf-8")
        path.chmod(0o755)


@pytest.mark.usefixtures("tiup")
async def test_the_stores_start_once_pd_knows_a_leader_and_log_to_files_of_their_own(tmp_path: Path) -> None:
    name = unique_name()
    place = Place(name, tmp_path / name, read_blueprint(COMPOSE / "tikv"), wait_seconds=60, companions=False)
    target = Processes(place)
    told: list[str] = []
    try:
        await target.up(told.append)
        states = [one.state for one in await target.status()]
        cluster = (await target.endpoints()).cluster
        log = [line async for line in target.logs("tikv2", lines=5, follow=False)]
    finally:
        await target.down(silent)

    did = [" ".join(line.split()[:3]) for line in told]
    last_member = max(at for at, line in enumerate(did) if line in {f"pd{n} is healthy" for n in (1, 2, 3)})
    first_store = min(at for at, line in enumerate(told) if line.startswith("starting tikv"))
    assert last_member < first_store
    assert states == ["running"] * 6
    assert [url.rpartition(":")[2] for url in cluster.endpoints] == ["2379"] * 3
    assert sorted(set(cluster.names.values())) == ["pd1", "pd2", "pd3", "tikv1", "tikv2", "tikv3"]
    assert len(log) == 1
    assert log[0].endswith(":20180")
