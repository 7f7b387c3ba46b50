"""What Docker says when something is wrong, as a sentence for the person who has to act on it."""

import re
from collections.abc import Callable, Mapping

from opsai_subjects.model import clean

NO_PROGRAM = (
    "There is no program `docker` on PATH. Install Docker Engine or Docker Desktop with Compose 2 or newer, or use "
    "`--target processes`."
)
NO_COMPOSE = (
    "`docker compose` does not work here: Compose 2 or newer is missing (on Debian and Ubuntu from Docker's own repository: "
    "docker-compose-plugin; Docker Desktop brings it)."
)
_WORST_FIRST = re.compile(r"error|fail|denied|cannot|no space|invalid|refused", re.IGNORECASE)

Explain = Callable[[re.Match[str], Mapping[str, str]], str]


def explained(doing: str, said: str, settable: Mapping[str, str] | None = None) -> str:
    """Return what went wrong while `doing` something, what Docker said to it, and what to do.

    `settable` maps a value that stands in compose.yaml (a port, a subnet's beginning) to the environment variable that sets it.
    """
    for pattern, explain in _KNOWN:
        if found := re.search(pattern, said, re.IGNORECASE):
            return f"{doing} failed: {explain(found, settable or {})}"
    return f"{doing} failed, and Docker says: {_last(said)}"


def _last(said: str) -> str:
    """Return the line that tells most: the last one that speaks of an error, else the last."""
    written = [line for line in (clean(line).strip() for line in said.splitlines()) if line]
    telling = [line for line in written if _WORST_FIRST.search(line)]
    return clean((telling or written or ["nothing"])[-1], 500)


def _set(port: str, settable: Mapping[str, str]) -> str:
    """Return how a port is changed: it stands in the file whole, or as a beginning that all ports have."""
    if port in settable:
        return f"set ${settable[port]} to another port"
    for value, name in settable.items():
        if "PORTS" in name and value and port.startswith(value):
            return f"set ${name} to another beginning of all its ports (now {value})"
    return "change the port in compose.yaml"


def _taken(found: re.Match[str], settable: Mapping[str, str]) -> str:
    port = found["port"]
    return (
        f"port {port} of this machine is taken by another program or container (`docker ps` and `ss -ltnp` show which). "
        f"End that, or {_set(port, settable)}."
    )


def _overlap(_found: re.Match[str], settable: Mapping[str, str]) -> str:
    variable = next((name for value, name in settable.items() if re.fullmatch(r"\d+\.\d+\.\d+", value)), None)
    how = f"set ${variable} to the first three numbers of another" if variable else "change the subnet in compose.yaml"
    return (
        "its subnet overlaps with that of another Docker network or cluster (`docker network ls`, `docker network inspect`). "
        f"Take that away, or {how}."
    )


_KNOWN: tuple[tuple[str, Explain], ...] = (
    (
        r"permission denied while trying to connect|dial unix (?P<socket>\S+): connect: permission denied",
        lambda _found, _settable: (
            "this user may not use Docker's socket. Run it as a user of the group docker (`sudo usermod -aG docker $USER`, then "
            "log in anew), or as root."
        ),
    ),
    (
        r"'compose' is not a docker command|unknown shorthand flag: 'f' in -f|unknown flag: --(?:file|project-name)",
        lambda _found, _settable: NO_COMPOSE,
    ),
    (
        r"no space left on device",
        lambda _found, _settable: (
            "the disk that Docker writes to is full. `docker system df` shows what takes the room, `docker info` where it is "
            "(Docker Root Dir)."
        ),
    ),
    (r":(?P<port>\d+) failed: port is already allocated", _taken),
    (r":(?P<port>\d+): bind: (?:address already in use|only one usage|.*forbidden)", _taken),
    (r"ports are not available:.*?:(?P<port>\d+)(?: |/)", _taken),
    (r"pool overlaps with other one|invalid pool request|address space overlaps", _overlap),
    (
        r"could not find an available, non-overlapping|all predefined address pools have been fully subnetted",
        lambda _found, _settable: (
            "Docker has no subnet left to give; `docker network ls` shows who holds them, `docker network rm` frees one."
        ),
    ),
    (
        r"required variable (?P<name>\w+) is missing",
        lambda found, _settable: f"compose.yaml needs the environment variable ${found['name']}, which is not set.",
    ),
    # last: what fails beside another failure is told by Compose as an error during connect, too (seen with Compose 5.6)
    (
        (
            r"(?:cannot connect to the docker daemon|failed to connect to the docker api) at (?P<where>[^\s;]+?)[.;]?(?=\s|$)"
            r"|error during connect"
        ),
        lambda found, _settable: (
            f"no Docker daemon answers{' at ' + found['where'] if found['where'] else ''}. Start it (Docker Desktop, or "
            "`systemctl start docker`), or set $DOCKER_HOST to the one meant."
        ),
    ),
)


def unpullable(image: str, said: str, settable: Mapping[str, str]) -> str:
    """Return why an image cannot be had."""
    for pattern, explain in _KNOWN:
        if found := re.search(pattern, said, re.IGNORECASE):
            return f"Pulling {image} failed: {explain(found, settable)}"
    variable = settable.get(image) or settable.get(image.rpartition(":")[2])
    other = f"; ${variable} names another" if variable else ""
    return (
        f"The image {image} is not on this machine and cannot be pulled: {_last(said).rstrip('.')}. Check the name and the way to its registry "
        f"(`docker pull {image}`){other}. In a checkout `scripts/images` makes stand-ins from Debian's packages."
    )
