"""Regular expressions mean what they mean in RE2, and take no longer for being badly written."""

import pytest

from opsai_subjects.promql.patterns import capturing, expanded, matching
from tests.subjects.promql.corpus import PATTERNS


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        ("a|bc", "bc", "abc"),
        ("a.c", "a\nc", "ac"),
        ("(?-s)a.c", "abc", "a\nc"),
        ("(?i)ab", "AB", "AC"),
        ("a(?i)b|c", "aB", "Ab"),
        ("a(?i)b|c", "C", "A"),
        (r"\w+", "abc_1", "Größe"),
        (r"\W", "ß", "s"),
        (r"\d+", "12", "١٢"),
        ("[[:alpha:]]+", "abc", "ab1"),
        ("[[:^alpha:]]+", "1-2", "ab"),
        (r"[^\d.]+", "abc", "a.b"),
        ("[]a]+", "a]", "b"),
        ("[a-]+", "a-a", "b"),
        (r"\Qa.b\E+", "a.bb", "axb"),
        (r"\x41\x{e9}\101", "AéA", "A"),
        (r"\pL+", "Größe", "1"),
        ("a{2,3}", "aaa", "a"),
        ("a{,2}", "a{,2}", "aa"),
        ("^a$", "a", "a\n"),
        (r"a\z", "a", "a\n"),
        ("(?m)^a$", "a", "b"),
        ("$^", "", "a"),
        ("", "", "a"),
    ],
)
def test_a_whole_text_matches_or_does_not(pattern: str, yes: str, no: str) -> None:
    assert matching(pattern)(yes)
    assert not matching(pattern)(no)


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("(", "missing closing )"),
        ("a)", "unexpected )"),
        ("[a", "missing closing ]: `[a`"),
        ("[z-a]", "invalid character class range: `z-a`"),
        ("[[:nothing:]]", "invalid character class range: `[:nothing:]`"),
        ("*a", "missing argument to repetition operator: `*`"),
        ("a|+", "missing argument to repetition operator: `+`"),
        ("a**", "invalid nested repetition operator: `**`"),
        ("a{1001}", "invalid repeat count: `{1001}`"),
        ("a{2,1}", "invalid repeat count: `{2,1}`"),
        ("(?=a)", "invalid or unsupported Perl syntax: `(?=`"),
        (r"(a)\1", r"invalid escape sequence: `\1`"),
        (r"\y", r"invalid escape sequence: `\y`"),
        (r"\x{110000}", r"invalid escape sequence: `\x{110000}`"),
        ("a\\", "trailing backslash at end of expression: ``"),
        ("(?U)a", "the flag U is not supported here"),
    ],
)
def test_what_re2_does_not_know_is_refused_in_its_words(pattern: str, words: str) -> None:
    with pytest.raises(ValueError) as refused:
        matching(pattern)
    assert str(refused.value) == words


def test_an_expression_that_would_need_too_much_memory_is_refused() -> None:
    with pytest.raises(ValueError, match="exceeds size limit"):
        matching("((a{1000}){1000}){1000}")


def test_an_expression_with_endless_ways_to_fail_fails_at_once() -> None:
    assert not matching("(a+)+b")("a" * 5000)
    assert capturing("(a|aa)+b")("a" * 5000) is None


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("$1", "left"),
        ("${2}x", "rightx"),
        ("$2x", ""),
        ("$side-$$1", "right-$1"),
        ("$9$none", ""),
        ("$0", "left:right"),
        ("a$", "a$"),
    ],
)
def test_a_template_is_filled_from_the_groups(template: str, expected: str) -> None:
    match = capturing("(.*):(?P<side>.*)")("left:right")
    assert match is not None
    assert expanded(template, match) == expected


def test_matching_and_capturing_agree() -> None:
    wrong: list[tuple[str, str]] = []
    for written, value in PATTERNS:
        pattern = written.replace("\\\\", "\\")
        try:
            matches, capture = matching(pattern), capturing(pattern)
        except ValueError:
            continue
        if matches(value) != (capture(value) is not None):
            wrong.append((pattern, value))

    assert wrong == []


def test_classes_by_unicode_property_match_but_have_no_groups() -> None:
    assert matching(r"\pL+")("Größe")
    with pytest.raises(ValueError, match="Unicode classes"):
        capturing(r"(\pL+)")
