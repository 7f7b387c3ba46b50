"""Narrowing a query to one cluster: matchers put into each of its selectors, over the parser's tree and not in its text."""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

import promql_parser as parser

from opsai_subjects.errors import QueryInvalid
from opsai_subjects.promql.expression import Refused
from opsai_subjects.promql.labels import NAME, escaped
from opsai_subjects.promql.parsing import matchers_of, parsed
from opsai_subjects.promql.patterns import matching
from opsai_subjects.promql.samples import Matcher

REGEX = "=~"
"""Before a value in settings: it is a regular expression, for the whole value."""
_PLAIN = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_MOVED = re.compile(r"(?: @ (?:start\(\)|end\(\)|-?[\d.]+))?(?: offset -?\w+)?\Z")
"""What stands behind a selector's braces as the parser prints it. (Reading a negative `@` from its tree ends in a panic.)"""


def of_settings(matchers: Mapping[str, str]) -> tuple[Matcher, ...]:
    """Return the matchers that settings give: label to value, or to `=~` and a regular expression."""
    return tuple(
        Matcher(label, "=~", value.removeprefix(REGEX)) if value.startswith(REGEX) else Matcher(label, "=", value)
        for label, value in matchers.items()
    )


def shown(matchers: Sequence[Matcher]) -> str:
    """Return matchers as they stand in a query: `cluster="prod-7"`."""
    return ",".join(f'{_label(one.name)}{one.op}"{escaped(one.value)}"' for one in matchers)


@lru_cache(maxsize=2048)
def scoped(query: str, matchers: tuple[Matcher, ...]) -> str:
    """Return the query with the matchers in each of its selectors, beside those it has.

    Raises QueryInvalid for a query that cannot be parsed: what cannot be read cannot be narrowed.
    """
    try:
        tree = parser.transform(parsed(query), None, lambda node: _narrowed(node, matchers))
        text = " ".join(line.strip() for line in tree.prettify().split("\n"))
        _hold(text, matchers)
    except (Refused, ValueError) as refused:
        reason = f"{refused}. With `matchers` set, only PromQL that can be narrowed to this cluster is asked"
        raise QueryInvalid(query, reason) from refused
    return text


def contradictions(query: str, matchers: tuple[Matcher, ...]) -> list[str]:
    """Return what a query asks of a label that these matchers do not allow; nothing for what is no PromQL."""
    allowed = {one.name: one for one in matchers}
    try:
        asked = [one for selector in _selectors(parsed(query)) for group in _groups(selector) for one in group]
    except Refused:
        return []
    return list(dict.fromkeys(shown((one,)) for one in asked if one.name in allowed and _clash(one, allowed[one.name])))


def metric_names(query: str) -> frozenset[str] | None:
    """Return the names of the metrics that a query reads; None when it does not name each or is no PromQL."""
    try:
        selectors = _selectors(parsed(query))
    except Refused:
        return None
    names = [_name_of(group) for selector in selectors for group in _groups(selector)]
    return None if None in names else frozenset(name for name in names if name is not None)


def names_read(query: str) -> frozenset[str]:
    """Return the names of the metrics that a query reads, or `=~` and the regular expression it gives for one.

    Raises Refused for what is no PromQL.
    """
    groups = [group for selector in _selectors(parsed(query)) for group in _groups(selector)]
    patterns = {f"{REGEX}{one.value}" for group in groups for one in group if one.name == NAME and one.op == "=~"}
    return frozenset({name for group in groups if (name := _name_of(group)) is not None} | patterns)


def named(names: frozenset[str]) -> Callable[[str], bool]:
    """Return what says whether a metric is among these names, as `names_read` gives them."""
    patterns = [matching(name.removeprefix(REGEX)) for name in names if name.startswith(REGEX)]
    return lambda name: name in names or any(matches(name) for matches in patterns)


def _name_of(matchers: Sequence[Matcher]) -> str | None:
    return next((one.value for one in matchers if one.name == NAME and one.op == "="), None)


def _clash(asked: Matcher, allowed: Matcher) -> bool:
    if asked.op == "=":
        return not allowed.matches(asked.value)
    return allowed.op == "=" and not asked.matches(allowed.value)


def _narrowed(node: parser.Expr, matchers: tuple[Matcher, ...]) -> parser.Expr | None:
    """Return a selector with the matchers, parsed anew from text: the parser's own nodes cannot be changed."""
    if not isinstance(node, parser.VectorSelector):
        return None
    groups = _groups(node)
    name = _name_of(groups[0]) if len(groups) == 1 else None
    if name is None or not _PLAIN.fullmatch(name) or sum(one.name == NAME for one in groups[0]) > 1:
        name = ""
    inside = " or ".join(
        shown((*(one for one in group if not name or one.name != NAME), *matchers)) for group in groups
    )
    moved = _MOVED.search(node.prettify())
    return parser.parse(f"{name}{{{inside}}}{moved[0] if moved else ''}")


def _groups(selector: parser.VectorSelector) -> list[list[Matcher]]:
    """Return a selector's matchers, its name as one of them; several lists where they stand with `or` (VictoriaMetrics)."""
    named = [] if selector.name is None else [Matcher(NAME, "=", selector.name)]
    listed = selector.matchers.or_matchers or [selector.matchers.matchers]
    return [[*named, *(one for one in matchers_of(group) if one not in named)] for group in listed]


def _hold(text: str, matchers: tuple[Matcher, ...]) -> None:
    """Check the printed query, so that nothing is sent that reads of another cluster."""
    for selector in _selectors(parsed(text)):
        if any(one not in group for group in _groups(selector) for one in matchers):
            raise Refused(f"a selector of {text!r} could not be narrowed to {shown(matchers)}")


def _selectors(tree: parser.Expr) -> list[parser.VectorSelector]:
    found: list[parser.VectorSelector] = []

    def visit(node: parser.Expr) -> None:
        if isinstance(node, parser.VectorSelector):
            found.append(node)

    parser.walk(tree, visit)
    return found


def _label(name: str) -> str:
    return name if _PLAIN.fullmatch(name) and ":" not in name else f'"{escaped(name)}"'
