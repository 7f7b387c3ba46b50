"""The tool `knowledge`: what an operator of this system knows."""

from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import Field

from opsai_server.tools.desk import Desk
from opsai_server.tools.entries import Entry, entries, search
from opsai_subjects.errors import UnknownName
from opsai_subjects.known_bug import KnownBug, Version, recognised, version_in
from opsai_subjects.reply import Answer, Own, Rows, without_empty

FOUND = 12
BUGS = 6
INDEX_ROWS = 100
SAYS_CHARS = 160
PAGE_CHARS = 9_000


async def knowledge(
    desk: Desk,
    words: Annotated[
        str,
        Field(description="Id ('{invariant}', 'metrics/{topic}'), words or a log line; empty: the index."),
    ] = "",
    offset: Annotated[int, Field(description="Characters of a long page to skip.", ge=0)] = 0,
) -> Answer:
    """Look up what an operator knows: fault kinds, invariants, named metrics (query, unit, normal range), pages, known bugs.

    Use it to understand a sign, find a metric's name or PromQL, or ask whether a log line or version ('8.1.0 snapshot') is of a
    known bug. It is no evidence; how the cluster stands: overview. Returns the whole entry for an id, else the best matches.
    """
    known = entries(desk.kind, desk.subject.invariants)
    exact = [entry for entry in known if entry.id == words.strip()]
    if exact:
        shown: dict[str, object] = {"entries": [_whole(entry, offset) for entry in exact]}
    elif not words.strip():
        shown = {"index": _index(known)}
    else:
        shown = _matches(desk.kind.known_bugs, known, words)
    return Answer(at=desk.now(), value={}, shown=shown, stored=False)


def _matches(bugs: Sequence[KnownBug], known: Sequence[Entry], words: str) -> dict[str, object]:
    """Return the bugs that a log line or a version tells of, else what the words fit best."""
    marked = recognised(bugs, words)
    version = version_in(words)
    if marked:
        return {"known_bugs": _bug_rows(marked, version)}
    if version is not None:
        fitting = _of_version(bugs, known, words, version)
        if fitting:
            return {"known_bugs": _bug_rows(fitting, version)}
    found = search(known, words)
    if not found:
        ids = tuple(entry.id for entry in known)
        raise UnknownName(
            "knowledge page or entry for", words, ids, advice="Fewer or other words; empty words list all."
        )
    return {"found": Rows([_short(one) for one in found[:FOUND]], len(found), "narrow with more words, or give an id")}


def _of_version(bugs: Sequence[KnownBug], known: Sequence[Entry], words: str, version: Version) -> tuple[KnownBug, ...]:
    """Return the bugs that a version has or may have, those that the other words fit, or all that it surely has."""
    by_id = {bug.id: bug for bug in bugs}
    rest = " ".join(word for word in words.split() if version_in(word) is None)
    fitting = [by_id[entry.id] for entry in search([one for one in known if one.id in by_id], rest)] if rest else []
    fitting = [bug for bug in fitting if bug.had_by(version) != "no"]
    return tuple(fitting or (bug for bug in bugs if bug.had_by(version) == "yes"))


def _bug_rows(bugs: Sequence[KnownBug], version: Version | None) -> Rows:
    rows = [_bug_row(bug, version) for bug in bugs]
    return Rows(rows[:BUGS], len(rows), f"narrow with more words, or give an id ({bugs[0].id!r}) for the whole row")


def _bug_row(bug: KnownBug, version: Version | None) -> dict[str, object]:
    has = {"yes": "it has it", "maybe": "it may have it", "no": "it does not have it"}
    named = "" if version is None else f"{'.'.join(map(str, version))}: {has[bug.had_by(version)]}"
    row = {"id": bug.id, "says": bug.says, "version": named, "remedy": bug.remedy, "source": bug.source}
    return without_empty(row | {"checked": bug.checked.isoformat()})


def _whole(entry: Entry, offset: int) -> dict[str, object]:
    if entry.type != "page":
        notes = entry.whole.get("notes")
        return {**entry.whole, "notes": Own(notes)} if notes else entry.whole
    text = str(entry.whole["text"])
    part = text[offset : offset + PAGE_CHARS]
    after = offset + len(part)
    more = (
        {"page": f"characters {offset} to {after} of {len(text)}; go on with offset={after}"}
        if after < len(text)
        else {}
    )
    return {**entry.whole, **more, "text": Own(part)}


def _index(known: Sequence[Entry]) -> dict[str, object]:
    sorts = dict.fromkeys(entry.type for entry in known)
    topics = [entry for entry in known if entry.type == "topic"]
    counted = {"sign", "topic", "bug"} | ({"metric"} if topics else set[str]())
    bugs = sum(entry.type == "bug" for entry in known)
    ids = {sort: [entry.id for entry in known if entry.type == sort] for sort in sorts if sort not in counted}
    counts = {entry.id: len(entry.says.split(", ")) for entry in topics}
    told = {"known_bugs": f"{bugs}: words find one by what is seen, a log line or a version"} if bugs else {}
    return {**_names(ids), **({"metrics_by_topic": counts} if topics else {}), **told}


def _names(ids: Mapping[str, Sequence[str]]) -> dict[str, Rows]:
    return {f"{sort}s": Rows(names[:INDEX_ROWS], len(names), "search with words") for sort, names in ids.items()}


def _short(entry: Entry) -> dict[str, object]:
    says = entry.says if len(entry.says) <= SAYS_CHARS else f"{entry.says[:SAYS_CHARS]}…"
    return {"type": entry.type, "id": entry.id, "says": says}
