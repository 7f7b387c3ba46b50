"""One scrape of the largest node of a recording, without the network: its text read and stored."""

import time
from collections.abc import Callable
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from bench.table import Row
from opsai_subjects.promql.scoping import named
from opsai_subjects.recording.folder import open_recording
from opsai_subjects.registry import subject_kind
from opsai_subjects.sources.exposition import Exposition
from opsai_subjects.sources.ring import Ring
from tests.subjects.sources.exposed import exposed

SCRAPES = 61
"""A quarter of an hour at one in 15 s."""


def scraping(folder: Path) -> list[Row]:
    """Time a first scrape, in which labels are parsed, one of the later ones, and the library's parser on all of it."""
    recording = open_recording(folder)
    nodes = exposed(recording, lambda _: True).values()
    text = max((node.text(recording.incident.start.timestamp() + 60) or b"" for node in nodes), key=len)
    kind = subject_kind(recording.incident.subject)
    exposition, ring = Exposition(named(kind.scraped), {"job": "tikv", "instance": "node"}), Ring(SCRAPES)

    def scrape(at_ms: int) -> None:
        values = exposition.read(text)
        ring.add(at_ms, values, {head: exposition.labels(head) for head in ring.unknown(values)})

    first = _seconds(lambda: scrape(1))
    later = min(_seconds(lambda at=at: scrape(at)) for at in range(2, 8))
    library = _seconds(lambda: sum(1 for _ in text_string_to_metric_families(text.decode())))
    lines, kept = text.count(b"\n"), len(ring)
    how = f"{len(text) / 1e6:.1f} MB, {lines:,} lines, {kept:,} series kept"
    return [
        Row("one scrape, read and stored", f"{later * 1000:.0f} ms", how),
        Row("the first one of a target", f"{first * 1000:.0f} ms", "the labels of each series are parsed then"),
        Row("the same text by prometheus_client alone", f"{library * 1000:.0f} ms", "each line parsed whole"),
    ]


def _seconds(do: Callable[[], object]) -> float:
    began = time.perf_counter()
    do()
    return time.perf_counter() - began
