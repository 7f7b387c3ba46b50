"""A recorded cluster's samples for tests: of the recordings that ship with the project, the first."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

from opsai_subjects.promql.expression import Expression, Select
from opsai_subjects.promql.parsing import parse
from opsai_subjects.promql.samples import Stored
from opsai_subjects.recording.samples import RecordedSamples

RECORDINGS = Path(__file__).resolve().parents[3] / "compose" / "incidents"


def samples() -> RecordedSamples:
    """Return the samples of a recording, parsed as they are asked for."""
    return RecordedSamples(min(RECORDINGS.glob("*/metrics.jsonl.gz")))


def names_in(query: str) -> set[str]:
    """Return the names of the metrics that a query selects."""
    return {
        matcher.value
        for node in _nodes(parse(query))
        if isinstance(node, Select)
        for matcher in node.matchers
        if matcher.name == "__name__" and matcher.op == "="
    }


def series_for(held: RecordedSamples, queries: "list[str]") -> list[Stored]:
    """Return the series of all metrics that the queries select."""
    return [one for name in sorted(set().union(*map(names_in, queries))) for one in held.series(name)]


def stretch(series: list[Stored]) -> tuple[float, float]:
    """Return the times of the first and the last sample."""
    return min(float(one.t[0]) for one in series), max(float(one.t[-1]) for one in series)


def _nodes(node: object) -> Iterator[Expression]:
    if isinstance(node, tuple):
        for inner in node:
            yield from _nodes(inner)
    elif dataclasses.is_dataclass(node) and not isinstance(node, type):
        yield node  # type: ignore[misc]  # every dataclass in an expression but matchers is a node
        for field in dataclasses.fields(node):
            yield from _nodes(getattr(node, field.name))
