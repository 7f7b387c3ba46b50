"""Filling in the texts of a blueprint."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsai_lab.errors import BlueprintInvalid
from opsai_lab.targets.templates import filled_in


def refusal_of(text: str) -> str:
    try:
        filled_in(text, {"name": "etcd1"}, "roles.etcd.command")
    except BlueprintInvalid as error:
        return str(error)
    return ""


WORDS = st.from_regex(r"[a-z][a-z0-9-]{0,10}", fullmatch=True)


@given(
    values=st.dictionaries(WORDS, st.text() | st.integers(), min_size=1),
    between=st.text(alphabet=st.characters(exclude_characters="{}")),
)
def test_every_placeholder_becomes_its_value_and_the_rest_stays(values: dict[str, str | int], between: str) -> None:
    template = between.join(f"{{{word}}}" for word in values)

    assert filled_in(template, values, "here") == between.join(str(value) for value in values.values())


@given(text=st.text())
def test_any_text_is_filled_in_or_refused_with_its_place(text: str) -> None:
    said = refusal_of(text)

    assert said == "" or said.startswith("roles.etcd.command: ")


def test_a_value_is_never_a_template_itself() -> None:
    assert filled_in("{name}", {"name": "{data}", "data": "secret"}, "here") == "{data}"


@pytest.mark.parametrize("text", ["{nme}", "{}", "{name:>20}", "{name!r}", "{name.__class__}", "{name[0]}"])
def test_what_is_no_placeholder_is_refused_with_those_that_are(text: str) -> None:
    with pytest.raises(BlueprintInvalid, match=r"is no placeholder here\. Known: \{data\}, \{name\}\."):
        filled_in(text, {"name": "etcd1", "data": "/d"}, "here")


def test_doubled_braces_are_braces() -> None:
    assert filled_in('{{"name": "{name}"}}', {"name": "etcd1"}, "here") == '{"name": "etcd1"}'
