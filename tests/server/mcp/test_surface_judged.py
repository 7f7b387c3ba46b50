"""What is wrong with a definition or a reply is found, and said in a sentence."""

from typing import Any

import pytest

from opsai_server.surface import of_definition, of_refusal, of_reply
from opsai_server.tools.shaping import compact

TOOLS = ("overview", "look", "submit_diagnosis")
SAYS = "Look at what there is to be looked at. Use it to see; for health use overview. Returns what it saw, as a table."
LOOK: dict[str, Any] = {
    "name": "look",
    "description": SAYS,
    "annotations": {"readOnlyHint": True, "destructiveHint": False, "openWorldHint": False},
    "inputSchema": {
        "properties": {"at": {"description": "What: 'store:4'.", "type": "string"}},
        "type": "object",
        "additionalProperties": False,
    },
}
REPLY: dict[str, Any] = {
    "cluster": "lab",
    "at": "2026-05-01T12:00:00.000Z",
    "evidence_id": "E-1",
    "shown": {"a.b.rows": "2 of 3; narrow with at"},
    "a.b": {"rows": [1, 2]},
}


def schema(**changed: Any) -> dict[str, Any]:
    return {"inputSchema": {**LOOK["inputSchema"], **changed}}


def answer(text: str = "", **changed: Any) -> tuple[dict[str, Any] | None, str]:
    reply = REPLY | changed
    return reply, text or compact(reply)


def test_a_definition_and_a_reply_with_nothing_wrong_are_left_alone() -> None:
    assert of_definition(LOOK, TOOLS) == []
    assert of_reply("look", "lab", *answer()) == []
    assert of_reply("knowledge", "lab", *answer(evidence_id=None)) == []
    assert of_refusal("look", ("at",), "on", "unknown argument 'on'. Arguments of look: at.") == []


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"annotations": {"readOnlyHint": True}}, "its annotations do not say destructiveHint, openWorldHint"),
        ({"annotations": LOOK["annotations"] | {"readOnlyHint": False}}, "readOnlyHint must be True"),
        ({"annotations": LOOK["annotations"] | {"destructiveHint": True}}, "no tool destroys anything"),
        ({"name": "submit_diagnosis"}, "readOnlyHint must be False"),
        ({"description": "Look. Returns it; else overview."}, "its description has 32 characters, not 100 to 4,000"),
        ({"description": SAYS.replace("Returns", "Gives")}, "does not say what it returns"),
        ({"description": SAYS.replace("overview", "another")}, "names no other tool"),
        (schema(additionalProperties=True), "its schema is not closed"),
        (schema(properties={"at": {"type": "string"}}), "argument at is not described"),
        (schema(properties={"at": {"description": "'{entity}'"}}), "argument at shows {entity} unfilled"),
    ],
)
def test_what_a_definition_lacks_is_told(changed: dict[str, Any], says: str) -> None:
    assert any(says in one for one in of_definition(LOOK | changed, TOOLS)), of_definition(LOOK | changed, TOOLS)


@pytest.mark.parametrize(
    ("result", "says"),
    [
        ((None, "Done."), "look answers nothing structured"),
        (answer(cluster="other"), "it names the cluster 'other', not 'lab'"),
        (answer(at="12:00"), "it does not say when it is true: at='12:00'"),
        (answer(evidence_id=None), "it cannot be cited: evidence_id=None"),
        (answer(text="2 rows more"), "its text is not its structured reply as compact JSON"),
        (answer(shown="nothing: too long"), "it shows nothing of what was found"),
        (answer(shown={"a.b.rows": "some more"}), "is no 'n of m; how to narrow'"),
        (answer(shown={"a.b.rows": "3 of 3; narrow with at"}), "of what is not such a part"),
        (answer(shown={"a.rows": "2 of 3; narrow with at"}), "of what is not such a part"),
        (answer(since="2026-05-01T12:00:00+02:00"), "/since is a time that is not told in UTC"),
        (answer(since="2026-05-01T12:00"), "/since is a time that is not told in UTC"),
        (answer(rows=[2**53 + 1]), "/rows/0 is an integer above 2^53"),
        (answer(text="x" * 50_000, long="x" * 50_000), "characters, over 40,000"),
        (answer(says="\x1b[31mred"), "/says holds control or direction characters"),
    ],
)
def test_what_a_reply_lacks_is_told(result: tuple[dict[str, Any] | None, str], says: str) -> None:
    assert any(says in one for one in of_reply("look", "lab", *result)), of_reply("look", "lab", *result)


def test_a_refusal_that_does_not_name_what_would_do_is_told() -> None:
    (says,) = of_refusal("look", ("at", "on"), "nowhere", "no such thing")

    assert says.startswith(
        "look: the refusal of 'nowhere' says not \"unknown argument 'nowhere'. Arguments of look: at, on"
    )
