"""Packet filters that cut a node off, in the node's own network: one nft table a harm, named after it.

The table lives as long as the node's network does: a container that stops, and is started again, has lost it.
"""

import re
from collections.abc import Sequence
from ipaddress import ip_address

from opsai_lab.targets.harm import Harm

_BEFORE_ALL = -300


def table_name(harm_id: str) -> str:
    """Return the name of a harm's table: letters, digits and underscores, another one for each id."""
    return "opsai_" + re.sub(r"[^a-zA-Z0-9]", lambda found: f"_{ord(found[0]):x}_", harm_id)


def cutting(harm: Harm, addresses: Sequence[str]) -> str:
    """Return the nft commands that do the harm: the harm's table is put in place of whatever had its name, at once or not at all.

    `addresses` are those of the nodes it is cut off from; they are read only where `apart_from` names nodes.
    """
    name = table_name(harm.id)
    peers = None if harm.apart_from is None else tuple(addresses)
    chains: list[str] = []
    if harm.direction in ("both", "in"):
        chains.append(_chain("input", "iif", "saddr", "dport", peers, harm.ports))
    if harm.direction in ("both", "out"):
        chains.append(_chain("output", "oif", "daddr", "sport", peers, harm.ports))
    return f"table inet {name} {{ }}\ndelete table inet {name}\ntable inet {name} {{\n{''.join(chains)}}}\n"


def joining(harm: Harm) -> str:
    """Return the nft commands that undo it, whether the table is there or not."""
    name = table_name(harm.id)
    return f"table inet {name} {{ }}\ndelete table inet {name}\n"


def _chain(hook: str, interface: str, end: str, port: str, peers: tuple[str, ...] | None, ports: Sequence[int]) -> str:
    """Return a chain that sees each packet before connection tracking and Docker's own rules, and spares the loopback."""
    of_port = f"tcp {port} {{ {', '.join(map(str, ports))} }} " if ports else ""
    rules = [f"{interface} lo accept"]
    if peers is None:
        rules.append(f"{of_port}drop")
    for version, family in ((4, "ip"), (6, "ip6")):
        of_family = [address for address in peers or () if ip_address(address).version == version]
        if of_family:
            rules.append(f"{family} {end} {{ {', '.join(of_family)} }} {of_port}drop")
    body = "".join(f"    {rule}\n" for rule in rules)
    return f"  chain {hook} {{\n    type filter hook {hook} priority {_BEFORE_ALL}; policy accept;\n{body}  }}\n"
