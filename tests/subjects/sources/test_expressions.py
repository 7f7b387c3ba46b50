"""A text as an expression finds itself, whatever stands in it."""

from hypothesis import given
from hypothesis import strategies as st

from opsai_subjects.model import LogQuery
from opsai_subjects.sources.expressions import any_of, literal
from opsai_subjects.sources.logs import Entry, Sieve
from tests.subjects.sources.toy import parse, window

PARSED = parse("1.0 INFO x")


def found(regex: str, text: str) -> bool:
    assert PARSED is not None
    return Sieve(LogQuery(window(0, 2), regex=regex)).admits(Entry(PARSED, text))


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), st.text(st.characters(exclude_categories=["Cs"])))
def test_a_text_finds_itself_and_only_where_it_stands(text: str, other: str) -> None:
    assert found(literal(text), f"a {text} b")
    assert found(literal(text), other) == (text in other)


def test_only_what_has_a_meaning_is_escaped() -> None:
    assert literal('a b-c [x] "y" #1 (z)') == r'a b-c \[x\] "y" #1 \(z\)'
    assert any_of(("a.b", "c|d")) == r"a\.b|c\|d"
