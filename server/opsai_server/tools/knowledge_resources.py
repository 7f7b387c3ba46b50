"""What an operator knows as MCP resources: `opsai://knowledge/ID`, pages and fault kinds listed, anything known by its id readable."""

import json
from collections.abc import Mapping
from functools import partial
from typing import Any
from urllib.parse import quote, unquote

from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ResourceNotFoundError
from mcp.server.mcpserver.resources import FunctionResource, Resource

from opsai_server.tools.entries import Entry, entries
from opsai_subjects.fault_page import fault_page
from opsai_subjects.known_bug import KnownBug
from opsai_subjects.subject import SubjectKind

SCHEME = "opsai://knowledge/"
MARKDOWN = "text/markdown"
KNOWN_BUGS = "known-bugs"


def resources(kind: SubjectKind) -> list[Resource]:
    """Return a resource for each page and each fault kind, and one for the table of known bugs."""
    listed = [(page.id, page.title, "a page of what an operator knows") for page in kind.knowledge]
    listed += [(fault.id, fault.says, "a kind of fault: signs, rivals, remedy") for fault in kind.faults]
    if kind.known_bugs:
        listed.append((KNOWN_BUGS, "Known bugs, with the releases that fix them", "a table"))
    return [
        FunctionResource(
            uri=f"{SCHEME}{quote(name, safe='/')}",
            name=name,
            title=title,
            description=about,
            mime_type=MARKDOWN,
            fn=partial(text_of, kind, name),
        )
        for name, title, about in listed
    ]


def add_template(server: MCPServer[Any], kind: SubjectKind) -> None:
    """Let any entry be read by its id, listed or not: a metric, an invariant, a known bug."""

    @server.resource(
        f"{SCHEME}{{+id}}",
        name="knowledge",
        title="Anything known by its id",
        description=_anything(kind),
        mime_type=MARKDOWN,
    )
    def by_id(id: str) -> str:  # noqa: A002 - the template's own word
        return text_of(kind, unquote(id))


def _anything(kind: SubjectKind) -> str:
    shown = kind.examples
    bug = f" or known bug ({quote(shown.bug, safe='')})" if shown.bug else ""
    return f"A page, fault kind, invariant, metric, topic (metrics/{shown.topic}), sign{bug}."


def text_of(kind: SubjectKind, name: str) -> str:
    """Return the Markdown of one thing known. Raises ResourceNotFoundError for an id that is none."""
    page = next((page for page in kind.knowledge if page.id == name), None)
    if page is None and any(fault.id == name for fault in kind.faults):
        kinds = {fault.id: fault for fault in kind.faults}
        signs = {spec.id: spec for spec in kind.signs}
        page = fault_page(kinds[name], kinds, signs, kind.fault_notes.get(name, ""))
    if page is not None:
        return f"# {page.title}\n\n{page.text}\n"
    if name == KNOWN_BUGS:
        return "\n".join(["# Known bugs", "", *(_bug_line(bug) for bug in kind.known_bugs), ""])
    entry = next((entry for entry in entries(kind, kind.invariants) if entry.id == name), None)
    if entry is None:
        raise ResourceNotFoundError(f"Nothing is known under {name!r}. knowledge() lists ids, and finds them by words.")
    return _as_text(entry)


def _bug_line(bug: KnownBug) -> str:
    return f"- {bug.id} ({bug.component}): {bug.says}; {bug.remedy}. {bug.source}, checked {bug.checked.isoformat()}"


def _as_text(entry: Entry) -> str:
    fields: Mapping[str, object] = entry.whole
    lines = [f"- {name}: {_plain(value)}" for name, value in fields.items() if name not in ("id", "type")]
    return "\n".join([f"# {entry.id} ({entry.type})", "", *lines, ""])


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
