"""The differential of a moment: signs of now and of the watcher's ticks before, weighed against every fault kind."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import anyio.to_thread

from opsai_server.evidence import signs_value
from opsai_server.tickets.tick import Tick
from opsai_server.tickets.ticket import Ticket
from opsai_server.tools.desk import Desk
from opsai_server.tools.look import Look
from opsai_subjects.cancellation import check_cancelled
from opsai_subjects.differential import merge, rank
from opsai_subjects.fault import Candidate, Differential, FaultKind, Sign, SignSpec
from opsai_subjects.invariant import Verdict
from opsai_subjects.known_bug import BugSeen
from opsai_subjects.model import Unread, Window
from opsai_subjects.reply import without_empty
from opsai_subjects.subject import Facts

PAST = timedelta(minutes=15)
"""How far back the watcher's ticks count when there is no ticket to say when it began."""
BEFORE_TICKET = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Weighed:
    """The differential and everything it rests on."""

    look: Look
    facts: Facts
    signs: tuple[Sign, ...]
    differential: Differential
    verdicts: tuple[Verdict, ...]
    """What holds at this moment and what does not."""
    kinds: Mapping[str, FaultKind]
    """All kinds by id."""
    groups: Mapping[str, tuple[str, ...]]
    says: Mapping[str, str]
    """What each sign looks like, by its id."""
    specs: Mapping[str, SignSpec]
    """What each sign is, by its id."""
    metrics: Mapping[str, tuple[str, ...]]
    """The named metrics that show each sign, by its id."""
    looked_from: datetime
    ticks: int
    """How many looks of the watcher went into it."""
    missed: tuple[Unread, ...]
    """What the watcher could not read in those looks, and was read now."""
    bugs: tuple[BugSeen, ...]
    """Known bugs that logs show, or that look like a cause and are in a version that runs here."""

    def sign(self, entity: str, name: str) -> Sign | None:
        """Return what is known of one sign on one entity."""
        return next((sign for sign in self.signs if sign.entity == entity and sign.id == name), None)

    def value(self) -> dict[str, object]:
        """Return the full value for the evidence store."""
        found = self.differential
        near = dict.fromkeys(candidate.kind for candidate in (*found.causes, *found.candidates))
        near |= dict.fromkeys(rival for name in near for rival in self.kinds[name].rivals)
        return {
            "looked_from": self.looked_from,
            "causes": [_brief(cause) for cause in found.causes],
            "candidates": [weights(candidate) for candidate in found.candidates],
            "signs": signs_value(self.signs),
            "kinds": {name: self.kinds[name].model_dump(exclude={"id"}) for name in near if name in self.kinds},
            "known_bugs": {seen.bug.id: bug_row(seen) for seen in self.bugs},
            "unread": self.unread(),
        }

    def unread(self) -> tuple[Unread, ...]:
        """Return what could not be read, now and in those looks."""
        return (*self.facts.unread, *self.missed)


async def weigh(desk: Desk, ticket: Ticket | None) -> Weighed:
    """Weigh the facts of this moment together with what the watcher saw since the trouble began."""
    look = await desk.look()
    facts = look.facts
    ticks: tuple[Tick, ...] = ()
    spans = list(_spans(facts.at, ticket))
    for span in spans:
        ticks = (*ticks, *await desk.ticks(span))
    now = _Judged(look, await look.signs(), await look.verdicts())
    return await anyio.to_thread.run_sync(_weighed, desk, now, ticks, spans[0].start)


@dataclass(frozen=True, slots=True)
class _Judged:
    look: Look
    signs: tuple[Sign, ...]
    verdicts: tuple[Verdict, ...]


def _weighed(desk: Desk, now: _Judged, ticks: tuple[Tick, ...], looked_from: datetime) -> Weighed:
    """Weigh in a thread: with hundreds of nodes it takes seconds, in which other calls go on."""
    facts, verdicts = now.look.facts, now.verdicts
    signs = merge(now.signs, ((tick.at, tick.signs) for tick in ticks))
    check_cancelled()
    kinds = desk.kind.faults
    groups = desk.subject.groups(facts)
    check_cancelled()
    found = _founded(desk, rank(kinds, signs, groups), verdicts, ticks)
    return Weighed(
        look=now.look,
        facts=facts,
        signs=signs,
        differential=found,
        verdicts=verdicts,
        groups=groups,
        kinds={kind.id: kind for kind in kinds},
        says={spec.id: spec.says for spec in desk.kind.signs},
        specs={spec.id: spec for spec in desk.kind.signs},
        metrics={spec.id: spec.metrics for spec in desk.kind.signs if spec.metrics},
        looked_from=looked_from,
        ticks=len(ticks),
        missed=_missed(facts, ticks),
        bugs=desk.subject.bugs_seen(facts, [cause.kind for cause in found.causes]),
    )


def _founded(desk: Desk, found: Differential, now: Iterable[Verdict], ticks: Iterable[Tick]) -> Differential:
    """Drop from the causes what is over and never broke an invariant: signs come and go in a healthy cluster too."""
    grades = {invariant.id: invariant.grade for invariant in desk.subject.invariants}
    verdicts = (*(verdict for tick in ticks for verdict in tick.verdicts), *now)
    broken = {
        verdict.entity for verdict in verdicts if verdict.state == "violated" and grades[verdict.invariant] == "cause"
    }
    causes = tuple(cause for cause in found.causes if cause.active or cause.entity in broken)
    return found.model_copy(update={"causes": causes})


def _spans(now: datetime, ticket: Ticket | None) -> Iterable[Window]:
    """Return the stretches of ticks to merge: all since the ticket's violation began, or the last quarter of an hour.

    A ticket that has been open for days gives two: its beginning, which shows the cause, and the last quarter of an hour.
    """
    recent = Window(start=now - PAST, end=now)
    if ticket is None:
        yield recent
        return
    began = ticket.violated_at - BEFORE_TICKET
    if began + 2 * PAST >= now:
        yield Window(start=min(began, now), end=now)
        return
    yield Window(start=began, end=began + PAST)
    yield recent


def _missed(facts: Facts, ticks: Iterable[Tick]) -> tuple[Unread, ...]:
    now = {(part.source, part.asked) for part in facts.unread}
    past: dict[tuple[str, str], Unread] = {}
    for tick in ticks:
        for part in tick.unread:
            if (part.source, part.asked) not in now:
                past[(part.source, part.asked)] = part.model_copy(
                    update={"why": f"as of {tick.at.isoformat()}: {part.why}"}
                )
    return tuple(past.values())


def _brief(candidate: Candidate) -> dict[str, object]:
    return candidate.model_dump(include={"kind", "entity", "standing", "active", "score"})


def bug_row(seen: BugSeen) -> dict[str, object]:
    """Return one known bug: what it is, why it is named here, and what mends it."""
    bug = seen.bug
    by = "a line of its log bears the bug's mark" if seen.sample else "it looks like a cause named here"
    has = "has it" if seen.has == "yes" else "may have it"
    return without_empty(
        {
            "id": bug.id,
            "says": bug.says,
            "because": f"{by}, and its version {seen.version} {has}",
            "entity": seen.entity,
            "line": seen.sample,
            "remedy": bug.remedy,
            "source": bug.source,
        }
    )


def weights(candidate: Candidate) -> dict[str, object]:
    """Return a candidate with its signs by id."""
    return {
        **_brief(candidate),
        "support": _ids(candidate.support),
        "contradiction": _ids(candidate.contradiction),
        "unknown": _ids(candidate.unknown),
        "missing": list(dict.fromkeys(candidate.missing)),
    }


def _ids(signs: Iterable[Sign]) -> list[str]:
    """Return the signs' ids, each once: a kind may need a sign and count it as support too."""
    return list(dict.fromkeys(sign.id for sign in signs))
