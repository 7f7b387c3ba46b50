"""What an operator knows: `opsai://knowledge/ID`, pages and fault kinds listed, anything known by its id readable."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from opsai_server.resources.reading import MARKDOWN, SCHEME, Reading
from opsai_server.tools.desks import Desks
from opsai_server.tools.entries import Entry, entries
from opsai_server.tools.shaping import HARD_CHARS
from opsai_subjects.errors import UnknownName
from opsai_subjects.fault_page import fault_page
from opsai_subjects.known_bug import KnownBug
from opsai_subjects.subject import SubjectKind

URI = f"{SCHEME}knowledge"
KNOWN_BUGS = "known-bugs"


@dataclass(frozen=True, slots=True)
class Known:
    """One thing that is listed."""

    id: str
    title: str
    about: str


def knowledge_uri(ident: str) -> str:
    """Return where something known is read."""
    return f"{URI}/{quote(ident, safe='/')}"


def kinds_of(desks: Desks) -> tuple[SubjectKind, ...]:
    """Return the kinds of system that are served, each once."""
    return tuple({kind.name: kind for kind in desks.kinds.values()}.values())


def listed_knowledge(kinds: Iterable[SubjectKind]) -> list[Known]:
    """Return each page and each fault kind, and the table of known bugs."""
    found: dict[str, Known] = {}
    for kind in kinds:
        listed = [Known(page.id, page.title, "a page of what an operator knows") for page in kind.knowledge]
        listed += [Known(fault.id, fault.says, "a kind of fault: signs, rivals, remedy") for fault in kind.faults]
        if kind.known_bugs:
            listed.append(Known(KNOWN_BUGS, "Known bugs, with the releases that fix them", "a table"))
        for one in listed:
            found.setdefault(one.id, one)
    return list(found.values())


def known_ids(kinds: Iterable[SubjectKind]) -> list[str]:
    """Return every id that can be read, the listed ones first."""
    kinds = tuple(kinds)
    rest = (entry.id for kind in kinds for entry in entries(kind, kind.invariants))
    return list(dict.fromkeys([*(one.id for one in listed_knowledge(kinds)), *rest]))


def any_known(kinds: Iterable[SubjectKind]) -> str:
    """Return what may stand for an id, in words."""
    shown = next(iter(kinds)).examples
    bug = f" or known bug ({quote(shown.bug, safe='')})" if shown.bug else ""
    return f"A page, fault kind, invariant, metric, topic (metrics/{shown.topic}), sign{bug}."


async def read_knowledge(desks: Desks, id: str) -> Reading:  # noqa: A002 (the template's own word)
    """Return the Markdown of one thing known, of each kind of system that has it. Raises UnknownName."""
    kinds = kinds_of(desks)
    texts = {kind.name: text for kind in kinds if (text := text_of(kind, id)) is not None}
    if not texts:
        raise UnknownName("knowledge", id, tuple(known_ids(kinds)), advice="knowledge() finds ids by words.")
    if len(texts) > 1:
        texts = {name: f"(of {name})\n\n{text}" for name, text in texts.items()}
    text = "\n".join(texts.values())
    if len(text) > HARD_CHARS:
        text = (
            f"{text[: HARD_CHARS - 200]}\n\n(cut: {len(text)} characters in all; knowledge({id!r}, offset=…) goes on)\n"
        )
    return Reading(knowledge_uri(id), MARKDOWN, text)


def text_of(kind: SubjectKind, name: str) -> str | None:
    """Return the Markdown of one thing known of a kind of system; None for an id that is none."""
    page = next((page for page in kind.knowledge if page.id == name), None)
    if page is None and any(fault.id == name for fault in kind.faults):
        kinds = {fault.id: fault for fault in kind.faults}
        signs = {spec.id: spec for spec in kind.signs}
        page = fault_page(kinds[name], kinds, signs, kind.fault_notes.get(name, ""))
    if page is not None:
        return f"# {page.title}\n\n{page.text}\n"
    if name == KNOWN_BUGS and kind.known_bugs:
        return "\n".join(["# Known bugs", "", *(_bug_line(bug) for bug in kind.known_bugs), ""])
    entry = next((entry for entry in entries(kind, kind.invariants) if entry.id == name), None)
    return None if entry is None else _as_text(entry)


def _bug_line(bug: KnownBug) -> str:
    return f"- {bug.id} ({bug.component}): {bug.says}; {bug.remedy}. {bug.source}, checked {bug.checked.isoformat()}"


def _as_text(entry: Entry) -> str:
    fields: Mapping[str, object] = entry.whole
    lines = [f"- {name}: {_plain(value)}" for name, value in fields.items() if name not in ("id", "type")]
    return "\n".join([f"# {entry.id} ({entry.type})", "", *lines, ""])


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
