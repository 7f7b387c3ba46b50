"""A whole folder: each recording run and graded, then the table, the counts and the requirements."""

import json
from collections.abc import Callable
from pathlib import Path

from opsai_lab.evaluation.grading import Graded
from opsai_lab.evaluation.running import evaluate_or_list
from opsai_lab.evaluation.summary import broken_requirements, summarize
from opsai_lab.evaluation.table import as_json, summary_text, table
from opsai_lab.recordings import recordings_in
from opsai_lab.truth import Truth
from opsai_subjects.config import WatchSettings
from opsai_subjects.errors import OpsaiError, UnknownName


async def evaluate_folder(
    folder: Path,
    backend: str,
    only: tuple[str, ...],
    json_file: Path | None,
    say: Callable[[str], None],
    tell: Callable[[str], None],
) -> tuple[str, ...]:
    """Evaluate the recordings in a folder, say what they came to, and return which requirements do not hold.

    `tell` hears which recording is being played.
    """
    incidents: list[Graded] = []
    truths: dict[str, Truth] = {}
    chosen = _chosen(folder, only)
    for number, recording in enumerate(chosen, 1):
        tell(f"{number} of {len(chosen)}: {recording.name}")
        graded, truth = await evaluate_or_list(recording, backend, WatchSettings())
        incidents.append(graded)
        if truth is not None:
            truths[graded.name] = truth
    summary = summarize(incidents, truths)
    say(table(incidents))
    say(summary_text(summary, " and ".join(dict.fromkeys(one.backend for one in incidents))))
    broken = broken_requirements(incidents, truths)
    for sentence in broken:
        say(f"Required, and not so: {sentence}.")
    if json_file is not None:
        _write(json_file, json.dumps(as_json(incidents, summary), indent=1) + "\n")
        say(f"Written to {json_file}.")
    return broken


def _chosen(folder: Path, only: tuple[str, ...]) -> tuple[Path, ...]:
    found = recordings_in(folder)
    if not found:
        raise UnknownName("recording", str(folder), (), advice="Give a folder with recordings in it, or one recording.")
    names = tuple(recording.name for recording in found)
    for name in only:
        if name not in names:
            raise UnknownName("recording", name, names)
    return tuple(recording for recording in found if not only or recording.name in only)


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise OpsaiError(f"{path} cannot be written: {error.strerror}. Try: another file with --json.") from error
