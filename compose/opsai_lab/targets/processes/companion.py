"""Debian's (or any) Prometheus beside the nodes, where there is one: it scrapes them all."""

from collections.abc import Sequence
from pathlib import Path

import orjson

from opsai_lab.targets.folder import write_whole
from opsai_lab.targets.processes.binaries import find_binary
from opsai_lab.targets.processes.lives import Lives
from opsai_lab.targets.processes.plan import PlannedProcess
from opsai_lab.targets.processes.seats import Seat

NAME = "prometheus"
SCRAPE_SECONDS = 5


def prometheus_url(seat: Seat) -> str:
    """Return where it answers."""
    return f"http://{seat.address}:{seat.ports['http']}"


def prometheus_config(processes: Sequence[PlannedProcess]) -> str:
    """Return its configuration, a job for each role, as JSON, which is YAML."""
    roles = dict.fromkeys(process.role for process in processes if process.metrics)
    jobs = [
        {
            "job_name": role,
            "static_configs": [
                {"targets": [process.metrics for process in processes if process.role == role and process.metrics]}
            ],
        }
        for role in roles
    ]
    whole = {
        "global": {"scrape_interval": f"{SCRAPE_SECONDS}s", "scrape_timeout": f"{SCRAPE_SECONDS - 1}s"},
        "scrape_configs": jobs,
    }
    return orjson.dumps(whole, option=orjson.OPT_INDENT_2).decode() + "\n"


async def start_prometheus(processes: Sequence[PlannedProcess], seat: Seat, folder: Path, lives: Lives) -> bool:
    """Start it; False when there is no such program or nothing to scrape."""
    program = find_binary(NAME)
    if program is None or not any(process.metrics for process in processes):
        return False
    config = folder / NAME / "prometheus.yml"
    write_whole(config, prometheus_config(processes))
    arguments = (
        f"--config.file={config}",
        f"--storage.tsdb.path={folder / NAME / 'data'}",
        "--storage.tsdb.retention.time=1d",
        f"--web.listen-address={seat.address}:{seat.ports['http']}",
    )
    await lives.start(NAME, (str(program), *arguments), prometheus_log(folder))
    return True


def prometheus_log(folder: Path) -> Path:
    """Return what it prints."""
    return folder / "logs" / f"{NAME}.log"


def ready_url(seat: Seat) -> str:
    """Return the URL that answers 200 once it serves."""
    return f"{prometheus_url(seat)}/-/ready"
