"""Checks of reading log lines: whatever a line is, it is read or passed over."""

import random
from collections.abc import Iterator
from datetime import timedelta

from opsai_subjects.model import ParsedLine, clean
from opsai_subjects.subject import SubjectKind

SEED = 20260601
CHANGED = 2_000
WILD = (
    "",
    " ",
    "\x00",
    "\ufeff",
    "\u202e\u2066",
    "x" * 100_000,
    "[" * 10_000,
    "{" * 10_000,
    '{"level":"info","ts":',
    '{"level":"info","ts":"2026-13-45T99:99:99Z","msg":1}',
    '{"level":7,"ts":1e400,"msg":null}',
    '{"level":"info","ts":-1e18,"msg":"\\ud800"}',
    "null",
    "[]",
    "0",
    "9999-99-99 99:99:99 E | x",
    "[2026/02/31 25:61:61.000 +99:99] [INFO] [x.rs:1] [x]",
    "[2026/01/01 00:00:00.000 +00:00] [",
    "[2026/01/01 00:00:00.000 +00:00] [FATAL] [",
    "0000-00-00T00:00:00Z",
    "2026-01-01T00:00:00.000000000000000000Z x",
    "٢٠٢٦-٠١-٠١T00:00:00Z",
    "panic: runtime error\n\tgoroutine 1 [running]:",
)


def reads_any_line(kind: SubjectKind, sample: tuple[str, ...]) -> Iterator[str]:
    """Every line, wild or a real one with something changed, is read with an aware time, or passed over: none raises."""
    for line in (*WILD, *sample, *_changed(sample or WILD)):
        try:
            found = kind.parse_log(line)
            if found is not None:
                yield from _read(line, found)
        except Exception as error:  # noqa: BLE001 - whatever it is, its author is to read it as a finding
            yield f"parse_log raises {type(error).__name__} ({error}) for {line[:120]!r}."


def _read(line: str, found: ParsedLine) -> Iterator[str]:
    if found.at.tzinfo is None or found.at.utcoffset() != timedelta(0):
        yield f"parse_log tells a time that is not in UTC for {line[:120]!r}."
    for text in (found.message, found.source, found.level, *found.fields.values()):
        clean(text)  # most lines are read to their end only here


def _changed(sample: tuple[str, ...]) -> Iterator[str]:
    dice = random.Random(SEED)  # noqa: S311 - it is to be the same each time
    characters = "\x00\n\t\"'\\[]{}=:, 0123456789eE+-.Zé\ud7ff\U0001f600"
    for _ in range(CHANGED):
        line = list(dice.choice(sample)[:400])
        for _ in range(dice.randint(1, 4)):
            at = dice.randint(0, len(line))
            line[at : at + dice.randint(0, 6)] = dice.choices(characters, k=dice.randint(0, 4))
        yield "".join(line)
