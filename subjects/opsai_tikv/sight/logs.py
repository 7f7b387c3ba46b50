"""What can be seen of the logs: whose they are, whether they can be read, and how old their newest line is."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from opsai_subjects.errors import QueryInvalid, SourceError
from opsai_subjects.model import LogPage, LogQuery, LogSource, Node, Window
from opsai_subjects.subject import Sight
from opsai_tikv.logs.logged import node_of
from opsai_tikv.wording import named

LOOK_BACK = timedelta(hours=1)
LOOK_AHEAD = timedelta(hours=14)
"""So far ahead a log stands whose clock or time zone is read wrongly."""
APART_SECONDS = 5.0
_NAMES_TOLD = 8
_MOMENT_SECONDS = 10.0


async def logs(source: LogSource | None, nodes: Sequence[Node], now: datetime) -> list[Sight]:
    """Say of each log whether it is a node's, can be read, and how old its newest line is."""
    living = [node for node in nodes if node.state != "Tombstone"]
    names = await source.nodes() if source is not None else ()
    if source is not None and not names:
        return [await _nobody(source, now)]
    if source is None:
        says = "no logs are set: what only logs tell (orderly stops, elections, who cannot reach whom) is unknown"
        return [
            Sight(
                source="logs",
                state="partial",
                says=says,
                advice="give --logs NODE=GLOB for each node, or set `logs`, `docker`, `kubernetes` or `loki`",
            )
        ]
    found: list[Sight] = []
    of: set[str] = set()
    for name in names:
        node = node_of(name, living)
        entity = node.entity if node is not None else None
        of |= {entity} if entity is not None else set()
        found.append(await _log(source, name, entity, now))
    found += await _silent_sources(source, names, now)
    without = [node.name for node in living if node.entity not in of]
    if without:
        says = f"there is no log of {named(without, _NAMES_TOLD)}"
        advice = "set `logs` for them, under their name, address or PD name"
        found.append(Sight(source="logs", state="partial", says=says, advice=advice))
    return found


async def _log(source: LogSource, name: str, entity: str | None, now: datetime) -> Sight:
    window = Window(start=now - LOOK_BACK, end=now + LOOK_AHEAD)
    query = LogQuery(window, nodes=(name,), limit=1, newest_first=True)
    try:
        page = await source.search(query)
    except (SourceError, QueryInvalid) as error:
        return Sight(source=f"logs:{name}", state="blind", identity=entity or "", says=str(error))
    if page.unread and (name not in page.searched or not page.lines):
        return _unread(f"logs:{name}", page, entity or "")
    seen = _read(name, entity, page, now)
    where = page.origins.get(name)
    return seen.model_copy(update={"says": f"{where}: {seen.says}"}) if where else seen


async def _silent_sources(source: LogSource, names: Sequence[str], now: datetime) -> list[Sight]:
    """Say which of several sources could not even tell whose logs it has: none of its nodes is among the names."""
    query = LogQuery(Window.last(_MOMENT_SECONDS, now), limit=1, newest_first=True, count=False)
    try:
        page = await source.search(query)
    except (SourceError, QueryInvalid):  # then each log has said so
        return []
    told = {f"logs:{name}" for name in names}
    blind = {part.source: part for part in page.unread if part.source not in told}
    return [
        Sight(source=part.source, state="blind", says=f"{part.asked}: {part.why}", advice=part.advice)
        for part in blind.values()
    ]


async def _nobody(source: LogSource, now: datetime) -> Sight:
    """Say why a source that is set knows no node."""
    page = await source.search(LogQuery(Window(start=now - LOOK_BACK, end=now), limit=1))
    if page.unread:
        return _unread("logs", page, "")
    return Sight(source="logs", state="blind", says="what is set for logs knows no node", advice="see its settings")


def _unread(label: str, page: LogPage, entity: str) -> Sight:
    unread = page.unread[0]
    says = f"{unread.asked}: {unread.why}"
    return Sight(source=label, state="blind", identity=entity, says=says, advice=unread.advice)


def _read(name: str, entity: str | None, page: LogPage, now: datetime) -> Sight:
    label = f"logs:{name}"
    if not page.lines:
        says = "it can be read, but has no line of the last hour that its format allows to read"
        advice = "see whether the path is the one the process writes to, and whether the process is alive"
        return Sight(source=label, state="partial", identity=entity or "", says=says, advice=advice)
    age = (now - page.lines[0].at).total_seconds()
    if age < -APART_SECONDS:
        says = f"its newest line is dated {-age:.0f} s into our future"
        advice = "set that machine's clock or time zone right, else its lines stand in the wrong place"
        return Sight(source=label, state="partial", identity=entity or "", says=says, advice=advice)
    says = f"its newest line is {max(0.0, age):.0f} s old, {page.matched:,} lines in the last hour"
    if entity is None:
        advice = "name it after a node: its name, its address, or its name in PD"
        return Sight(
            source=label, state="partial", says=f"{says}; it is the log of no node of this cluster", advice=advice
        )
    return Sight(source=label, state="ok", identity=entity, says=says)
