"""Evaluating real recordings end to end: the watcher plays, the agent investigates over MCP, the line is graded."""

import json
import shutil
from pathlib import Path

import pytest

from opsai_lab.evaluation.evaluating import evaluate_folder
from opsai_lab.recordings import find
from opsai_subjects.errors import OpsaiError

pytestmark = pytest.mark.anyio


def silent(_: str) -> None:
    """Say nothing."""


async def evaluated(folder: Path, tmp_path: Path) -> tuple[list[dict[str, object]], list[str], tuple[str, ...]]:
    said: list[str] = []
    written = tmp_path / "evaluation.json"
    broken = await evaluate_folder(folder, "rules", (), written, said.append, silent)
    return json.loads(written.read_text(encoding="utf-8"))["incidents"], said, broken


async def test_a_lost_store_is_found_named_and_proved(tmp_path: Path) -> None:
    (line,), _, broken = await evaluated(find("amber-heron"), tmp_path)

    assert broken == ()
    assert line["verdict"] == "fault"
    assert [line[right] for right in ("verdict_right", "entity_right", "kind_right")] == [True, True, True]
    assert (line["parent_tickets"], line["tickets_before_injection"]) == (1, 0)
    assert line["claims"] == line["claims_held"] != 0
    assert line["backend"] == "rules (no model)"


async def test_one_broken_recording_and_one_without_truth_do_not_stop_the_others(tmp_path: Path) -> None:
    folder = tmp_path / "recordings"
    for name, source in (("a-torn-one", "birch-lynx"), ("b-untold-one", "birch-lynx"), ("c-good-one", "birch-lynx")):
        shutil.copytree(find(source), folder / name)
    (folder / "b-untold-one" / "truth.json").write_text('{"of": "another schema"}', encoding="utf-8")
    metrics = folder / "a-torn-one" / "metrics.jsonl.gz"
    metrics.write_bytes(metrics.read_bytes()[:1000])

    lines, said, broken = await evaluated(folder, tmp_path)

    assert [line["name"] for line in lines] == ["a-torn-one", "b-untold-one", "c-good-one"]
    assert "metrics.jsonl.gz" in str(lines[0]["error"])
    assert (lines[1]["verdict"], lines[1]["verdict_right"], lines[1]["healthy"]) == ("healthy", None, None)
    assert lines[2]["verdict_right"] is True
    assert any("a-torn-one" in sentence for sentence in broken)
    assert any("Not right: a-torn-one" in text for text in said)


async def test_what_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "incident.json").write_text("{}", encoding="utf-8")

    with pytest.raises(OpsaiError, match="cannot be written"):
        await evaluate_folder(tmp_path, "rules", (), tmp_path / "no" / "folder.json", silent, silent)
