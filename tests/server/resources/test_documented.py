"""The page about resources and prompts names each of them as the server does, and its example prints what it shows."""

import os
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest
from mcp import Client

from opsai_server.app import assemble
from opsai_server.tools.desks import Desks
from opsai_tikv.kind import KIND

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "resources.md").read_text(encoding="utf-8")


def table(mark: str) -> str:
    """Return the rows between a mark's lines."""
    return PAGE.split(f"<!-- begin: {mark} -->\n\n")[1].split(f"\n<!-- end: {mark} -->")[0]


def written(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """Return a table as Markdown has it."""
    lines = [f"| {' | '.join(head)} |", f"{'|---' * len(head)}|", *(f"| {' | '.join(row)} |" for row in rows)]
    return "".join(f"{line}\n" for line in lines)


async def test_the_page_names_every_resource_and_every_prompt() -> None:
    async with Client(assemble(Desks({"prod": KIND}))) as client:
        fixed = [one for one in (await client.list_resources()).resources if "knowledge" not in one.uri]
        templates = (await client.list_resource_templates()).resource_templates
        prompts = (await client.list_prompts()).prompts

    uris = {one.uri_template: one.description or "" for one in templates}
    others = {one.uri: one.description or "" for one in fixed if one.uri + "{?cluster}" not in uris}
    listed = written(("URI", "what it is"), ((f"`{uri}`", about) for uri, about in {**others, **uris}.items()))
    assert table("resources") == listed, listed
    asked = written(
        ("prompt", "arguments", "what it asks for"),
        (
            (
                f"`{one.name}`",
                ", ".join(f"`{arg.name}`" + ("" if arg.required else "?") for arg in one.arguments or ()),
                one.description or "",
            )
            for one in prompts
        ),
    )
    assert table("prompts") == asked, asked


def test_the_example_prints_what_the_page_shows() -> None:
    [program] = re.findall(r"^```python\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)
    [shown] = re.findall(r"^`````text\n(.*?)^`````", PAGE, flags=re.MULTILINE | re.DOTALL)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OPSAI_")}
    environment["PATH"] = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))

    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )

    assert done.returncode == 0, done.stderr[-3_000:]
    assert done.stdout == shown
