"""Random PromQL over the synthetic series, for what Prometheus 2.42 and the evaluator must answer alike."""

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

Text = SearchStrategy[str]

_SELECTORS = [
    "requests_total",
    'requests_total{job="a"}',
    'level{zone!=""}',
    "level",
    "gappy_total",
    "by_code_total",
    'by_code_total{code=~"2..|404"}',
    "node_info",
    "constant",
    "flapping",
    "ended",
    "late",
    "seldom",
    "twin_a",
    'twin_b{k="same"}',
    "took_seconds_bucket",
    "no_such_metric",
    '{__name__=~"level|gappy_total"}',
]
_LABELS = ["job", "instance", "zone", "code", "k", "version", "nothing"]
_NUMBERS = ["0", "1", "-1", "0.5", "3", "10", "1e6", "NaN", "Inf", "time()", "scalar(constant)", "scalar(level)"]
_DURATIONS = ["10s", "25s", "30s", "1m", "90s", "2m", "5m"]
_EACH = ["abs", "ceil", "floor", "sgn", "round", "sqrt", "exp", "ln", "sort", "timestamp", "-"]
_OVER_RANGE = [
    *("rate", "increase", "irate", "delta", "idelta", "changes", "resets", "deriv"),
    *(f"{what}_over_time" for what in ("avg", "sum", "min", "max", "count", "last", "present", "stddev", "absent")),
]
_REDUCING = ["sum", "avg", "min", "max", "count", "group"]
_ARITHMETIC = ["+", "-", "*", "/", "%", "^"]
_COMPARISON = ["==", "!=", ">", "<", ">=", "<="]


def _some(names: list[str], most: int = 2) -> Text:
    return st.lists(st.sampled_from(names), max_size=most, unique=True).map(", ".join)


_moved = st.sampled_from(
    ["", "", "", " offset 20s", " offset -45s", " @ 1795400222", " @ end()", " @ start() offset 10s"]
)
_selector = st.builds("{}{}".format, st.sampled_from(_SELECTORS), _moved)
_scalar = st.sampled_from(_NUMBERS)
_grouping = st.one_of(
    st.just(""), st.builds(" by ({})".format, _some(_LABELS)), st.builds(" without ({})".format, _some(_LABELS))
)


def _matching() -> Text:
    names = st.builds(" {} ({})".format, st.sampled_from(["on", "ignoring"]), _some(_LABELS[:5]))
    grouped = st.builds(
        "{} {} ({})".format, names, st.sampled_from(["group_left", "group_right"]), _some(["version", "nothing"], 1)
    )
    return st.one_of(st.just(""), names, grouped)


def _ranges(inner: Text) -> Text:
    plain = st.builds("{}[{}]{}".format, st.sampled_from(_SELECTORS), st.sampled_from(_DURATIONS), _moved)
    # No `@` on a subquery, nor one shorter than its step: Prometheus answers those with nested `@` inside wrongly.
    sub = st.builds(
        "({})[{}:{}]{}".format,
        inner,
        st.sampled_from(["1m", "90s", "2m", "5m"]),
        st.sampled_from(["", "10s", "7s", "1m"]),
        st.sampled_from(["", "", " offset 20s", " offset -45s"]),
    )
    return st.one_of(plain, plain, sub)


def _larger(inner: Text) -> Text:
    sets = st.builds(" {}{}".format, st.sampled_from(["and", "or", "unless"]), _on())
    compared = st.builds("{}{}".format, st.sampled_from(_COMPARISON), st.sampled_from(["", " bool"]))
    operator = st.one_of(st.sampled_from(_ARITHMETIC), compared)
    return st.one_of(
        st.builds("{}({})".format, st.sampled_from(_EACH), inner),
        st.builds("{}({})".format, st.sampled_from(_OVER_RANGE), _ranges(inner)),
        st.builds("{}{} ({})".format, st.sampled_from(_REDUCING), _grouping, inner),
        st.builds("quantile{} ({}, {})".format, _grouping, _scalar, inner),
        st.builds("quantile_over_time({}, {})".format, st.sampled_from(["0", "0.3", "1", "2"]), _ranges(inner)),
        # Which of equal elements is chosen is nobody's promise: their sum is the same.
        st.builds("sum({}{} ({}, {}))".format, st.sampled_from(["topk", "bottomk"]), _grouping, st.just("2"), inner),
        st.builds("clamp({}, {}, {})".format, inner, _scalar, _scalar),
        st.builds('label_replace({}, "k", "$1", "instance", "(.*):8.")'.format, inner),
        st.builds('label_join({}, "zone", "-", "job", "code")'.format, inner),
        st.builds("histogram_quantile({}, {})".format, _scalar, inner),
        st.builds('count_values{} ("v", {})'.format, _grouping, _selector),
        st.builds("absent({})".format, inner),
        st.builds("({}) {} {}".format, inner, operator, _scalar),
        st.builds("{} {} ({})".format, _scalar, operator, inner),
        st.builds("({}) {}{} ({})".format, inner, operator, _matching(), inner),
        st.builds("({}){} ({})".format, inner, sets, inner),
    )


def _on() -> Text:
    return st.one_of(st.just(""), st.builds(" {} ({})".format, st.sampled_from(["on", "ignoring"]), _some(_LABELS)))


expressions: Text = st.recursive(_selector, _larger, max_leaves=6)
"""Instant vectors, some of which are errors that both must refuse."""
