"""Foreign text in Markdown: labelled with where it is from, fenced, and unable to end its fence or to begin a line of its own. Pure.

What the cluster, its watcher or an investigator wrote stands in fences only, or as inline code where it is a name. Every line
in a fence begins with a mark of ours, so that none can pass for a heading, an instruction or the end of the fence.
"""

import re
from collections.abc import Iterable
from textwrap import wrap

from opsai_subjects.model import clean

WIDTH = 118
BEGINS = "- "
GOES_ON = "| "
NAME_CHARS = 120
_TICKS = re.compile(r"`+")


def named(text: str) -> str:
    """Return a name (an entity, a cluster, a model) as inline code."""
    return f"`{_one_line(text, NAME_CHARS).replace('`', chr(39)) or '-'}`"


def fenced(origin: str, texts: Iterable[str], limit_chars: int) -> str:
    """Return texts in a fence, one after another, under a line of ours that says where they are from.

    A text that is cut says at its end how much is left out.
    """
    lines = [line for text in texts for line in _lines(_one_line(text, limit_chars))]
    longest = max((len(run) for line in lines for run in _TICKS.findall(line)), default=0)
    fence = "`" * max(3, longest + 1)
    return "\n".join((f"{origin}:", "", f"{fence}text", *lines, fence))


def _lines(text: str) -> list[str]:
    first, *others = wrap(text, WIDTH, break_on_hyphens=False) or ["-"]
    return [f"{BEGINS}{first}", *(f"{GOES_ON}{other}" for other in others)]


def _one_line(text: str, limit_chars: int) -> str:
    # A cut says its size at the end. Splitting takes the line separators too that Markdown has no name for (U+2028).
    return " ".join(clean(text, limit_chars).split())
