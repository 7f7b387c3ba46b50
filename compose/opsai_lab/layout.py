"""Plain text in aligned columns: the same on a terminal and in a pipe."""

from collections.abc import Sequence
from textwrap import TextWrapper

from opsai_subjects.model import clean

WIDTH = 100
"""Lines of prose are filled to this width wherever they go, so that a transcript reads like the terminal."""


def columns(rows: Sequence[Sequence[str]], *, right: Sequence[int] = (), gap: str = "  ", indent: str = "") -> str:
    """Return the rows with each column as wide as its widest cell; the columns numbered in `right` are set to the right."""
    widths = [max((len(row[at]) for row in rows), default=0) for at in range(len(rows[0]) if rows else 0)]
    lines = (
        gap.join(cell.rjust(width) if at in right else cell.ljust(width) for at, (cell, width) in enumerate(cells))
        for cells in (zip(row, widths, strict=True) for row in rows)
    )
    return "\n".join(f"{indent}{line}".rstrip() for line in lines)


def filled(text: str, *, first: str = "", rest: str | None = None) -> str:
    """Return foreign or own prose, cleaned and filled to the width; `first` stands before its first line, `rest` (or as many blanks) before the others."""
    wrapper = TextWrapper(
        width=WIDTH,
        initial_indent=first,
        subsequent_indent=" " * len(first) if rest is None else rest,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return "\n".join(wrapper.wrap(" ".join(clean(text).split())) or [first.rstrip()])
