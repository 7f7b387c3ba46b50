"""The house rules that no linter knows."""

import ast
import io
import itertools
import re
import subprocess
import sys
import tokenize
import tomllib
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution, entry_points, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 40
PACKAGES = [ROOT / package for package in PYPROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]]

# Written in pieces, so that this file does not hold what it forbids.
MACHINE_PATH = re.compile(r"(?<![\w.-])/(?:wor" + r"k|roo" + r"t|far" + r"m)/\w|/tmp/ba" + r"sh_|/opt/ops" + "ai")
REGISTRY_HOST = re.compile(
    r"(?:pypi|pythonhosted|npmjs|yarnpkg|crates|golang|maven\.apache|debian)" + r"\.(?:org|io|com|net)\b"
)
LOCK_FILE = re.compile(r"(?:^|/)(?:uv|poetry|Pipfile|package-lock|yarn|pnpm-lock|Cargo)\.(?:lock|json|yaml)$")


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def texts() -> Iterator[tuple[Path, str]]:
    for path in tracked():
        try:
            yield path, path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue


def places(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:120]}"
        for path, text in texts()
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True, timeout=60)


def test_no_source_file_is_longer_than_a_reader_bears() -> None:
    long = [
        f"{path.relative_to(ROOT)}: {len(text.splitlines())}"
        for path, text in texts()
        if path.suffix == ".py" and len(text.splitlines()) > MAX_FILE_LINES
    ]

    assert long == []


def test_no_function_is_longer_than_a_screen() -> None:
    long = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}: {lines_of(node)}"
        for path, text in texts()
        if path.suffix == ".py" and any(package in path.parents for package in PACKAGES)
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and lines_of(node) > MAX_FUNCTION_LINES
    ]

    assert long == []


def lines_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return how many lines a function does something in: without its signature and docstring."""
    statements = function.body[1:] if ast.get_docstring(function) is not None else function.body
    return (statements[-1].end_lineno or 0) - statements[0].lineno + 1 if statements else 0


SYSTEMS = re.compile(
    r"tikv|tidb|tiflash|tiup|etcd|rocksdb|raftstore|store_up|(?<![a-z])(?:pd|tso|regions?)(?![a-z])|(?<![a-z])stores?:\d",
    re.IGNORECASE,
)
"""Words of one system: none has a place in what knows any."""
ONE_SYSTEM_HERE = {
    "subjects/opsai_subjects/config.py": "what a cluster is where nothing says so, and `pd`, the old name of `endpoints`",
    "subjects/opsai_subjects/flags.py": "`--pd`, the old name of `--endpoint`",
    "compose/opsai_lab/deploy_cli.py": "which local clusters ship",
    "compose/opsai_lab/targets/processes/": "where a system's own installer puts its programs",
}
"""Files that may name one all the same, or folders of them, and what for."""


def test_the_core_names_no_system() -> None:
    cores = ("subjects/opsai_subjects/", "server/opsai_server/", "agent/opsai_agent/")
    named = [
        f"{name}:{number}: {line.strip()[:120]}"
        for path, text in texts()
        if (name := path.relative_to(ROOT).as_posix()).startswith((*cores, "compose/opsai_lab/"))
        and not name.startswith(tuple(ONE_SYSTEM_HERE))
        for number, line in (
            code_lines(text)
            if name.startswith("compose/") and path.suffix == ".py"
            else enumerate(text.splitlines(), 1)
        )
        if SYSTEMS.search(line)
    ]

    assert named == []


def test_whatever_may_name_a_system_does() -> None:
    naming = {path.relative_to(ROOT).as_posix() for path, text in texts() if SYSTEMS.search(text)}

    assert [place for place in ONE_SYSTEM_HERE if not any(name.startswith(place) for name in naming)] == []


def code_lines(source: str) -> Iterator[tuple[int, str]]:
    """Yield the names and texts of a program with their lines: not its comments and docstrings."""
    tokens = [
        token
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type not in (tokenize.COMMENT, tokenize.NL, tokenize.INDENT, tokenize.DEDENT)
    ]
    for before, token in itertools.pairwise([None, *tokens]):
        stands_alone = before is None or before.type == tokenize.NEWLINE
        if token is not None and not (stands_alone and token.type == tokenize.STRING):
            yield token.start[0], token.string


def test_no_tracked_file_names_a_path_of_some_machine() -> None:
    assert places(MACHINE_PATH) == []


def test_no_tracked_file_names_a_package_host() -> None:
    assert places(REGISTRY_HOST) == []


def test_versions_are_pinned_by_the_constraints_file_and_by_no_lock_file() -> None:
    assert [str(path) for path in tracked() if LOCK_FILE.search(path.as_posix())] == []


def test_every_package_that_is_installed_for_us_is_pinned() -> None:
    pinned = {
        canonicalize_name(line.partition("==")[0])
        for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
        if line and not line.startswith("#")
    }

    assert closure(declared()) - pinned == set()


def declared() -> list[Requirement]:
    groups = PYPROJECT["dependency-groups"].values()
    listed = [entry for group in groups for entry in group if isinstance(entry, str)]
    return [Requirement(line) for line in (*listed, *PYPROJECT["project"]["dependencies"], "hatchling", "editables")]


def closure(wanted: list[Requirement]) -> set[str]:
    """Return the names of everything that these requirements bring, as far as it is installed here."""
    found: set[str] = set()
    seen: set[tuple[str, frozenset[str]]] = set()
    while wanted:
        requirement = wanted.pop()
        key = (canonicalize_name(requirement.name), frozenset(requirement.extras))
        if key in seen:
            continue
        seen.add(key)
        found.add(key[0])
        try:
            needs = [Requirement(line) for line in requires(requirement.name) or ()]
        except PackageNotFoundError:
            continue
        extras = requirement.extras or {""}
        wanted += [need for need in needs if not need.marker or any(need.marker.evaluate({"extra": e}) for e in extras)]
    return found


def test_every_public_package_and_module_says_its_duty() -> None:
    silent = [
        str(path.relative_to(ROOT))
        for path, text in texts()
        if path.suffix == ".py" and ROOT / "tests" not in path.parents and ast.get_docstring(ast.parse(text)) is None
    ]

    assert silent == []


def test_every_entry_point_loads() -> None:
    scripts = [point for point in entry_points(group="console_scripts") if point.dist and point.dist.name == "opsai"]

    assert sorted(point.name for point in scripts) == ["opsai", "opsai-agent", "opsai-mcp", "opsai-watch"]
    assert all(callable(point.load()) for point in scripts)
    assert sorted(point.name for point in entry_points(group="opsai.subjects") if point.load()) == ["etcd", "tikv"]


@pytest.mark.parametrize("module", ["opsai_lab.cli", "opsai_server.watch_cli"])
def test_the_bench_and_the_watcher_start_without_the_protocol_library(module: str) -> None:
    done = run(sys.executable, "-X", "importtime", "-m", module, "--help")

    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if "|" in line}
    assert done.returncode == 0, done.stderr[-2000:]
    assert module.partition(".")[0] in imported
    assert {"mcp", "anthropic"} & imported == set()


def test_the_programs_say_their_version() -> None:
    version = distribution("opsai").version

    assert PYPROJECT["project"]["version"] == version
    assert run(sys.executable, "-m", "opsai_lab.cli", "--version").stdout == f"opsai {version}\n"


def test_the_changelog_has_a_section_for_this_version() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")

    assert f"## [{PYPROJECT['project']['version']}]" in text or "## [Unreleased]" in text


def test_make_lists_each_of_its_targets() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    phony = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    listed = run("make", "--no-print-directory", "help").stdout

    assert phony is not None
    assert [name for name in phony[1].split() if f"  make {name} " not in listed] == []


@pytest.mark.parametrize("script", [".ci/run", "scripts/setup", "scripts/check", "scripts/clients", "scripts/lint"])
def test_scripts_can_be_run_and_stop_at_the_first_failure(script: str) -> None:
    path = ROOT / script

    assert path.stat().st_mode & 0o111
    assert "set -euo pipefail" in path.read_text(encoding="utf-8")
    assert run("bash", "-n", script).returncode == 0


def test_the_shipped_recordings_stay_small() -> None:
    shipped = [path for path in tracked() if (ROOT / "compose" / "incidents") in path.parents]

    assert sum(path.stat().st_size for path in shipped) <= 20 * 1024 * 1024
