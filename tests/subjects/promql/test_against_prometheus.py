"""The evaluator answers as a real Prometheus does: the same samples, the same queries, the same results and refusals.

Debian's is 2.42, so the evaluator is told to keep to 2.x where versions differ; what 3.x does is shown in the other tests.
"""

import json
import os
import re
import shutil
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from opsai_subjects.errors import QueryInvalid
from opsai_subjects.promql.engine import Engine, Options
from opsai_subjects.promql.samples import MemorySamples
from tests.subjects.promql import corpus, recorded, synthetic
from tests.subjects.promql.alike import difference_at, difference_over
from tests.subjects.promql.expressions import expressions
from tests.subjects.promql.real import RealPrometheus, running
from tests.subjects.promql.tikv_queries import QUERIES

pytestmark = pytest.mark.prometheus

BEGIN = synthetic.BEGIN
MOMENTS = [BEGIN + seconds for seconds in (-5, 0, 100, 203.5, 355, 600, 889, 890, 900, 5000)]
"""Before, at and between samples, at the end of the lookback, and long after."""
RANGES = [(BEGIN + 95, BEGIN + 620, 15), (BEGIN - 30, BEGIN + 950, 60), (BEGIN + 100, BEGIN + 130, 0.5)]


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Generator[RealPrometheus]:
    program = shutil.which("prometheus")
    if program is None:
        reason = "prometheus is not on PATH: its Debian package brings it"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    with running(program, tmp_path_factory.mktemp("prometheus")) as real:
        real.load(synthetic.series())
        yield real


@pytest.fixture(scope="module")
def held() -> Engine:
    return Engine(MemorySamples(synthetic.series()), Options(left_open=False))


@pytest.mark.parametrize("query", corpus.ALL)
def test_a_query_is_answered_alike_at_every_moment(prometheus: RealPrometheus, held: Engine, query: str) -> None:
    differences = {at - BEGIN: difference_at(held, prometheus, query, at) for at in MOMENTS}

    assert {at: words for at, words in differences.items() if words} == {}


@pytest.mark.parametrize("query", [query for query in corpus.ALL if query not in corpus.WRONG_OVER_A_RANGE])
def test_a_query_is_answered_alike_over_ranges(prometheus: RealPrometheus, held: Engine, query: str) -> None:
    differences = {asked[2]: difference_over(held, prometheus, query, *asked) for asked in RANGES}

    assert {step: words for step, words in differences.items() if words} == {}


def test_what_cannot_be_evaluated_is_refused_in_prometheus_own_words(prometheus: RealPrometheus, held: Engine) -> None:
    wrong: dict[str, tuple[str, str]] = {}
    seen = 0
    for query in corpus.ALL:
        answer = prometheus.ask("query", {"query": query, "time": repr(BEGIN + 203.5)})
        if answer.get("errorType") == "execution":
            seen += 1
            with pytest.raises(QueryInvalid) as refused:
                held.instant(query, BEGIN + 203.5)
            if _in_any_order(refused.value.reason) != _in_any_order(str(answer["error"])):
                wrong[query] = (refused.value.reason, str(answer["error"]))

    assert wrong.keys() <= {"topk(NaN, level)"}, wrong
    assert seen >= 15


def _in_any_order(words: str) -> list[str]:
    """Return the parts of an error: 2.x names two clashing series in the order it met them, 3.x sorted."""
    return sorted(re.split(r"(?<=\})[],;] ?|\[", words))


def test_regular_expressions_match_and_capture_alike(prometheus: RealPrometheus, held: Engine) -> None:
    wrong: dict[tuple[str, str], str] = {}
    for pattern, value in corpus.PATTERNS:
        source = f'label_replace(vector(1), "from", {json.dumps(value, ensure_ascii=False)}, "", "")'
        query = f'label_replace({source}, "to", "<$1|$n|${{0}}>", "from", "{pattern}")'
        if words := difference_at(held, prometheus, query, BEGIN):
            wrong[pattern, value] = words

    assert wrong == {}


@settings(
    max_examples=250,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(query=expressions)
def test_a_random_expression_is_answered_alike(prometheus: RealPrometheus, held: Engine, query: str) -> None:
    assert difference_at(held, prometheus, query, BEGIN + 203.5) == ""
    assert difference_at(held, prometheus, query, BEGIN + 370) == ""
    assert difference_over(held, prometheus, query, BEGIN + 95, BEGIN + 620, 35) == ""


def test_named_queries_on_a_recorded_cluster_are_answered_alike(tmp_path: Path, prometheus: RealPrometheus) -> None:
    series = recorded.series_for(recorded.samples(), list(QUERIES.values()))
    start, end = recorded.stretch(series)
    program = shutil.which("prometheus")
    assert program is not None
    held = Engine(MemorySamples(series), Options(left_open=False))
    wrong: dict[str, str] = {}
    with running(program, tmp_path) as real:
        real.load(series)
        for name, query in QUERIES.items():
            words = [difference_at(held, real, query, round(at, 3)) for at in (start + 70, (start + end) / 2, end)]
            words.append(difference_over(held, real, query, round(start + 60, 3), round(end, 3), 15))
            if any(words):
                wrong[name] = "; ".join(filter(None, words))

    assert wrong == {}
