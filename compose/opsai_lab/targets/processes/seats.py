"""Which loopback address and ports each process gets: chosen from where the place is kept, and free."""

import errno
import socket
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path

from pydantic import Field

from opsai_lab.errors import LabError
from opsai_lab.targets.blueprint import Blueprint
from opsai_subjects.model import Value

BLOCKS = 16
"""How many blocks of addresses are tried before a port counts as taken everywhere."""
COMPANION_HOST = 250
PROMETHEUS_PORT = 9090
FIRST_GROUP = 1_900_000_000
"""Process groups ids of nodes (gid, not pgid) begin here: no distribution hands out such numbers."""

CanBind = Callable[[str, int], str]
"""Takes address and port; returns why it cannot be bound, empty when it can."""


class Seat(Value):
    """Where one process listens."""

    address: str
    ports: dict[str, int]


class Layout(Value):
    """What was decided for a place before anything was started: written first, so that everything can be found again."""

    seats: dict[str, Seat]
    prometheus: Seat | None = None
    own_addresses: bool = True
    """False where only 127.0.0.1 exists (macOS without aliases): the nodes then differ by port."""
    groups: dict[str, int] = Field(default_factory=dict[str, int])
    """Node to the group id its process runs with, by which packets are told apart; empty when not root."""


def place_number(folder: Path) -> int:
    """Return a number by which what the whole machine shares (addresses, groups, packet filters) is told apart between places.

    By the folder, not the name: two users, or two homes of one, may each have an `opsai-etcd`.
    """
    return zlib.crc32(str(folder).encode())


def choose_seats(folder: Path, blueprint: Blueprint, can_bind: CanBind) -> Layout:
    """Return addresses and ports for the nodes and for Prometheus. Raises LabError naming the port that is taken and why.

    Each node has an address of its own in 127.70.0.0 to 127.79.255.0, the block chosen by the place's folder, and the ports of
    the blueprint; where only 127.0.0.1 can be bound, that address and other ports.
    """
    start = place_number(folder)
    if can_bind(f"127.{70 + start % 10}.{start // 10 % 256}.1", 0):
        return _one_address(blueprint, can_bind)
    refused = ""
    for attempt in range(BLOCKS):
        number = start + attempt
        seats = {
            node.name: Seat(address=_address(number, host), ports=dict(blueprint.roles[node.role].ports))
            for host, node in enumerate(blueprint.nodes, 1)
        }
        prometheus = Seat(address=_address(number, COMPANION_HOST), ports={"http": PROMETHEUS_PORT})
        refused = _refused({**seats, "prometheus": prometheus}, can_bind)
        if not refused:
            return Layout(seats=seats, prometheus=prometheus)
    raise LabError(
        f"{refused}, and so on every other loopback address that was tried. Something listens on that port of all addresses: "
        "stop it, or give the nodes other ports in a blueprint of your own (--blueprint DIR)."
    )


def with_groups(folder: Path, layout: Layout) -> Layout:
    """Return the layout with a group id for each node, chosen by the place's folder."""
    first = FIRST_GROUP + place_number(folder) % 1_000_000 * 100
    return layout.model_copy(update={"groups": {node: first + at for at, node in enumerate(layout.seats, 1)}})


def can_bind(address: str, port: int) -> str:
    """Return why this machine does not let us listen there, empty when it does."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError as error:
            return "it is in use" if error.errno == errno.EADDRINUSE else error.strerror or str(error)
    return ""


def _address(number: int, host: int) -> str:
    return f"127.{70 + number % 10}.{number // 10 % 256}.{host}"


def _refused(seats: Mapping[str, Seat], can_bind: CanBind) -> str:
    for name, seat in seats.items():
        for port in seat.ports.values():
            if why := can_bind(seat.address, port):
                return f"{name} cannot listen on {seat.address}:{port}: {why}"
    return ""


def _one_address(blueprint: Blueprint, can_bind: CanBind) -> Layout:
    taken: set[int] = set()

    def free(wanted: int) -> int:
        for port in range(wanted, min(wanted + 1000, 65536)):
            if port not in taken and not can_bind("127.0.0.1", port):
                taken.add(port)
                return port
        raise LabError(f"No port of 127.0.0.1 from {wanted} on is free.")

    seats = {
        node.name: Seat(
            address="127.0.0.1", ports={name: free(port) for name, port in blueprint.roles[node.role].ports.items()}
        )
        for node in blueprint.nodes
    }
    prometheus = Seat(address="127.0.0.1", ports={"http": free(PROMETHEUS_PORT)})
    return Layout(seats=seats, prometheus=prometheus, own_addresses=False)
