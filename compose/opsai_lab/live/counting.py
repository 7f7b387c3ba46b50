"""The bench of live runs as a person runs it: what goes on is told, a table at the end, every run in a file."""

import json
from collections.abc import Sequence
from contextlib import aclosing
from pathlib import Path

from opsai_lab.live.bench import Ran, Wanted, bench, faults_of, wanted_targets
from opsai_lab.live.haste import Haste
from opsai_lab.live.table import as_json, table
from opsai_lab.targets.blueprints import find_blueprint, shipped_folders
from opsai_lab.targets.folder import write_whole
from opsai_lab.targets.target import Tell


async def count(
    subject: str | None,
    targets: Sequence[str],
    faults: Sequence[str],
    times: int,
    interval_seconds: float,
    json_file: Path,
    tell: Tell,
    *,
    keep: bool,
) -> tuple[Ran, ...]:
    """Run each fault on each target so often and return every run; the file has those that ended, whatever stops it.

    Without a subject it is the first that ships. Raises OpsaiError.
    """
    blueprint = find_blueprint(subject or shipped_folders()[0].name)
    haste = Haste(interval_seconds=interval_seconds, limits=blueprint.demo_limits)
    wanted = Wanted(blueprint, wanted_targets(targets), faults_of(blueprint, faults), times, haste, keep=keep)
    tell(haste.says())
    runs: list[Ran] = []
    async with aclosing(bench(wanted, tell)) as running:
        async for ran in running:
            runs.append(ran)
            write_whole(json_file, json.dumps(as_json(runs, blueprint.subject, wanted.backend), indent=1) + "\n")
    tell(table(runs))
    tell(f"Written to {json_file}.")
    return tuple(runs)
