"""The tool `topology`: which nodes there are and how each stands, as tables."""

from collections import Counter
from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from opsai_server.tools.desk import Desk
from opsai_subjects.errors import UnknownName
from opsai_subjects.model import Node, Scalar
from opsai_subjects.reply import Answer, Rows, unread_rows, without_empty

ROWS = 25
SAME_FROM = 3
"""A column that is the same in so many rows or more is said once."""
NARROW = "narrow with nodes or role, or go on with offset; unusual states come first"


async def topology(
    desk: Desk,
    role: Annotated[str, Field(description="Only this role: {roles}.")] = "",
    nodes: Annotated[
        tuple[str, ...],
        Field(description="Only these: ['{entity}', '{node}'], or addresses.", max_length=50),
    ] = (),
    offset: Annotated[int, Field(description="Nodes to skip per role: 25.", ge=0)] = 0,
) -> Answer:
    """List the nodes as the cluster describes them now: names, addresses, state, figures (leader, counts, capacity, versions, heartbeat age).

    Use it for who is who, not for health (overview) or the past (query_metrics). Returns a table per role; `same` is what its rows
    share. Claim path: /nodes/ENTITY/state, or another column.
    """
    found = await desk.subject.topology()
    await desk.recognise(found)
    roles = tuple(sorted({node.role for node in found.nodes}))
    if role and role not in roles:
        raise UnknownName("role", role, roles)
    wanted = await _entities(desk, nodes)
    listed = [node for node in found.nodes if (not role or node.role == role) and (not nodes or node.entity in wanted)]
    unread = found.unread
    about = {"cluster_id": found.cluster_id, "summary": found.summary, "notes": found.notes}
    value = {**about, "nodes": {node.entity: _flat(node) for node in listed}, "unread": unread}
    shown = without_empty(about)
    shown["tables"] = {name: _table([node for node in listed if node.role == name], offset) for name in roles}
    return Answer(at=found.at, value=value, shown=shown | unread_rows(unread))


async def _entities(desk: Desk, names: Sequence[str]) -> set[str]:
    if not names:
        return set()
    facts = await desk.names()
    return {desk.node(facts, name).entity for name in names}


def _flat(node: Node) -> dict[str, Scalar]:
    own = node.model_dump(exclude={"details"})
    return {**own, **{name: value for name, value in node.details.items() if name not in own}}


def _table(nodes: Sequence[Node], offset: int) -> dict[str, object]:
    usual = Counter(node.state for node in nodes).most_common(1)
    ordered = sorted(nodes, key=lambda node: node.state == usual[0][0]) if usual else []
    flat = [_flat(node) for node in ordered]
    columns = list(dict.fromkeys(name for one in flat for name in one if name != "role"))
    same = {
        name: flat[0].get(name)
        for name in columns
        if len(flat) >= SAME_FROM and all(one.get(name) == flat[0].get(name) for one in flat)
    }
    columns = [name for name in columns if name not in same]
    rows = [[one.get(name) for name in columns] for one in flat[offset : offset + ROWS]]
    return without_empty({"same": same, "columns": columns}) | {"rows": Rows(rows, len(flat), NARROW)}
