"""Which addresses and ports processes get."""

import socket
from pathlib import Path

import pytest

from opsai_lab.errors import LabError
from opsai_lab.targets.blueprint import read_blueprint
from opsai_lab.targets.processes.seats import can_bind, choose_seats, with_groups
from tests.lab.places import COMPOSE

ETCD = read_blueprint(COMPOSE / "etcd")


ONE = Path("/lab/one")


def free(address: str, port: int) -> str:
    return ""


def test_a_place_gets_the_same_addresses_each_time_and_one_of_that_name_elsewhere_others() -> None:
    first, again, other = (choose_seats(Path(name), ETCD, free) for name in ("/lab/a", "/lab/a", "/home/lab/a"))

    assert first == again
    assert not {seat.address for seat in first.seats.values()} & {seat.address for seat in other.seats.values()}
    assert all(seat.address.startswith("127.7") for seat in first.seats.values())
    assert all(seat.ports == {"client": 2379, "peer": 2380} for seat in first.seats.values())


def test_a_block_where_a_port_is_taken_is_left_for_the_next() -> None:
    wanted = choose_seats(ONE, ETCD, free).seats["etcd2"].address
    taken = choose_seats(ONE, ETCD, lambda address, port: "it is in use" if (address, port) == (wanted, 2380) else "")

    assert wanted not in {seat.address for seat in taken.seats.values()}


def test_a_port_taken_on_all_addresses_is_named_with_what_to_do() -> None:
    with pytest.raises(LabError, match=r"cannot listen on 127\.7\d\.\d+\.1:2379: it is in use.*--blueprint"):
        choose_seats(ONE, ETCD, lambda address, port: "it is in use" if port == 2379 else "")


def test_where_only_one_address_exists_the_nodes_differ_by_port() -> None:
    def as_on_macos(address: str, port: int) -> str:
        return "Can't assign requested address" if address != "127.0.0.1" else "it is in use" if port == 2379 else ""

    layout = choose_seats(ONE, ETCD, as_on_macos)

    ports = [port for seat in layout.seats.values() for port in seat.ports.values()]
    assert not layout.own_addresses
    assert {seat.address for seat in layout.seats.values()} == {"127.0.0.1"}
    assert len(set(ports)) == 6
    assert 2379 not in ports


def test_each_node_has_a_group_of_its_own() -> None:
    groups = with_groups(ONE, choose_seats(ONE, ETCD, free)).groups

    assert len(set(groups.values())) == 3
    assert all(1_900_000_000 < group < 2_100_000_000 for group in groups.values())


def test_a_port_that_somebody_listens_on_is_in_use(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        assert can_bind("127.0.0.1", held.getsockname()[1]) == "it is in use"
