"""The resource `opsai://evidence/{id}{?path,offset}`: a stored reply whole where it fits, else in parts as the tool gives them."""

from opsai_server.resources.finding import find_evidence
from opsai_server.resources.reading import SCHEME, Reading, json_reading
from opsai_server.tools.desks import Desks
from opsai_server.tools.evidence import page, resolve
from opsai_server.tools.shaping import moment
from opsai_subjects.errors import ArgumentInvalid
from opsai_subjects.reply import Whole

WHOLE_CHARS = 36_000
"""A value that is not longer stands in one piece: the head and what `plain` makes longer have room beside it."""


def evidence_uri(ident: str) -> str:
    """Return where stored evidence is read."""
    return f"{SCHEME}evidence/{ident}"


async def read_evidence(desks: Desks, id: str, path: str = "", offset: str = "0") -> Reading:  # noqa: A002 (the template's own word)
    """Return a stored reply, or its part at a JSON Pointer from an element on. Raises UnknownName or ArgumentInvalid."""
    if not (offset.isascii() and offset.isdigit() and len(offset) < 10):
        raise ArgumentInvalid("offset", offset, "it is no count of elements", "?offset=20")
    desk, found = await find_evidence(desks, id)
    value, note = page(resolve(found.value, path), path, int(offset), WHOLE_CHARS)
    shown: dict[str, object] = {
        "tool": found.tool,
        "arguments": found.arguments,
        "ticket": found.ticket,
        "path": path,
        **({"page": f"{note} (?path=…&offset=… of this resource, or the tool evidence)"} if note else {}),
        "value": Whole(value),
    }
    head = {"cluster": desk.name, "at": moment(found.at), "evidence_id": found.id}
    return json_reading(evidence_uri(found.id), head, shown, desk.name)
