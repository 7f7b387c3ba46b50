"""What a partition drops. Pure; that the kernel does so is tried in test_real_harm."""

from pathlib import Path

from opsai_lab.targets.blueprint import read_blueprint
from opsai_lab.targets.harm import Harm
from opsai_lab.targets.processes.packets import cut_script, matches, mend_script, table_name
from opsai_lab.targets.processes.seats import choose_seats, with_groups
from opsai_lab.targets.target import Place
from tests.lab.places import COMPOSE

PLACE = Place("opsai-my-lab", Path("/lab/opsai-my-lab"), read_blueprint(COMPOSE / "etcd"))
LAYOUT = with_groups(PLACE.folder, choose_seats(PLACE.folder, PLACE.blueprint, lambda address, port: ""))
GROUPS = LAYOUT.groups
ADDRESSES = {name: seat.address for name, seat in LAYOUT.seats.items()}


def dropped(**how: object) -> tuple[str, ...]:
    return matches(LAYOUT, Harm.model_validate({"id": "h1", "name": "partition", "node": "etcd1", **how}))


def test_cut_off_from_everyone_both_directions_of_both_openers_are_dropped_and_itself_is_let_through() -> None:
    own, address = GROUPS["etcd1"], ADDRESSES["etcd1"]

    assert set(dropped()) == {
        f"ct direction original ct mark != {own} ip daddr {address}",
        f"ct direction reply ct mark {own} ip saddr != {address}",
        f"ct direction reply ct mark != {own} ip saddr {address}",
        f"ct direction original ct mark {own} ip daddr != {address}",
    }


def test_a_pair_names_only_the_two() -> None:
    rules = dropped(apart_from=("etcd2",))

    assert len(rules) == 4
    assert all(str(GROUPS["etcd2"]) in rule or ADDRESSES["etcd2"] in rule for rule in rules)
    assert not any(str(GROUPS["etcd3"]) in rule or ADDRESSES["etcd3"] in rule for rule in rules)


def test_one_way_is_half_of_both_ways() -> None:
    both, out, inward = (set(dropped(direction=way)) for way in ("both", "out", "in"))

    assert out | inward == both
    assert not out & inward


def test_a_port_is_the_nodes_own_and_its_own_connections_stay() -> None:
    assert dropped(ports=(2380,)) == (
        f"tcp dport {{ 2380 }} ct direction original ct mark != {GROUPS['etcd1']} ip daddr {ADDRESSES['etcd1']}",
        f"tcp sport {{ 2380 }} ct direction reply ct mark != {GROUPS['etcd1']} ip saddr {ADDRESSES['etcd1']}",
    )


def test_only_the_places_own_table_is_ever_named() -> None:
    harm = Harm(id="h1", name="partition", node="etcd1")

    lines = (cut_script(PLACE, LAYOUT, harm) + "\n" + mend_script(PLACE, harm)).splitlines()

    assert all(f" ip {table_name(PLACE)}" in line for line in lines)
    assert not any("flush ruleset" in line for line in lines)
