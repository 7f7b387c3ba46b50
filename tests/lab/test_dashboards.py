"""Grafana's dashboards of compose/tikv: made from the catalogue, and every panel asks for something that there is."""

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from opsai_lab import recordings
from opsai_server.watch_metrics import Looks, families
from opsai_subjects.model import Series
from opsai_subjects.promql.engine import Engine
from opsai_subjects.promql.parsing import parse
from opsai_subjects.promql.scoping import names_read
from opsai_subjects.recording.folder import open_recording
from opsai_subjects.registry import subject_kind
from scripts.dashboards import FOLDER, LOKI, PROMETHEUS, files

KIND = subject_kind("tikv")
NEEDS_WHAT_IS_NOT_THERE = {
    "throttle_wait_p99",  # flow control never held a write there
    "scheduler_busy",  # and no write was turned away
}
"""Panels that a recording has nothing for."""


def boards() -> Iterator[dict[str, Any]]:
    for path in sorted(FOLDER.glob("*.json")):
        yield json.loads(path.read_text(encoding="utf-8"))


def queries(source: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Panel's title and query, annotations included."""
    for board in boards():
        for panel in board["panels"]:
            for target in panel.get("targets", ()):
                if target["datasource"] == source:
                    yield panel["title"], target["expr"].replace("$__rate_interval", "30s")
        for annotation in board["annotations"]["list"]:
            if annotation["datasource"] == source:
                yield annotation["name"], annotation["expr"]


@cache
def own_metrics() -> frozenset[str]:
    looks = Looks("local", "tikv", 30.0, verdicts=())
    return frozenset(family.name for family in families(looks, KIND.invariants, ()))


def test_the_committed_dashboards_are_what_the_code_generates() -> None:
    assert set(files()) == set(FOLDER.glob("*.json"))
    for path, text in files().items():
        assert path.read_text(encoding="utf-8") == text, "run: make dashboards"


@pytest.mark.parametrize(("title", "query"), sorted(set(queries(PROMETHEUS))))
def test_every_query_parses_and_reads_metrics_that_there_are(title: str, query: str) -> None:
    parse(query)
    read = names_read(query)
    assert read, title
    assert read <= KIND.scraped | own_metrics(), title


def test_a_panel_says_what_the_catalogue_says_of_its_metric() -> None:
    signals = {signal.name: signal for signal in KIND.signals}
    shown = [panel for board in boards() for panel in board["panels"] if panel["type"] == "timeseries"]
    named = [panel for panel in shown if panel["title"] in signals]
    assert len(named) > 35
    assert all(panel["description"].startswith(signals[panel["title"]].says) for panel in named)


def test_a_recorded_cluster_has_data_for_every_panel_that_should_have_some() -> None:
    recording = open_recording(recordings.find("amber-heron"))
    engine = Engine(recording.samples)
    at = recording.incident.end.timestamp()
    empty = {
        title
        for title, query in queries(PROMETHEUS)
        if not names_read(query) <= own_metrics() and not some(engine.range(query, at - 240, at, 15).series)
    }
    assert empty == NEEDS_WHAT_IS_NOT_THERE


def some(series: tuple[Series, ...]) -> bool:
    return any(one.points for one in series)


def test_the_stages_of_the_write_path_are_told_by_store() -> None:
    recording = open_recording(recordings.find("amber-heron"))
    engine = Engine(recording.samples)
    (board,) = (board for board in boards() if board["uid"] == "opsai-write-path")
    for title in ("append_p99", "commit_p99", "apply_p99"):
        (panel,) = (panel for panel in board["panels"] if panel["title"] == title)
        query = panel["targets"][0]["expr"].replace("$__rate_interval", "30s")
        labels = {
            dict(one.labels).get("instance", "")
            for one in engine.instant(query, recording.incident.start.timestamp() + 90).series
        }
        assert len(labels) == 3, title


def test_tickets_are_marked_on_every_dashboard() -> None:
    for board in boards():
        (annotation,) = board["annotations"]["list"]
        assert names_read(annotation["expr"]) == {"opsai_ticket_open"}


def test_logs_are_asked_by_labels_that_the_collector_sets() -> None:
    collector = (FOLDER.parents[1] / "alloy.alloy").read_text(encoding="utf-8")
    asked = [query for _, query in queries(LOKI)]
    assert asked
    for query in asked:
        (selector,) = re.findall(r"\{(.*?)\}", query)
        labels = set(re.findall(r"(\w+)\s*=~?", selector)) | set(re.findall(r"by \((\w+)\)", query))
        assert all(re.search(rf"\b{label}\b", collector) for label in labels), query


def test_no_two_panels_overlap_and_none_is_wider_than_the_page() -> None:
    for board in boards():
        taken: set[tuple[int, int]] = set()
        for panel in board["panels"]:
            at = panel["gridPos"]
            cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
            assert not cells & taken, panel["title"]
            assert max(x for x, _ in cells) < 24
            taken |= cells


def test_the_home_page_of_grafana_is_one_of_them() -> None:
    compose = (FOLDER.parents[1] / "compose.yaml").read_text(encoding="utf-8")
    (home,) = re.findall(r"HOME_DASHBOARD_PATH: /var/lib/opsai/dashboards/(\S+)", compose)
    assert Path(FOLDER / home).is_file()
