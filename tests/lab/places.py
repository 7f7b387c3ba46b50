"""Local clusters that tests bring up: of real etcd members, and of small programs of our own where a node must misbehave."""

import os
import sys
from itertools import count
from pathlib import Path

from opsai_lab.targets.blueprint import Blueprint, LocalFault, PlannedNode, Role, read_blueprint
from opsai_lab.targets.target import Place

_NUMBERS = count(1)
COMPOSE = Path(__file__).parents[2] / "compose"

SERVING = """
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(int(sys.argv[3])); self.end_headers(); self.wfile.write(b"{{}}")
    def log_message(self, *words): pass
print("serving", flush=True)
http.server.HTTPServer((sys.argv[1], int(sys.argv[2])), Handler).serve_forever()
"""
DYING = "print('no such flag: --frobnicate', flush=True); raise SystemExit(3)"


def silent(line: str) -> None:
    """Take a line of progress and keep it to oneself."""


def unique_name() -> str:
    """Return a name that no other test of this machine has at this moment: addresses, packet filters and groups go by it."""
    return f"t{os.getpid()}-{next(_NUMBERS)}"


def etcd_place(folder: Path) -> Place:
    """Return the shipped etcd cluster as a place in that folder."""
    name = unique_name()
    return Place(name, folder / name, read_blueprint(COMPOSE / "etcd"), wait_seconds=30, companions=False)


def web_role(program: str = SERVING, *, port: int = 18790, answers: int = 200) -> Role:
    """Return a role whose program is Python's: it answers every GET with one status."""
    return Role(
        binary=Path(sys.executable).name,
        command=("-c", program, "{address}", "{web}", str(answers), "{data}"),
        ports={"web": port},
        endpoint="http://{address}:{web}",
        advertised="{address}:{web}",
        healthy="http://{address}:{web}/health",
    )


def web_blueprint(folder: Path, **roles: Role) -> Blueprint:
    """Return a blueprint of one node for each role, named like its role with a 1; without roles two that serve."""
    given = roles or {"front": web_role(), "back": web_role(port=18791)}
    kill = LocalFault(says="one is killed", harm="kill", role=next(iter(given)), kind="gone")
    return Blueprint(
        subject="web",
        says="small web servers",
        roles=given,
        nodes=tuple(PlannedNode(name=f"{role}1", role=role) for role in given),
        faults={"kill": kill},
        folder=folder,
    )


def web_place(folder: Path, *, wait_seconds: float = 20, **roles: Role) -> Place:
    """Return a place of small web servers."""
    name = unique_name()
    return Place(name, folder / name, web_blueprint(folder, **roles), wait_seconds=wait_seconds, companions=False)
