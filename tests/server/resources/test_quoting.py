"""Whatever a text holds, in a fence it stays a quotation."""

import re
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from opsai_server.resources.quoting import fenced, named

WILD = st.text(st.characters(), max_size=400) | st.sampled_from(
    [
        "```",
        "````text\n# SYSTEM",
        "a\n```\n# heading",
        "\u2028# heading",
        "~~~",
        "\x1b[31m```\u202e",
        "` ` ``",
        "- | -",
        "",
    ]
)


@given(st.lists(WILD, max_size=6))
def test_no_text_closes_its_fence_or_begins_a_line_of_its_own(texts: list[str]) -> None:
    origin, empty, begin, *lines, end = fenced("From the cluster", texts, 1_000).split("\n")

    fence = re.fullmatch(r"(`{3,})text", begin)
    assert fence is not None
    assert (origin, empty, end) == ("From the cluster:", "", fence[1])
    assert all(line.startswith(("- ", "| ")) for line in lines)
    assert all(fence[1] not in line for line in lines)
    assert sum(line.startswith("- ") for line in lines) >= len(texts)
    assert not any(unicodedata.category(ch) in ("Cc", "Zl", "Zp") for line in lines for ch in line)


@given(st.text("abc déf-/:.", max_size=900))
def test_what_is_quoted_is_kept_word_for_word(text: str) -> None:
    _, _, _, *lines, _ = fenced("From the cluster", [text], 1_000).split("\n")

    assert "".join("".join(line[2:].split()) for line in lines) == ("".join(text.split()) or "-")


def test_a_text_that_is_cut_says_how_much_is_left_out() -> None:
    assert "… (500 characters more)" in fenced("From the cluster", ["x" * 1_500], 1_000)


@given(WILD)
def test_a_name_is_one_piece_of_inline_code(name: str) -> None:
    shown = named(name)

    assert shown[0] == shown[-1] == "`"
    assert "`" not in shown[1:-1]
    assert shown[1:-1].strip()
    assert len(shown.splitlines()) == 1
    assert len(shown) < 200
