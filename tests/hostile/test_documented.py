"""docs/security.md claims nothing that no test shows."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "security.md"


def test_every_test_that_the_page_names_is_there() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", PAGE.read_text(encoding="utf-8"))

    assert len(named) >= 25
    assert [(file, test) for file, test in named if not (ROOT / file).is_file()] == []
    assert [(file, test) for file, test in named if test and test not in names_in(ROOT / file)] == []


def test_every_claim_of_a_table_of_defences_names_a_test_or_says_why_it_needs_none() -> None:
    text = PAGE.read_text(encoding="utf-8").partition("## What is stored where")[0]
    claims = [line for line in text.splitlines() if line.startswith("| ") and not line.startswith("| what stops it")]

    assert len(claims) >= 20
    assert [
        line for line in claims if "`tests/" not in line and not line.endswith(("| the same |", "| by construction |"))
    ] == []


def names_in(file: Path) -> set[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
