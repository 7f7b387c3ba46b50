"""A log grammar small enough to see through: `100.250 WARN took a while`, the time in Unix seconds."""

import re

from opsai_subjects.model import ParsedLine, Window, utc

_LINE = re.compile(r"(\d+\.\d+) ([A-Z]+) (.*)", re.DOTALL)


def parse(line: str) -> ParsedLine | None:
    found = _LINE.match(line)
    if found is None or float(found[1]) > 10**9:
        return None
    fields = dict(word.split("=", 1) for word in found[3].split() if "=" in word)
    return ParsedLine(utc(float(found[1])), found[2], "", found[3], fields)


def window(start: float, end: float) -> Window:
    return Window(start=utc(start), end=utc(end))
