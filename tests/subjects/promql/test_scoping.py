"""A query narrowed by matchers reads of one cluster only, whatever it says, and else means what it meant."""

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opsai_subjects.errors import QueryInvalid
from opsai_subjects.model import MetricsReply
from opsai_subjects.promql.engine import Engine
from opsai_subjects.promql.samples import Matcher, MemorySamples, Stored
from opsai_subjects.promql.scoping import contradictions, metric_names, of_settings, scoped
from tests.subjects.promql import corpus, synthetic
from tests.subjects.promql.expressions import expressions
from tests.subjects.promql.tikv_queries import QUERIES

NAMES = st.from_regex(r"[a-z_][a-z0-9_]{0,8}", fullmatch=True)
MATCHERS = of_settings({"tidb_cluster": 'prod "7"\\', "k8s": "=~a\\d|b.+"})
AT = synthetic.BEGIN + 355


def of(cluster: str, k8s: str) -> list[Stored]:
    labels = {"tidb_cluster": cluster, "k8s": k8s}
    return [replace(one, labels={**one.labels, **labels}) for one in synthetic.series()]


OURS = of('prod "7"\\', "a1")
ALONE = Engine(MemorySamples(OURS))
SHARED = Engine(MemorySamples([*OURS, *of("prod-8", "a1"), *of('prod "7"\\', "a"), *synthetic.series()]))


def answer(engine: Engine, query: str) -> str | None:
    try:
        reply: MetricsReply = engine.instant(query, AT)
    except QueryInvalid:
        return None
    return repr(
        (reply.kind, sorted((sorted(one.labels.items()), repr(one.points)) for one in reply.series), reply.text)
    )


def is_refused(query: str) -> bool:
    try:
        scoped(query, MATCHERS)
    except QueryInvalid:
        return True
    return False


def is_kept_apart(query: str) -> bool:
    alone = answer(ALONE, query)
    if alone is None:
        return True
    # The parser prints this without `ignoring ()`: it is refused, never asked as something else.
    if "ignoring () group_" in query:
        return is_refused(query)
    narrowed = scoped(query, MATCHERS)
    if "absent" in query:  # it makes its labels of the selector's, and so the narrowed one has more
        alone = answer(ALONE, narrowed)
    return answer(SHARED, narrowed) == alone


@pytest.mark.parametrize("query", [*corpus.ALL, *QUERIES])
def test_each_known_query_finds_among_several_clusters_what_it_finds_in_its_own(query: str) -> None:
    assert is_kept_apart(query)


@settings(max_examples=100, deadline=None)
@given(expressions)
def test_any_query_finds_among_several_clusters_what_it_finds_in_its_own(query: str) -> None:
    assert is_kept_apart(query)


@given(st.text(max_size=12), st.text(min_size=1, max_size=12), NAMES, NAMES)
def test_no_text_in_a_query_or_a_setting_breaks_out_of_its_quotes(own: str, value: str, name: str, label: str) -> None:
    escaped = own.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    (matcher,) = of_settings({f"z_{label}": f"v{value}"})
    text = scoped(f'm_{name}{{a_{label}="{escaped}"}} + on () x', (matcher,))

    assert metric_names(text) == {f"m_{name}", "x"}
    assert scoped(text, (matcher,)).count(f"z_{label}") == text.count(f"z_{label}") + 2
    assert contradictions(text, (matcher,)) == []


@pytest.mark.parametrize(
    ("query", "narrowed"),
    [
        ("up", 'up{c="x"}'),
        ('rate(up{job="a"}[5m] offset 3m)', 'rate(up{c="x",job="a"}[5m] offset 3m)'),
        ('max_over_time({__name__=~"u.*"}[1h:] @ end())', 'max_over_time({__name__=~"u.*",c="x"}[1h:] @ end())'),
        ("up @ 1700000000.5 offset -1m", 'up{c="x"} @ 1700000000.500 offset -1m'),
        ('up{c="y"}', 'up{c="x",c="y"}'),
        ('up{a="1" or b="2"}', '{__name__="up", a="1", c="x" or __name__="up", b="2", c="x"}'),
        ("1 + time()", "1 + time()"),
    ],
)
def test_matchers_stand_beside_what_a_selector_has(query: str, narrowed: str) -> None:
    assert scoped(query, of_settings({"c": "x"})) == narrowed


@pytest.mark.parametrize("query", ["up{", "up[5m", "rate(up)", "WITH (x = up) x", "up{a=1}"])
def test_what_cannot_be_read_is_not_asked_at_all(query: str) -> None:
    with pytest.raises(QueryInvalid, match=re.escape("only PromQL that can be narrowed to this cluster is asked")):
        scoped(query, MATCHERS)


def test_a_query_that_asks_for_another_cluster_is_told_apart_from_one_that_asks_for_this() -> None:
    exact = of_settings({"c": "prod-7"})
    pattern = of_settings({"c": "=~prod-.*"})

    assert contradictions('up{c="prod-8"} + up{c!="prod-7"} + up{c=~"dev.*"}', exact) == [
        'c="prod-8"',
        'c!="prod-7"',
        'c=~"dev.*"',
    ]
    assert contradictions('up{c=~"prod-.*",d="prod-8"}', exact) == []
    assert contradictions('up{c="prod-8"} + up{c="dev"}', pattern) == ['c="dev"']
    assert contradictions("up{", exact) == []


def test_the_metrics_that_a_query_reads_are_named_when_it_names_them() -> None:
    assert metric_names("rate(a[5m]) / on () sum(b)") == {"a", "b"}
    assert metric_names('{__name__=~"a|b"}') is None
    assert metric_names("sum(") is None


def test_a_value_is_compared_as_it_is_unless_it_says_that_it_is_a_regular_expression() -> None:
    assert of_settings({"a": "x.y", "b": "=~x.y"}) == (Matcher("a", "=", "x.y"), Matcher("b", "=~", "x.y"))
