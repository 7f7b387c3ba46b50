"""What a caller of the engine sees: kinds of results, limits and errors."""

import pytest

from opsai_subjects.errors import QueryInvalid
from opsai_subjects.model import Series
from tests.subjects.promql.series import engine, shown


def test_a_selector_answers_with_each_series_newest_sample_at_the_moment_asked() -> None:
    reply = engine('up{job="a"} 1 0 1\nup{job="b"} 0 1 0').instant("up", 25)
    assert reply.kind == "vector"
    assert reply.series == (
        Series({"__name__": "up", "job": "a"}, ((25.0, 1.0),)),
        Series({"__name__": "up", "job": "b"}, ((25.0, 0.0),)),
    )


def test_a_quantile_of_rates_by_instance_is_worked_out_from_its_buckets() -> None:
    held = engine("""
        h_bucket{le="1",i="a"} 0+1x30
        h_bucket{le="2",i="a"} 0+2x30
        h_bucket{le="+Inf",i="a"} 0+2x30
    """)
    assert shown(held.instant("histogram_quantile(0.5, sum by (le, i) (rate(h_bucket[1m])))", 300)) == {"i=a": [1.0]}


def test_a_query_that_does_not_parse_is_refused_with_the_parsers_words() -> None:
    with pytest.raises(QueryInvalid, match="unclosed left parenthesis") as refused:
        engine("up 1").instant("sum(up", 0)
    assert refused.value.query == "sum(up"
