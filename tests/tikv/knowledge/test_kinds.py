"""Every kind of fault has a page: its data, and where to look, how long it takes and what makes it worse."""

import re

import pytest

from opsai_subjects.fault_page import fault_page
from opsai_tikv.kind import KIND

KINDS = {kind.id: kind for kind in KIND.faults}
SIGNS = {spec.id: spec for spec in KIND.signs}


def test_notes_are_of_kinds_that_there_are_and_every_kind_has_them() -> None:
    assert set(KIND.fault_notes) == set(KINDS)


@pytest.mark.parametrize("name", sorted(KINDS))
def test_notes_say_where_to_look_how_long_it_takes_and_what_makes_it_worse(name: str) -> None:
    notes = KIND.fault_notes[name].splitlines()
    assert [line.split(":")[0] for line in notes] == ["- Look", "- How long", "- Worse"]


def test_notes_name_metrics_that_there_are() -> None:
    known = {signal.name for signal in KIND.signals}
    words = {word for notes in KIND.fault_notes.values() for word in re.findall(r"`([a-z0-9]+(?:_[a-z0-9]+)+)`", notes)}
    files = {"panic_mark_file", "space_placeholder_file"}
    assert words - known - files == set()


@pytest.mark.parametrize("name", sorted(KINDS))
def test_a_page_names_every_sign_rival_and_the_remedy(name: str) -> None:
    kind = KINDS[name]
    page = fault_page(kind, KINDS, SIGNS, KIND.fault_notes[name])
    for sign in (
        *kind.must_show,
        *kind.must_not_show,
        *kind.supports,
        *(one for group in kind.one_of for one in group),
    ):
        assert sign in page.text
    for rival in kind.rivals:
        assert f"- {rival} (" in page.text
    assert kind.do in page.text
    assert kind.verify in page.text
    assert len(page.text) < 9_000


def test_ids_of_pages_and_kinds_are_not_mixed_up() -> None:
    assert {page.id for page in KIND.knowledge}.isdisjoint(KINDS)
