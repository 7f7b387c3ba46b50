"""What an operator of etcd knows, from the Markdown files beside this module: pages, and notes on each kind of fault."""

import re
from functools import cache
from importlib.resources import files

from opsai_subjects.subject import Page

_SECTION = re.compile(r"^## (\S+)\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)


@cache
def pages() -> tuple[Page, ...]:
    """Return the pages in order of id; the first line of each file is its title."""
    return tuple(sorted((_page(name, text) for name, text in _texts("knowledge")), key=lambda one: one.id))


@cache
def fault_notes() -> dict[str, str]:
    """Return what the data of a fault kind does not say, by its id: a section of a file in `knowledge/kinds` each."""
    return {kind: notes.strip() for _, text in _texts("knowledge/kinds") for kind, notes in _SECTION.findall(text)}


def _texts(folder: str) -> list[tuple[str, str]]:
    entries = files("opsai_etcd").joinpath(folder).iterdir()
    return [(entry.name, entry.read_text(encoding="utf-8")) for entry in entries if entry.name.endswith(".md")]


def _page(name: str, text: str) -> Page:
    title, _, rest = text.partition("\n")
    return Page(id=name.removesuffix(".md"), title=title.removeprefix("# ").strip(), text=rest.strip())
