"""The one table that is printed."""

from collections.abc import Sequence
from typing import NamedTuple

from opsai_lab.layout import columns


class Row(NamedTuple):
    """One measurement: what, how much, and how it was measured."""

    what: str
    value: str
    how: str = ""


def table(rows: Sequence[Row]) -> str:
    """Return the measurements as aligned text."""
    return columns([("measured", "value", "how"), *rows], right=(1,))
