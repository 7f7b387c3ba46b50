"""Write `docs/tools.md` from the server itself and from what it answers on a shipped recording: `make tools`."""

import json
import tempfile
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import anyio
from mcp import Client
from mcp.types import Tool
from pydantic import JsonValue

from opsai_lab.recordings import DEMO, find
from opsai_server.app import Deps, build
from opsai_server.tickets.store import open_store
from opsai_server.watcher import play
from opsai_subjects.config import Settings, WatchSettings
from opsai_subjects.opening import open_replay

PAGE = Path(__file__).resolve().parents[1] / "docs" / "tools.md"
WATCHED = timedelta(minutes=1)
ITEMS = 2
FIELDS = 12
TEXT_CHARS = 110
WIDE_CHARS = 150
"""What fits into so many characters stands on one line."""
ASKED: Mapping[str, Mapping[str, Any]] = {
    "query_metrics": {"name": "leaders"},
    "compare_windows": {"topic": "raft"},
    "search_logs": {"templates": True},
    "tickets": {"id": "T-1"},
    "evidence": {"id": "E-1", "path": "/verdicts/store_up"},
    "knowledge": {"words": "tikv_down"},
    "latency": {"path": "write"},
}
"""What is asked where nothing would say less."""
INTRODUCTION = f"""# The tools of `opsai-mcp`

Written by `make tools` from the server itself: what a model reads of each tool, and what a server of TiKV answered on the
recording `{DEMO}` as of its end, shortened (`…`). Other systems have the same tools but for those of their own.

Of every reply: `cluster`, `at` (when it is true; times are UTC) and `evidence_id` come first, and `shown` says what a list leaves
out and how to see the others. The full value is stored under `evidence_id`: `evidence` reads it, a claim of `submit_diagnosis`
cites it. A server of several clusters has one argument more in every tool, `cluster`. An error says what was asked, of whom, what came
back and what to try; unknown arguments are refused with those that there are.
"""


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")


def page() -> str:
    """Return the page."""
    tools, replies = anyio.run(_asked)
    rows = [f"| [`{tool.name}`](#{tool.name}) | {_says(tool)[0]} |" for tool in tools]
    table = "\n".join(["| tool | what it answers |", "|---|---|", *rows])
    return "\n".join([INTRODUCTION, table, "", *(_part(tool, *replies[tool.name]) for tool in tools)])


async def _asked() -> tuple[list[Tool], dict[str, tuple[dict[str, Any], dict[str, Any]]]]:
    """Return the tools, and for each the arguments and the reply."""
    replies: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {}
    with tempfile.TemporaryDirectory(prefix="opsai-tools-") as folder:
        settings = Settings(store=Path(folder) / "opsai.sqlite")
        async with open_replay(find(DEMO)) as cluster, open_store(settings.store) as store:
            end = cluster.recording.incident.end
            await play(cluster, store, WatchSettings(), start=end - WATCHED, until=end)
            async with Client(build(Deps(cluster, store, settings))) as client:
                tools = (await client.list_tools()).tools
                for tool in tools:
                    arguments = dict(ASKED.get(tool.name, {}))
                    if tool.name == "submit_diagnosis":
                        arguments = _concluded(replies["differential"][1])
                    answer = await client.call_tool(tool.name, arguments)
                    if answer.is_error or answer.structured_content is None:
                        raise RuntimeError(f"{tool.name} does not answer {arguments}: {answer.content}")
                    replies[tool.name] = (arguments, answer.structured_content)
    return tools, replies


def _concluded(differential: Mapping[str, Any]) -> dict[str, Any]:
    """Return the diagnosis that the first cause amounts to."""
    cause = differential["causes"][0]
    return {
        "ticket": "T-1",
        "verdict": "fault" if cause["active"] else "recovered",
        "summary": cause["says"],
        "root_causes": [{"entity": cause["entity"], "kind": cause["kind"], "explanation": cause["says"]}],
        "claims": [
            {
                "says": sign["says"],
                "evidence_id": differential["evidence_id"],
                "path": f"/signs/{cause['entity']}/{sign['sign']}/state",
                "op": "==",
                "value": "shown",
            }
            for sign in cause["support"][:ITEMS]
        ],
        "action": {**cause["action"], "entity": cause["entity"]},
    }


def _part(tool: Tool, arguments: dict[str, JsonValue], reply: dict[str, JsonValue]) -> str:
    first, rest = _says(tool)
    lines = [f"## {tool.name}", "", first, rest, ""]
    lines += _parameters(tool.input_schema)
    if arguments:
        lines += ["Asked with", "", *_block(arguments), "it answers", "", *_block(reply)]
    else:
        lines += ["Asked without arguments it answers", "", *_block(reply)]
    return "\n".join(lines)


def _block(value: JsonValue) -> tuple[str, ...]:
    return ("```json", _text(_short(value)), "```", "")


def _says(tool: Tool) -> tuple[str, str]:
    first, _, rest = (tool.description or "").partition("\n")
    return first, rest


def _parameters(schema: Mapping[str, Any]) -> Iterator[str]:
    if not schema["properties"]:
        return
    yield "| argument | | what it is |"
    yield "|---|---|---|"
    shapes = schema.get("$defs", {})
    for name, part in schema["properties"].items():
        default = f", {json.dumps(part['default'])}" if "default" in part else ""
        needed = ", needed" if name in schema.get("required", ()) else ""
        yield f"| `{name}` | {_type(part, shapes)}{default}{needed} | {_what(part)} |"
        yield from (
            f"| `{name}.{inner}` | {_type(one, shapes)} | {_what(one)} |" for inner, one in _inside(part, shapes)
        )
    yield ""


def _what(part: Mapping[str, Any]) -> str:
    """Return what an argument is; bars would end a cell of the table."""
    return str(part.get("description", "")).replace("|", "\\|")


def _inside(part: Mapping[str, Any], shapes: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    inner = _meant(part.get("items", part), shapes)
    yield from inner.get("properties", {}).items()


def _meant(part: Mapping[str, Any], shapes: Mapping[str, Any]) -> Mapping[str, Any]:
    meant: Mapping[str, Any] = shapes[part["$ref"].rpartition("/")[2]] if "$ref" in part else part
    return meant


def _type(part: Mapping[str, Any], shapes: Mapping[str, Any]) -> str:
    part = _meant(part, shapes)
    if "enum" in part:
        return " ".join(f"`{one}`" for one in part["enum"])
    if "anyOf" in part:
        return " or ".join(_type(one, shapes) for one in part["anyOf"])
    if part["type"] == "array":
        return f"list of {_type(part['items'], shapes)}"
    return str(part["type"])


def _short(value: JsonValue) -> JsonValue:
    """Return a value with long lists, objects and texts cut, each cut marked."""
    if isinstance(value, dict):
        fields = {name: _short(part) for name, part in list(value.items())[:FIELDS]}
        return fields if len(value) <= FIELDS else {**fields, "…": f"{len(value) - FIELDS} more"}
    if isinstance(value, list):
        items = [_short(part) for part in value[: FIELDS if _is_row(value) else ITEMS]]
        return items if len(items) == len(value) else [*items, f"… {len(value) - len(items)} more"]
    if isinstance(value, str) and len(value) > TEXT_CHARS:
        return f"{value[:TEXT_CHARS]}…"
    return value


def _is_row(value: list[JsonValue]) -> bool:
    """Whether a list is a row of a table or its columns."""
    return not any(isinstance(part, dict | list) for part in value)


def _text(value: JsonValue, indent: str = "") -> str:
    """Return JSON that is read by people: what fits stands on one line."""
    line = json.dumps(value, ensure_ascii=False)
    if len(indent) + len(line) <= WIDE_CHARS or not isinstance(value, dict | list) or not value:
        return line
    deeper = indent + "  "
    if isinstance(value, dict):
        parts = [
            f"{deeper}{json.dumps(name, ensure_ascii=False)}: {_text(part, deeper)}" for name, part in value.items()
        ]
        return "{\n" + ",\n".join(parts) + f"\n{indent}}}"
    return "[\n" + ",\n".join(f"{deeper}{_text(part, deeper)}" for part in value) + f"\n{indent}]"


if __name__ == "__main__":
    main()
