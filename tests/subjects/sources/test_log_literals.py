"""What a regular expression cannot match without, told only where it is certain."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsai_subjects.sources.log_literals import needed


@pytest.mark.parametrize(
    ("regex", "texts"),
    [
        ("connection aborted", ("connection aborted",)),
        (r"region \d+ elected", (" elected",)),
        (r"^\[WARN\] .*store_id=4", ("store_id=4",)),
        ("panicked|corrupt(ed|ion)", ("panicked", "corrupt")),
        ("took [0-9]{2,}ms too slow", ("ms too slow",)),
        ("slows? down", (" down",)),
        ("connect.*(aborted|reset) by", ("connect",)),
        ("aborted+ly", ("aborted",)),
    ],
)
def test_the_longest_text_of_each_branch_is_needed(regex: str, texts: tuple[str, ...]) -> None:
    assert needed(regex) == texts


@pytest.mark.parametrize(
    "regex",
    ["", "(?i)panic", ".*", r"\d+", "panic|.", "ab", r"\x70anic", r"\p{L}anic", "[[:alpha:]]anic", "(?x) p a n i c", "x{", "abcd\\"],
)  # fmt: skip
def test_where_it_is_not_certain_nothing_is(regex: str) -> None:
    assert needed(regex) == ()


PIECES = st.sampled_from(
    ["abc", "region ", "[a-f]", r"\d", r"\.", ".", "x*", "y+", "z?", "q{0,2}", "(ab|cd)", "(?:lock)?", "(key)+", "|", r"\[", "err", "[^]x]"]
)  # fmt: skip


@given(st.lists(PIECES, max_size=8).map("".join), st.data())
def test_whatever_matches_holds_one_of_them(regex: str, data: st.DataObject) -> None:
    text = data.draw(st.from_regex(re.compile(regex, re.ASCII)))
    found = re.compile(regex, re.ASCII).search(text)
    texts = needed(regex)

    assert found is not None
    assert not texts or any(one in text for one in texts)


@given(st.text(alphabet="ab\\\\[](){}|*+?.^$:P<", max_size=12))
def test_no_expression_is_too_strange(regex: str) -> None:
    needed(regex)
