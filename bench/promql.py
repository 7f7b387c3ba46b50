"""The evaluator of recordings against a real Prometheus: the same samples, the same queries, one run."""

import shutil
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from bench.table import Row
from opsai_subjects.promql.engine import Engine
from opsai_subjects.recording.folder import Recording, open_recording
from opsai_subjects.registry import subject_kind
from tests.subjects.promql.real import RealPrometheus, running

STEP_SECONDS = 15.0
RATE_RANGE = "1m"


def evaluator(folder: Path, scratch: Path) -> list[Row]:
    """Time a range query of each named metric over the whole recording in both; without Prometheus, only ours."""
    recording = open_recording(folder)
    kind = subject_kind(recording.incident.subject)
    queries = [signal.promql.replace("$range", RATE_RANGE) for signal in kind.signals]
    ours = _each(queries, _in_process(recording))
    how = f"{len(queries)} named metrics, {STEP_SECONDS:.0f} s steps over the recording"
    rows = [Row("evaluator: all named metrics", f"{sum(ours):.2f} s", how)]
    program = shutil.which("prometheus")
    if program is None:
        return [*rows, Row("Prometheus: the same", "not here", "Debian: apt install prometheus")]
    with running(program, scratch) as real:
        real.load(one for name in recording.samples.names for one in recording.samples.series(name))
        theirs = _each(queries, _over_http(recording, real))
    ratios = [mine / its for mine, its in zip(ours, theirs, strict=True)]
    each = f"each: median {statistics.median(ratios):.2f}, from {min(ratios):.2f} to {max(ratios):.2f}"
    return [
        *rows,
        Row("Prometheus: the same, over HTTP", f"{sum(theirs):.2f} s", "the same samples, by remote write"),
        Row("evaluator / Prometheus", f"{sum(ours) / sum(theirs):.2f}", each),
    ]


def _each(queries: Sequence[str], ask: Callable[[str], object]) -> list[float]:
    """Return the seconds of each query, asked once before so that neither side parses or loads in the measurement."""
    took: list[float] = []
    for query in queries:
        ask(query)
        began = time.perf_counter()
        ask(query)
        took.append(time.perf_counter() - began)
    return took


def _in_process(recording: Recording) -> Callable[[str], object]:
    engine = Engine(recording.samples)
    start, end = _window(recording)
    return lambda query: engine.range(query, start, end, STEP_SECONDS)


def _over_http(recording: Recording, real: RealPrometheus) -> Callable[[str], object]:
    start, end = _window(recording)
    when = {"start": str(start), "end": str(end), "step": str(STEP_SECONDS)}
    return lambda query: real.ask("query_range", {"query": query, **when})


def _window(recording: Recording) -> tuple[float, float]:
    return recording.incident.start.timestamp(), recording.incident.end.timestamp()
