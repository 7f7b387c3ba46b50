"""The pages of what an operator of TiKV knows: the Markdown files beside this module, and the shipped alert rules."""

from functools import cache
from importlib.resources import files

from opsai_subjects.subject import Page
from opsai_tikv.alerts import told


@cache
def pages() -> tuple[Page, ...]:
    """Return the pages in order of id; the first line of each file is its title."""
    found = (entry for entry in files("opsai_tikv").joinpath("knowledge").iterdir() if entry.name.endswith(".md"))
    own = [_page(entry.name, entry.read_text(encoding="utf-8")) for entry in found]
    rules = Page(id="alert-rules", title="Which invariant says what a shipped alert rule says", text=told())
    return tuple(sorted((*own, rules), key=lambda one: one.id))


def _page(name: str, text: str) -> Page:
    title, _, rest = text.partition("\n")
    return Page(id=name.removesuffix(".md"), title=title.removeprefix("# ").strip(), text=rest.strip())
