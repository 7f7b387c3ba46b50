"""How words of the cluster stand in sentences of ours: quoted, so that nobody takes them for our own.

A field of a reply that holds nothing but what the cluster wrote (a log line, a label, an address) is marked by its name. Inside of a
sentence the mark is “…”: what stands in these is somebody else's, and nothing in it can end the quotation early.
"""

import re

from opsai_subjects.model import clean

QUOTED_CHARS = 300
NAME_CHARS = 160
_PLAIN = re.compile(r"(?:https?://)?(?:\[[0-9A-Fa-f:.]+(?:%\w+)?\])?[\w.:/@=+,~%#*-]*", re.ASCII)
_QUOTES = str.maketrans({"“": '"', "”": '"'})


def quoted(text: str, limit_chars: int = QUOTED_CHARS) -> str:
    """Return foreign text cleaned, cut and in quotes: “…”."""
    return f"“{clean(text.strip(), limit_chars).translate(_QUOTES)}”"


def name_of(text: str) -> str:
    """Return what the cluster calls a thing: a plain name (no space, no quote, ASCII) as it is, anything else quoted.

    A name that is quoted already stays so.
    """
    if len(text) <= NAME_CHARS and _PLAIN.fullmatch(text):
        return text
    if text[:1] == "“" and text[-1:] == "”":
        text = text[1:-1]
    return quoted(text, NAME_CHARS)
