"""A hostile corpus in the logs, PD's answers, the metrics and the errors of real recordings: it stays data, marked as the cluster's."""

import logging
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest
from typer.testing import CliRunner

from opsai_lab.cli import app
from tests.hostile.corpus import MARK, NAMES, RAW, TEXTS
from tests.hostile.looking import CALLS, Said, said_of
from tests.hostile.planting import INCIDENTS, planted

MOMENTS = {"amber-heron": "+150s", "birch-lynx": "+120s", "drift-crane": "+180s"}
"""A store that died, a healthy cluster, a slow disk; each at a moment that tells them apart."""
THEIRS = ("text", "template", "labels", "same_labels", "query")
"""Fields that hold what the cluster wrote, or the caller's own question, and nothing of ours."""


def harmful(text: str) -> set[str]:
    """Return what a terminal obeys or nobody sees, beside the line breaks of our own texts."""
    return {ch for ch in text if unicodedata.category(ch) in ("Cc", "Cf", "Cs", "Zl", "Zp")} - {"\n"}


def unmarked(value: object, place: str = "") -> Iterator[tuple[str, str]]:
    """Yield each sentence of ours in which text of the cluster stands without quotes, and its place."""
    if isinstance(value, dict):
        for key, item in value.items():
            if key not in THEIRS:
                yield from unmarked(item, f"{place}/{key}")
    elif isinstance(value, list):
        for item in value:
            yield from unmarked(item, f"{place}/-")
    elif isinstance(value, str) and MARK in re.sub("“[^“”]*”", "“”", value):
        yield place, value


@pytest.mark.parametrize("name", MOMENTS)
def test_a_recording_full_of_hostile_texts_is_judged_and_diagnosed_as_without_them(
    tmp_path: Path, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "opsai_server")
    (tmp_path / "plain").mkdir()
    plain = anyio.run(said_of, INCIDENTS / name, MOMENTS[name], tmp_path / "plain")
    caplog.clear()
    said = anyio.run(said_of, planted(name, tmp_path), MOMENTS[name], tmp_path)

    assert (said.tickets, said.causes, said.diagnosis) == (plain.tickets, plain.causes, plain.diagnosis)
    assert said.verdicts == plain.verdicts
    assert bool(said.tickets) == (name != "birch-lynx")
    it_was_read(said)
    nothing_reaches_what_is_ours(said, plain)
    logged = "\n".join(record.getMessage() for record in caplog.records if record.name.startswith("opsai"))
    assert "tool_call tool=overview" in logged
    assert [text[:200] for text in (*said.texts, said.fixed, logged) if harmful(text)] == []
    shown = shown_by_the_bench(tmp_path)
    assert harmful(shown) == set()


CUT = {"fake_mask", "utf16", "long_line", "long_token", *(kind for kind, text in TEXTS.items() if len(text) > 3_000)}
"""Masked or cut before their last field."""


def it_was_read(said: Said) -> None:
    replies = "".join(said.texts)
    cut = {kind for kind in (*TEXTS, *RAW) if f"[kind={kind}]" not in replies}
    assert cut <= CUT
    assert {tool for tool, _ in said.replies} == {tool for tool, _ in CALLS}


def nothing_reaches_what_is_ours(said: Said, plain: Said) -> None:
    assert said.fixed == plain.fixed
    assert MARK not in said.fixed
    woven = [(tool, *one) for tool, reply in said.replies for one in unmarked(reply)]
    assert woven == []


def shown_by_the_bench(home: Path) -> str:
    """Return what `opsai tickets` prints of the store."""
    store = ("--store", str(home / "opsai.sqlite"))
    runner = CliRunner()
    listed = runner.invoke(app, ["tickets", "list", *store])
    ids = re.findall(r"\bT-\d+\b", listed.output)
    shown = [runner.invoke(app, ["tickets", "show", ident, *store]) for ident in ids[:1]]
    assert [one.exit_code for one in (listed, *shown)] == [0] * (1 + len(shown))
    return "".join(one.output for one in (listed, *shown))


def test_the_corpus_is_large_and_each_of_its_texts_carries_its_mark() -> None:
    assert len(TEXTS) + len(RAW) >= 80
    assert all(MARK in text for text in (*TEXTS.values(), *NAMES.values()))
