"""Every command that the documents show is run, or is known to every program it names; every setting is described."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from itertools import takewhile
from pathlib import Path

import pytest
from pydantic import BaseModel

from opsai_subjects.config import Settings
from scripts.transcripts import facts, replaced, tools
from tests.clients.claude_code import PATIENT, QUIET
from tests.clients.claude_code import PROGRAM as CLAUDE

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = sorted([ROOT / "README.md", *(ROOT / "docs").glob("**/*.md"), *(ROOT / "subjects").glob("*.md")])
FENCE = re.compile(r"^ *```(\w+)([^\n]*)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
MODULES = {
    "opsai": "opsai_lab.cli",
    "opsai-agent": "opsai_agent.cli",
    "opsai-mcp": "opsai_server.mcp_cli",
    "opsai-watch": "opsai_server.watch_cli",
}
LINK = re.compile(r"\]\(([^)#\s]+)(#[^)]*)?\)")


@dataclass(frozen=True)
class Block:
    document: str
    mark: str
    commands: tuple[str, ...]

    @property
    def runnable(self) -> bool:
        return self.mark.split()[:1] == ["runnable"]


def blocks() -> list[Block]:
    found: list[Block] = []
    for path in DOCUMENTS:
        for language, mark, body in FENCE.findall(path.read_text(encoding="utf-8")):
            if language == "console":
                commands = tuple(line.lstrip()[2:] for line in body.splitlines() if line.lstrip().startswith("$ "))
                found.append(Block(path.relative_to(ROOT).as_posix(), mark.strip(), commands))
    return found


def runnable() -> list[pytest.param]:
    documents: dict[str, list[Block]] = {}
    for block in blocks():
        if block.runnable:
            documents.setdefault(block.document, []).append(block)
    return [
        pytest.param(of_document, id=document, marks=[getattr(pytest.mark, need) for need in needs(of_document)])
        for document, of_document in documents.items()
    ]


def needs(of_document: list[Block]) -> set[str]:
    """Return the markers of what they need, by `runnable etcd` (they bring real members up) or `runnable clients`."""
    return {need for block in of_document for need in block.mark.split()[1:]}


def test_each_console_block_is_run_or_says_why_not() -> None:
    unmarked = [block for block in blocks() if not block.runnable and not block.mark.startswith("not-run: ")]

    assert unmarked == []
    assert all(block.commands for block in blocks())


@pytest.mark.parametrize("of_document", runnable())
def test_the_commands_of_a_document_run_one_after_another(of_document: list[Block], tmp_path: Path) -> None:
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    for name in ("compose", "claude_desktop_config.example.json", "tests"):
        (checkout / name).symlink_to(ROOT / name)
    for name in (".claude-plugin", "plugins"):  # Claude Code copies a plugin, and follows no link out of it
        shutil.copytree(ROOT / name, checkout / name)
    (checkout / ".venv").symlink_to(Path(sys.executable).parents[1])
    commands = [command for block in of_document for command in block.commands]
    if "etcd" in needs(of_document):
        commands.insert(0, "trap 'opsai deploy local down' EXIT")  # whatever fails, no member is left
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("ANTHROPIC_", "OPSAI_"))}
    environment |= {"HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path / "state")}
    environment["PATH"] = os.pathsep.join((str(Path(sys.executable).parent), str(CLAUDE.parent), environment["PATH"]))
    environment |= QUIET | PATIENT  # for Claude Code

    done = subprocess.run(
        ["bash", "-euxo", "pipefail", "-c", "\n".join(commands)],
        cwd=checkout,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
        timeout=240,
    )

    assert done.returncode == 0, done.stderr[-3000:]


def test_every_option_in_a_command_that_is_not_run_exists() -> None:
    unknown = [
        f"{command}: {flag}"
        for block in blocks()
        if not block.runnable
        for command in block.commands
        for flag in unknown_flags(shlex.split(command))
    ]

    assert unknown == []


def unknown_flags(words: list[str]) -> list[str]:
    """Return the options that the program in a command does not have."""
    own = words[words.index("--") + 1 :] if "--" in words else words
    program = own[0].rpartition("/")[2]
    if program not in MODULES:
        return []
    said = help_of(program, *takewhile(lambda word: not word.startswith("-"), own[1:]))
    return [word for word in own if word.startswith("--") and word.partition("=")[0] not in said]


@cache
def help_of(program: str, *subcommand: str) -> str:
    called = [sys.executable, "-m", MODULES[program], *subcommand, "--help"]
    return subprocess.run(called, check=False, capture_output=True, text=True, timeout=60).stdout


def test_every_setting_is_described() -> None:
    text = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")

    assert [name for name in names_of(Settings) if not re.search(rf"[.`]{name}\b", text)] == []


def test_the_readme_names_the_tools_and_counts_as_the_programs_do() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")

    assert replaced(replaced(text, "tools", tools()), "facts", facts()) == text, "run: make transcripts"


@pytest.mark.parametrize("document", ["docs/demo.md", "docs/claude-run.md"])
def test_a_transcript_names_no_machine_and_ends_well(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")

    assert "confirmed" in text
    assert not re.search(r"Traceback|FAILED|WRONG|/home/", text)


def names_of(model: type[BaseModel]) -> list[str]:
    found: list[str] = []
    for name, field in model.model_fields.items():
        inner = [part for part in parts_of(field.annotation) if isinstance(part, type) and issubclass(part, BaseModel)]
        found += [name for _ in [()] if not inner]
        found += [deeper for part in inner for deeper in names_of(part)]
    return found


def parts_of(annotation: object) -> list[object]:
    arguments = getattr(annotation, "__args__", ())
    return [annotation, *(part for argument in arguments for part in parts_of(argument))]


def test_every_relative_link_leads_somewhere() -> None:
    broken = [
        f"{path.relative_to(ROOT)}: {target}"
        for path in DOCUMENTS
        for target, _ in LINK.findall(path.read_text(encoding="utf-8"))
        if "://" not in target and not (path.parent / target).exists()
    ]

    assert broken == []
