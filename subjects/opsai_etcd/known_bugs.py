"""The dated table of known bugs that stands beside this module."""

import tomllib
from functools import cache
from importlib.resources import files

from opsai_subjects.known_bug import KnownBug


@cache
def known_bugs() -> tuple[KnownBug, ...]:
    """Return the known bugs of etcd, in the table's order."""
    table = files("opsai_etcd").joinpath("known_bugs.toml").read_text(encoding="utf-8")
    return tuple(KnownBug.model_validate(row) for row in tomllib.loads(table)["bug"])
