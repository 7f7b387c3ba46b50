"""Cutting nodes off from each other on one machine: nftables rules on the loopback interface.

All processes share the address 127.0.0.1 as the source of what they open, so an address does not tell who sends. Instead each
node runs with a group id of its own, and the kernel's connection tracking remembers which group opened a connection: a packet
is from the opener to an address of ours, or back from that address to the opener. Tried with Linux 6.18 and nftables 1.0.6.

What is dropped: packets between the node and those it is cut off from, on connections either of them opened, old and new;
what a node says to itself is let through. What is not: anything outside the loopback interface, and nothing is answered with a
reset: senders see silence, as on a cut cable. Whoever runs without a group of ours (opsai, Prometheus, a client) is one party,
`everyone`, and cannot be told apart further.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import anyio

from opsai_lab.errors import LabError
from opsai_lab.targets.harm import Harm
from opsai_lab.targets.processes.seats import Layout, place_number
from opsai_lab.targets.target import Place

NEEDS = "needs root and nftables on Linux"


def can_tell_apart() -> bool:
    """Whether processes can be given group ids of their own here: root, and outside a user namespace that has few."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return False
    lines = Path("/proc/self/gid_map").read_text(encoding="ascii").splitlines()
    return any(int(line.split()[0]) == 0 and int(line.split()[2]) > 2_100_000_000 for line in lines)


def nft_program() -> str | None:
    """Return where `nft` is; None when it is not installed."""
    return shutil.which("nft") or shutil.which("nft", path="/usr/sbin:/sbin")


def table_name(place: Place) -> str:
    """Return the name of a place's table, the only one it ever touches: `opsai_etcd_1f2e3d4c`."""
    name = place.name.removeprefix("opsai-").replace("-", "_")
    return f"opsai_{name}_{place_number(place.folder):08x}"


def base_script(place: Place, layout: Layout) -> str:
    """Return what makes the place's table, which drops nothing: it notes on each connection who opened it. May be run again."""
    table = table_name(place)
    chain = f"ip {table} openers"
    return "\n".join(
        (
            f"add table ip {table}",
            f"add chain {chain} {{ type filter hook output priority -10; }}",
            f"flush chain {chain}",
            *(
                f'add rule {chain} oif "lo" ct direction original meta skgid {group} ct mark set {group}'
                for group in layout.groups.values()
            ),
        )
    )


def cut_script(place: Place, layout: Layout, harm: Harm) -> str:
    """Return what does a partition: a chain of its own that drops. May be run again."""
    chain = f"ip {table_name(place)} {_chain_name(harm)}"
    return "\n".join(
        (
            base_script(place, layout),
            f"add chain {chain} {{ type filter hook output priority 10; }}",
            f"flush chain {chain}",
            *(f'add rule {chain} oif "lo" {match} drop' for match in matches(layout, harm)),
        )
    )


def mend_script(place: Place, harm: Harm) -> str:
    """Return what takes the chain of a partition away. May be run again."""
    chain = f"ip {table_name(place)} {_chain_name(harm)}"
    return "\n".join(
        (
            f"add table ip {table_name(place)}",
            f"add chain {chain} {{ type filter hook output priority 10; }}",
            f"flush chain {chain}",
            f"delete chain {chain}",
        )
    )


def matches(layout: Layout, harm: Harm) -> tuple[str, ...]:
    """Return which packets a partition drops, as nftables expressions. With ports only connections to these ports of the node."""
    node = layout.groups[harm.node]
    address = layout.seats[harm.node].address
    if harm.apart_from is None:
        opener, place = f"!= {node}", f"!= {address}"
    else:
        opener = _set(str(layout.groups[other]) for other in harm.apart_from)
        place = _set(layout.seats[other].address for other in harm.apart_from)
    ports = _set(str(port) for port in harm.ports)
    sent_to = f"tcp dport {ports} " if harm.ports else ""
    sent_from = f"tcp sport {ports} " if harm.ports else ""
    inward = [f"{sent_to}ct direction original ct mark {opener} ip daddr {address}"]
    outward = [f"{sent_from}ct direction reply ct mark {opener} ip saddr {address}"]
    if not harm.ports:
        inward.append(f"ct direction reply ct mark {node} ip saddr {place}")
        outward.append(f"ct direction original ct mark {node} ip daddr {place}")
    return (*(inward if harm.direction != "out" else ()), *(outward if harm.direction != "in" else ()))


async def run_script(script: str) -> None:
    """Run nftables commands as one transaction: all or none. Raises LabError with nft's own words."""
    nft = nft_program()
    if nft is None:
        raise LabError(f"There is no nft on PATH: a partition {NEEDS}.")
    done = await anyio.run_process([nft, "-f", "-"], input=script.encode(), check=False, stderr=subprocess.STDOUT)
    if done.returncode:
        said = done.stdout.decode("utf-8", "replace").strip().splitlines()
        raise LabError(f"nft refused the packet filter: {said[0] if said else 'no reason given'}. A partition {NEEDS}.")


async def remove_table(place: Place) -> None:
    """Remove the place's table and all that it drops; nothing happens when there is none, or no nft."""
    if nft_program() is not None and os.geteuid() == 0:
        await run_script(f"add table ip {table_name(place)}\ndelete table ip {table_name(place)}")


def _set(members: Iterable[str]) -> str:
    return f"{{ {', '.join(members)} }}"


def _chain_name(harm: Harm) -> str:
    return "harm_" + "".join(ch if ch.isalnum() else "_" for ch in harm.id)
