"""A label matcher as settings name it: the labels by which a cluster's series are known in an engine that serves several."""

import re
from typing import Annotated

from pydantic import AfterValidator

from opsai_subjects.promql.patterns import matching
from opsai_subjects.promql.scoping import REGEX


def _name(text: str) -> str:
    if not re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9_]*", text) or text == "__name__":
        raise ValueError(f"{text!r} is not the name of a label")
    return text


def _value(text: str) -> str:
    if text.removeprefix(REGEX) == "":
        raise ValueError("an empty value would match every series that has no such label")
    if text.startswith(REGEX) and matching(text.removeprefix(REGEX))(""):
        raise ValueError(f"{text!r} matches the empty text too, and so every series that has no such label")
    return text


LabelName = Annotated[str, AfterValidator(_name)]
LabelValue = Annotated[str, AfterValidator(_value)]
"""What the label must be, or `=~` and a regular expression."""
