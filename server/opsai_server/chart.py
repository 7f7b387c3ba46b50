"""A chart of time series: what is to be drawn. `chart_drawing` draws it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from opsai_subjects.model import Window
from opsai_subjects.movement import Floats

LINES = 8
"""More lines than this nobody tells apart, and the palette for the colour-blind has no more."""
MARKS = 3


@dataclass(frozen=True, slots=True)
class Line:
    """One series: what the legend calls it, Unix seconds and values, oldest first; a value that is not finite is a gap."""

    label: str
    times: Floats
    values: Floats


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment worth a line of its own."""

    at: datetime
    label: str


@dataclass(frozen=True, slots=True)
class Chart:
    """What is to be drawn. Texts may be anybody's: nothing in them is interpreted."""

    title: str
    subtitle: str
    unit: str
    """Of the values, as in replies: `s`, `bytes`, `1/s`; empty when nobody knows."""
    window: Window
    step_seconds: float
    """Two points further apart than one and a half steps have a gap between them."""
    lines: Sequence[Line]
    """At most LINES."""
    marks: Sequence[Mark] = ()
    """At most MARKS."""
    note: str = ""
    """What the picture leaves out."""
