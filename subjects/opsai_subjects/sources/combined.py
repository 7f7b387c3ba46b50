"""Several sources as one: each node's log is read from the first that can read it, and who that was is said."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from opsai_subjects.model import LastState, LastStates, LogLine, LogPage, LogQuery, LogSource, StateSource, Unread

IN_FILES = "files"
"""How the origin of a log in files is called."""


class CombinedLogs:
    """Sources of logs under what each is called, the one to ask first being first."""

    def __init__(self, sources: Mapping[str, LogSource]) -> None:
        self._sources = dict(sources)

    async def nodes(self) -> tuple[str, ...]:
        """Return the names under which any of them knows logs."""
        names = [name for source in self._sources.values() for name in await source.nodes()]
        return tuple(dict.fromkeys(names))

    async def search(self, query: LogQuery) -> LogPage:
        """Search each node's log in the first source that can read it. Raises QueryInvalid."""
        pages: list[LogPage] = []
        left = dict.fromkeys(query.nodes)
        done: set[str] = set()
        origins: dict[str, str] = {}
        unasked = set(query.nodes)
        for called, source in self._sources.items():
            known = await source.nodes()
            here = [node for node in (left if query.nodes else known) if node not in done]
            here = [node for node in here if node in known] if known else here
            if not here and (known or query.nodes):
                continue  # whom it knows has been read elsewhere
            page = await source.search(replace(query, nodes=tuple(here)))
            pages.append(page)
            unasked -= {*here}
            done |= {*page.searched}
            origins |= dict.fromkeys(page.searched, called) | dict(page.origins)
        unread = [part for page in pages for part in page.unread]
        unread += [self._unknown(node) for node in query.nodes if node in unasked]
        lines = sorted((line for page in pages for line in page.lines), key=_time, reverse=query.newest_first)
        matched = sum(page.matched for page in pages)
        searched = tuple(dict.fromkeys(node for page in pages for node in page.searched))
        return LogPage(tuple(lines[: query.limit]), matched, tuple(unread), searched, origins)

    def _unknown(self, node: str) -> Unread:
        why = f"none of {', '.join(self._sources)} has a log under this name"
        return Unread(source=f"logs:{node}", asked="its log", why=why, advice="opsai check tells the names")


def _time(line: LogLine) -> float:
    return line.at.timestamp()


class CombinedStates:
    """Several runtimes: what any of them knows of the nodes' processes."""

    def __init__(self, sources: Sequence[StateSource]) -> None:
        self._sources = tuple(sources)

    async def last_states(self) -> LastStates:
        """Return the state of each node; of one that several run, the first's."""
        told = [await source.last_states() for source in self._sources]
        states: dict[str, LastState] = {}
        for state in (state for one in told for state in one.states):
            states.setdefault(state.node, state)
        return LastStates(tuple(states.values()), tuple(part for one in told for part in one.unread))
