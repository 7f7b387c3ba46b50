"""The measurements of the served program run, in small, and say what came of it."""

import re

import pytest

from bench.asked import MIX, Tally, percentile
from bench.crowd import crowd, told
from bench.latencies import latencies
from bench.steady import steady
from bench.table import Row
from opsai_lab.recordings import find

AMBER = find("amber-heron")
TOOLS = {tool for tool, _ in MIX}


def values(rows: list[Row]) -> dict[str, str]:
    return {row.what.strip(): row.value for row in rows}


def test_clients_of_both_eras_at_once_are_all_answered_and_counted_as_the_program_counts() -> None:
    rows = list(crowd(AMBER, clients=6, seconds=0.1, at="start"))
    found = values(rows)
    answered = int(found["6 clients at once: calls answered"].replace(",", ""))

    assert answered >= 6
    assert rows[0].how == f"{answered:,} by the program's own count"
    assert found["of them lost, refused or not as they should be"] == "0", rows[1].how
    assert set(found["HTTP statuses"].split()) <= {"200", "202"}
    assert len(TOOLS & set(found)) >= 5


def test_memory_and_the_store_are_told_apart_over_many_calls() -> None:
    found = values(list(steady(AMBER, calls=24, at="start")))

    assert list(found) == ["memory after 24 calls", "memory grows by", "the store grows by"]
    assert all(re.fullmatch(r"-?[\d,.]+ [KM]iB", value) for value in found.values())


def test_each_tool_is_measured_in_a_session() -> None:
    rows = list(latencies(AMBER, runs=1, at="start"))

    assert {row.what.partition(",")[0] for row in rows} == {*TOOLS, "all tools"}
    assert "not as they should be" not in rows[-1].how


def test_what_is_lost_or_wrong_is_counted_in_words() -> None:
    (last,) = [row for row in _rows_of_a_bad_minute() if row.what.startswith("of them lost")]

    assert (last.value, last.how) == ("3", "2 times overview: it names another; 1 times lost: TimeoutError: ")


def _rows_of_a_bad_minute() -> list[Row]:
    tally = Tally("lab", {"overview": [0.1, 0.2]})
    tally.wrong.update({"overview: it names another": 2, "lost: TimeoutError: ": 1})
    return list(told(tally, {"process_cpu_seconds_total": 0.1}, 1.0, 2))


@pytest.mark.parametrize(("ratio", "value"), [(0.5, 51), (0.95, 96), (0.99, 100), (1.0, 100)])
def test_a_percentile_is_a_value_that_was_measured(ratio: float, value: int) -> None:
    assert percentile(range(1, 101), ratio) == value
