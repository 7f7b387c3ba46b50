"""What cuts a node off, as nft reads it. That it does so is shown on containers (tests/docker)."""

import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsai_lab.targets.docker.partition import cutting, joining, table_name
from opsai_lab.targets.harm import Harm

HARMS = [
    Harm(id="h1", name="partition", node="etcd1"),
    Harm(id="h2", name="partition", node="etcd1", apart_from=("etcd2", "etcd3")),
    Harm(id="h3", name="partition", node="etcd1", ports=(2379, 2380), direction="in"),
    Harm(id="h4", name="partition", node="etcd1", apart_from=("etcd2",), ports=(2380,), direction="out"),
]


def test_a_node_cut_off_from_everyone_keeps_its_loopback() -> None:
    script = cutting(HARMS[0], ())

    assert "iif lo accept\n    drop" in script
    assert "oif lo accept\n    drop" in script


def test_a_node_cut_off_from_others_drops_what_has_their_addresses_and_nothing_else() -> None:
    script = cutting(HARMS[1], ("10.0.0.2", "fd00::2"))

    assert "ip saddr { 10.0.0.2 } drop" in script
    assert "ip6 daddr { fd00::2 } drop" in script
    assert "    drop" not in script


def test_a_port_is_the_nodes_own_whichever_way_the_packets_go() -> None:
    both = Harm(id="h5", name="partition", node="etcd1", ports=(2379,))

    assert "tcp dport { 2379 } drop" in cutting(both, ())
    assert "tcp sport { 2379 } drop" in cutting(both, ())


@pytest.mark.parametrize(("direction", "kept", "gone"), [("in", "input", "output"), ("out", "output", "input")])
def test_one_way_is_one_chain(direction: str, kept: str, gone: str) -> None:
    script = cutting(
        Harm.model_validate({"id": "h6", "name": "partition", "node": "etcd1", "direction": direction}), ()
    )

    assert f"hook {kept}" in script
    assert f"hook {gone}" not in script


@given(st.text(min_size=1), st.text(min_size=1))
def test_two_harms_have_two_tables_whatever_their_ids_are(one: str, other: str) -> None:
    assert (table_name(one) == table_name(other)) == (one == other)
    assert table_name(one).isascii()
    assert table_name(one).isidentifier()


@pytest.mark.root
@pytest.mark.parametrize("harm", HARMS, ids=lambda harm: harm.id)
def test_nft_takes_every_script(harm: Harm) -> None:
    nft = shutil.which("nft")
    assert nft is not None

    for script in (cutting(harm, ("10.0.0.2", "fd00::2")), joining(harm)):
        done = subprocess.run([nft, "--check", script], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
