"""A node's disk made slow, through the cgroup of its container, or full, with ballast; both by a container of the tools image.

Slow: `blkio.throttle.write_iops_device` (cgroup 1) or `io.max` (cgroup 2) of the device below the node's volume. It holds for writes
that are waited for (fsync), which is what a database waits for.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from opsai_lab.errors import HarmRefused, LabError
from opsai_lab.targets.docker.containers import Container
from opsai_lab.targets.docker.engine import Engine
from opsai_lab.targets.docker.partition import table_name
from opsai_lab.targets.harm import Harm

_SLOW_WRITES = 20
_SMALL_BYTES = 4 * 1024**3
_REFUSED = "refused: "

# $1: the container's id; $2: a folder on the device; $3: writes a second, 0 for no limit
_THROTTLE = r"""
device=$(stat --format=%Hd:%Ld "$2")
at=/sys/dev/block/$device
[ -e "$at" ] || { echo "refused: $2 is on a $(stat --file-system --format=%T "$2"), which is no disk of the engine's machine"; exit 0; }
[ -e "$at/partition" ] && device=$(cat "$at/../dev")
old=$(find /cgroups/blkio -type d -name "*$1*" 2>/dev/null | head -n 1)
new=$(find /cgroups -type d -name "*$1*" -not -path '/cgroups/*/docker/*/*' 2>/dev/null | head -n 1)
if [ -n "$old" ]; then
  echo "$device $3" >"$old/blkio.throttle.write_iops_device" 2>/dev/null || echo "refused: the engine's cgroups cannot be written"
elif [ -e "$new/io.max" ]; then
  [ "$3" = 0 ] && limit=max || limit=$3
  echo "$device wiops=$limit" >"$new/io.max" 2>/dev/null || echo "refused: $new/io.max cannot be written"
else
  echo "refused: the engine's machine has no cgroup that limits a container's writes"
fi
"""

# $1: a folder; $2: the ballast's name; $3: bytes left free; $4: the largest file system that is filled
_FILL = r"""
read -r size free unit <<<"$(stat --file-system --format='%b %a %S' "$1")"
if [ $((size * unit)) -gt "$4" ]; then
  echo "refused: its data shares a file system of $((size * unit / 1024 / 1024)) MiB with everything else on the engine's machine"
  exit 0
fi
room=$((free * unit - $3))
[ "$room" -le 0 ] || head --bytes="$room" /dev/zero >>"$1/$2" 2>/dev/null || true
"""


@dataclass(frozen=True)
class Disk:
    """Where a node's data is."""

    container: Container
    folder: str
    """In the container."""


def disk_of(container: Container, others: Iterable[Container]) -> Disk:
    """Return the disk of a node: its first volume that no other node writes to. Raises LabError when it has none."""
    shared = {name for other in others if other.id != container.id for name in other.volumes}
    for name, folder in sorted(container.volumes.items()):
        if name not in shared:
            return Disk(container, folder)
    raise LabError(
        f"{container.service} has no volume of its own in compose.yaml: its data has no disk that could be meant."
    )


async def throttle(engine: Engine, disk: Disk, writes_per_second: float | None) -> None:
    """Let its node write so many times a second. Raises HarmRefused where the engine's machine does not let us."""
    limit = round(_SLOW_WRITES if writes_per_second is None else writes_per_second)
    if limit < 1:
        raise HarmRefused(f"slow_disk takes 1 write a second at least; {writes_per_second:g} was asked.")
    await _limit(engine, disk, limit)


async def release(engine: Engine, disk: Disk) -> None:
    """Take the limit away."""
    await _limit(engine, disk, 0)


async def _limit(engine: Engine, disk: Disk, limit: int) -> None:
    words = [_THROTTLE, "throttle", disk.container.id, disk.folder, str(limit)]
    cgroups = {"/sys/fs/cgroup": "/cgroups"}
    await _run(engine, disk, f"Limiting the writes of {disk.container.service}", words, folders=cgroups)


async def fill(engine: Engine, disk: Disk, harm: Harm) -> None:
    """Fill it. Raises HarmRefused where it is not a small one of its own."""
    left = 0 if harm.amount is None else round(harm.amount)
    words = [_FILL, "fill", disk.folder, _ballast(harm), str(left), str(_SMALL_BYTES)]
    await _run(engine, disk, f"Filling the disk of {disk.container.service}", words)


async def empty(engine: Engine, disk: Disk, harm: Harm) -> None:
    """Take the ballast away."""
    words = ['rm --force "$1/$2"', "empty", disk.folder, _ballast(harm)]
    await _run(engine, disk, f"Emptying the disk of {disk.container.service}", words)


async def _run(
    engine: Engine, disk: Disk, doing: str, words: list[str], folders: Mapping[str, str] | None = None
) -> None:
    said = await engine.with_tools(
        doing, ["bash", "-c", *words], volumes_of=disk.container, folders=folders, capabilities=["DAC_OVERRIDE"]
    )
    for line in said.splitlines():
        if line.startswith(_REFUSED):
            raise HarmRefused(f"{doing} cannot be done here: {line.removeprefix(_REFUSED)}.")


def _ballast(harm: Harm) -> str:
    return f".{table_name(harm.id)}-ballast"
