"""The pages of what an operator of TiKV knows, from the Markdown files beside this module."""

from functools import cache
from importlib.resources import files

from opsai_subjects.subject import Page


@cache
def pages() -> tuple[Page, ...]:
    """Return the pages in order of id; the first line of each file is its title."""
    found = (entry for entry in files("opsai_tikv").joinpath("knowledge").iterdir() if entry.name.endswith(".md"))
    return tuple(
        sorted((_page(entry.name, entry.read_text(encoding="utf-8")) for entry in found), key=lambda one: one.id)
    )


def _page(name: str, text: str) -> Page:
    title, _, rest = text.partition("\n")
    return Page(id=name.removesuffix(".md"), title=title.removeprefix("# ").strip(), text=rest.strip())
