"""How long replies are: every tool asked as an investigation asks it, on every recording of some folders."""

import os
import statistics
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import anyio

from bench.table import Row
from opsai_agent.asking import Question, ask, question
from opsai_agent.session import Session, open_session
from opsai_lab.recordings import recordings_in
from opsai_server.tickets.store import open_store
from opsai_server.watcher import play
from opsai_subjects.config import WatchSettings
from opsai_subjects.opening import open_replay

QUESTIONS: tuple[str, ...] = (
    "overview",
    "topology",
    "topology role=tikv",
    "check_invariants",
    "check_invariants state=all",
    "check_invariants entity=store:1",
    "differential",
    "compare_windows",
    "query_metrics query=up",
    "query_metrics name=grpc_p99",
    "query_metrics name=leaders points=true",
    "search_logs",
    "search_logs templates=true",
    'search_logs levels=["WARN","ERROR","FATAL"]',
    "timeline",
    "timeline minutes=60",
    "tickets",
    "tickets id=T-1",
    "evidence id=E-1",
    "knowledge",
    "knowledge words=disk",
    "latency",
    "regions",
    "scheduling",
)
MEDIAN_CHARS = 4_000
MOST_CHARS = 40_000


def replies(folders: Sequence[Path]) -> Iterator[Row]:
    """Ask every question on every recording and say, for each tool, how long its replies are."""
    sizes: dict[str, list[int]] = {}
    for recording in (one for folder in folders for one in recordings_in(folder)):
        for tool, chars in anyio.run(_asked, recording):
            sizes.setdefault(tool, []).append(chars)
    for tool, counts in sorted(sizes.items()):
        middle, most = statistics.median(counts), max(counts)
        held = "within" if middle <= MEDIAN_CHARS and most <= MOST_CHARS else "OVER"
        yield Row(f"replies of {tool}", f"{middle:,.0f} chars", f"median of {len(counts)}; {most:,} at most; {held}")


async def _asked(recording: Path) -> list[tuple[str, int]]:
    with tempfile.TemporaryDirectory(prefix="opsai-replies-") as folder:
        store = Path(folder) / "opsai.sqlite"
        async with open_replay(recording) as cluster, open_store(store) as watched:
            incident = cluster.recording.incident
            await play(cluster, watched, WatchSettings(), start=incident.start, until=incident.end)
        where = ("--replay", str(recording), "--at", "end", "--store", str(store))
        async with open_session(where, by="bench", environment=dict(os.environ)) as session:
            read = await ask(session, tuple(_known(session, (question(text) for text in QUESTIONS))))
    # a question about a ticket that was never raised is refused, and a refusal is no reply
    return [(one.question.tool, len(one.reply.text)) for one in read if not one.reply.is_error]


def _known(session: Session, questions: Iterable[Question]) -> Iterator[Question]:
    tools = {tool.name for tool in session.tools}
    return (one for one in questions if one.tool in tools)
