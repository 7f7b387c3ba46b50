"""From PromQL text to an expression. Nothing but this and `scoping` imports `promql_parser`, whose quirks end here."""

import re
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import lru_cache
from typing import Literal

import promql_parser as parser

from opsai_subjects.promql.aggregations import AGGREGATIONS
from opsai_subjects.promql.expression import (
    TOO_DEEP,
    Aggregate,
    At,
    Binary,
    Call,
    Expression,
    Kind,
    Matching,
    Negated,
    Number,
    Range,
    Refused,
    Select,
    Subquery,
    Text,
)
from opsai_subjects.promql.functions import SUPPORTED
from opsai_subjects.promql.labels import NAME, escaped
from opsai_subjects.promql.patterns import matching
from opsai_subjects.promql.samples import Matcher

MAX_OPERATORS = 300
"""So many operators and opening parentheses may stand in a query: the parser recurses in native code, and a chain of
5,000 additions ended the process (promql-parser 0.12)."""

_MILLISECOND = timedelta(milliseconds=1)
_TOKEN = re.compile(
    r"""(?P<string>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')|`(?P<raw>[^`]*)`|(?P<comment>\#[^\n]*)|(?P<brace>[{}])"""
    r"|(?P<operator>[-+*/%^=<>!(]|\b(?:and|or|unless|atan2)\b)",
    re.DOTALL | re.IGNORECASE,
)


@lru_cache(maxsize=2048)
def parse(query: str) -> Expression:
    """Return the expression. Raises Refused with the parser's words."""
    with _refusing():
        return _node(parsed(query))


def parsed(query: str) -> parser.Expr:
    """Return the parser's own tree. Raises Refused with the parser's words."""
    with _refusing():
        return parser.parse(_prepared(query))


@contextmanager
def _refusing() -> Generator[None]:
    try:
        yield
    except ValueError as error:
        raise Refused(f"parse error: {_explained(str(error))}") from error
    except RecursionError as error:
        raise Refused(TOO_DEEP) from error


def matchers_of(listed: Sequence[parser.Matcher]) -> list[Matcher]:
    """Return the parser's matchers as the evaluator's."""
    return [Matcher(one.name, _OPERATORS[str(one.op)], one.value) for one in listed]


def _explained(words: str) -> str:
    """Return the parser's words, with Prometheus's own names for types and the reason where the parser has none."""
    if words.startswith(_BAD_REGEX):
        try:
            matching(words.removeprefix(_BAD_REGEX))
        except ValueError as error:
            return f"error parsing regexp: {error}"
    if words == "invalid promql query":
        return f"{words}: an operator, comma, keyword or operand is missing or out of place"
    quoted = re.sub(r"'([^']*)'", r'"\1"', words)
    return re.sub(r"\b(type|got|got:) (matrix|vector)\b", lambda found: f"{found[1]} {_TYPES[found[2]]}", quoted)


def _prepared(query: str) -> str:
    """Write raw strings as ordinary ones, for the parser reads escapes in `...` too; refuse what is too long for it."""
    operators = 0
    inside_braces = False

    def plain(token: re.Match[str]) -> str:
        nonlocal operators, inside_braces
        if token["brace"]:
            inside_braces = token["brace"] == "{"
        elif token["operator"] and not inside_braces:
            operators += 1
        elif token["raw"] is not None:
            return f'"{escaped(token["raw"])}"'
        return token[0]

    text = _TOKEN.sub(plain, query)
    if operators > MAX_OPERATORS:
        raise Refused(f"the query has more than {MAX_OPERATORS} operators and parentheses")
    return text


def _node(tree: parser.Expr) -> Expression:
    made = _leaf(tree)
    if made is not None:
        return made
    match tree:
        case parser.ParenExpr():
            return _node(tree.expr)
        case parser.UnaryExpr():
            return Negated(_node(tree.expr))
        case parser.SubqueryExpr():
            step = None if tree.step is None else _ms(tree.step)
            return Subquery(_node(tree.expr), _ms(tree.range), step, _ms(tree.offset), _at(tree.at))
        case parser.Call():
            return _call(tree)
        case parser.AggregateExpr():
            return _aggregate(tree)
        case parser.BinaryExpr():
            return _binary(tree)
        case _:
            raise Refused(f"an expression of type {type(tree).__name__} is not supported")


def _leaf(tree: parser.Expr) -> Expression | None:
    match tree:
        case parser.NumberLiteral():
            return Number(tree.val)
        case parser.StringLiteral():
            return Text(tree.val)
        case parser.VectorSelector():
            return _select(tree)
        case parser.MatrixSelector():
            return Range(_select(tree.vector_selector), _ms(tree.range))
        case _:
            return None


def _select(tree: parser.VectorSelector) -> Select:
    if tree.matchers.or_matchers:
        raise Refused("parse error: 'or' between label matchers is not PromQL")
    matchers = matchers_of(tree.matchers.matchers)
    if tree.name is not None and not any(one.name == NAME for one in matchers):
        matchers.insert(0, Matcher(NAME, "=", tree.name))
    for one in matchers:
        if one.op in ("=~", "!~"):
            _check_regex(one.value)
    return Select(tuple(matchers), _ms(tree.offset), _at(tree.at))


def _check_regex(pattern: str) -> None:
    try:
        matching(pattern)
    except ValueError as error:
        raise Refused(f"parse error: error parsing regexp: {error}") from error


def _call(tree: parser.Call) -> Call:
    name = tree.func.name
    if name not in SUPPORTED:
        raise Refused(f"function {name!r} is not supported here")
    return Call(name, tuple(_node(arg) for arg in tree.args), _KINDS[str(tree.func.return_type)])


def _aggregate(tree: parser.AggregateExpr) -> Aggregate:
    op = str(tree.op)
    if op not in AGGREGATIONS:
        raise Refused(f"aggregation {op!r} is not supported here")
    names = frozenset[str]() if tree.modifier is None else frozenset(tree.modifier.labels)
    without = tree.modifier is not None and tree.modifier.type == parser.AggModifierType.Without
    param = None if tree.param is None else _node(tree.param)
    return Aggregate(op, _node(tree.expr), param, names, without)


def _binary(tree: parser.BinaryExpr) -> Binary:
    modifier = tree.modifier
    op, lhs, rhs = str(tree.op), _node(tree.lhs), _node(tree.rhs)
    if modifier is None:
        return Binary(op, lhs, rhs, to_bool=False, matching=Matching(False, frozenset(), "none", ()))
    if modifier.fill_values.lhs is not None or modifier.fill_values.rhs is not None:
        raise Refused("the modifier 'fill' is not supported here")
    on = modifier.matching is not None and modifier.matching.type == parser.LabelModifierType.Include
    names = frozenset[str]() if modifier.matching is None else frozenset(modifier.matching.labels)
    many = _MANY[str(modifier.card)]
    matching = Matching(on, names, many, tuple(modifier.group_labels or ()))
    return Binary(op, lhs, rhs, modifier.return_bool, matching)


def _at(at: parser.AtModifier | None) -> At:
    if at is None:
        return None
    if at.type == parser.AtModifierType.At:
        return round(float(str(at).removeprefix("@")) * 1000)  # its own `at` ends in a panic before 1970
    return "start" if at.type == parser.AtModifierType.Start else "end"


def _ms(duration: timedelta | None) -> int:
    return 0 if duration is None else duration // _MILLISECOND


_KINDS: dict[str, Kind] = {
    "ValueType.Vector": "vector",
    "ValueType.Scalar": "scalar",
    "ValueType.Matrix": "matrix",
    "ValueType.String": "string",
}
_BAD_REGEX = "illegal regex for "
_TYPES = {"matrix": "range vector", "vector": "instant vector"}
_OPERATORS: dict[str, Literal["=", "!=", "=~", "!~"]] = {
    "MatchOp.Equal": "=",
    "MatchOp.NotEqual": "!=",
    "MatchOp.Re": "=~",
    "MatchOp.NotRe": "!~",
}
_MANY: dict[str, Literal["none", "left", "right"]] = {
    "VectorMatchCardinality.OneToOne": "none",
    "VectorMatchCardinality.ManyToMany": "none",
    "VectorMatchCardinality.ManyToOne": "left",
    "VectorMatchCardinality.OneToMany": "right",
}
