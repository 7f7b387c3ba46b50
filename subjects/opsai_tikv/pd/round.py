"""One round of asking PD: who answers, who leads, whom to ask, each found out once.

A follower passes a question on to the leader, waits up to 3 s where there is none, and answers 503 or 500 then. The
header `PD-Allow-follower-handle: true` makes a member answer from its own knowledge instead (pd_api of v4 and later). So
a round begins with such questions to every member at once: `/status`, which tells that it lives, then `/members`. Without
an etcd quorum `/members` hangs even so (seen on a master of March 2026: 3 s and more, while `/status` and `/leader` answer
in a millisecond), so that says nothing of the member itself, and `/leader` tells whom it follows then. What needs the
leader goes to the leader, and a member that gave no answer is not asked again.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TypeVar

import anyio
from pydantic import JsonValue, ValidationError

from opsai_subjects.endpoint import without_userinfo
from opsai_subjects.errors import NotRecorded, SourceError, SourceMalformed, SourceRefused, SourceTimedOut
from opsai_subjects.foreign import quoted
from opsai_subjects.model import clean
from opsai_subjects.sources.web import Params, Web, WebReply
from opsai_tikv.pd.members import read_leader, read_members, read_status
from opsai_tikv.pd.reaching import address_of, asked_again, is_silent, outcome_of, reached, worded
from opsai_tikv.pd.settings import read_name
from opsai_tikv.pd.values import Member, Members, PdStatus, View
from opsai_tikv.polled import LOCAL_HEADERS

T = TypeVar("T")

VIEW_SECONDS = 2.0
READ_SECONDS = 5.0
"""Longer than the 3 s a member waits for a leader before it says that there is none (since v7.1)."""
_CALLER = {"X-Caller-ID": "opsai"}
_TIMEOUTS_THAT_SILENCE = 2
_PASSED_ON = (
    "redirect",
    "no leader",
    "not leader",
    "not bootstrapped",
    "not started",
    "no service",
    "dial tcp",
    "connection refused",
    "timeout",
    "deadline exceeded",
)


@dataclass
class Known:
    """What outlives a round: members found through others, and names of members reached at an address of our own."""

    urls: list[str] = field(default_factory=list[str])
    names: dict[str, str] = field(default_factory=dict[str, str])


@dataclass
class _Door:
    url: str
    base: str
    name: str = ""
    status: PdStatus | None = None
    members: Members | None = None
    sees: str | None = None
    followed: Member | None = None
    error: SourceError | None = None
    """Why the member is silent: set, it is not asked again in this round."""
    why: SourceError | None = None
    """Why it did not list the members, though it answers."""
    seconds: float = 0.0
    timeouts: int = 0

    @property
    def troubles(self) -> int:
        """How badly it answered: 0 as a member does, 1 something else, 2 not at all."""
        return 2 if self.error is not None else 1 if self.why is not None else 0

    @property
    def of(self) -> str:
        return f"PD {self.name or address_of(self.url)}"

    def view(self) -> View:
        trouble, speaks = self.error or self.why, self._speaks_as_a_member()
        return View(
            name=self.name or address_of(self.url),
            url=without_userinfo(self.url),
            outcome=outcome_of(self.error) if self.error else "answered" if speaks else "unknown",
            seconds=round(self.seconds, 3),
            why=clean(trouble.came_back, 300) if trouble else "",
            members=self.members,
            sees_leader=self.sees if speaks else None,
            status=self.status,
            is_other=self.error is None and not speaks,
        )

    def _speaks_as_a_member(self) -> bool:
        """Say whether anything it answered is a member's: a proxy's page, or JSON of something else, says nothing of PD."""
        if self.status is not None and (self.status.version or self.status.git_hash or self.status.started_at):
            return True
        if any(member.name for member in (self.members.members if self.members else ())):
            return True
        if self.followed is not None and self.followed.name:
            return True
        # a refusal in words is one too, as while it starts or is asked too often
        return isinstance(self.why, SourceRefused) and not self.why.body.lstrip().startswith("<")


class Round:
    """Asks PD. What it learns of who answers holds until the round ends; make a new one for the next."""

    def __init__(self, web: Web, urls: Sequence[str], reach: Mapping[str, str], known: Known) -> None:
        self._web = web
        self._urls = tuple(urls)
        self._reach = reach
        self._known = known
        self._doors: tuple[_Door, ...] | None = None
        self._lock = anyio.Lock()
        self._no_leader: SourceError | None = None

    async def views(self) -> tuple[View, ...]:
        """Return how each member met us and what it sees, in order of name. Never raises."""
        return tuple(door.view() for door in await self._found())

    async def leader(self) -> str | None:
        """Return the name of the member that itself says it leads; None when none that answers does."""
        door = _leading(await self._found())
        return door.name if door else None

    async def ask(
        self, path: str, *, params: Params | None = None, seconds: float = READ_SECONDS, accept: tuple[int, ...] = ()
    ) -> WebReply:
        """Ask the leader, or where none answers the others in turn. Raises the SourceError of the first asked."""
        doors = await self._found()
        if self._no_leader is not None:
            raise asked_again(self._no_leader, path)
        leading = _leading(doors)
        first: SourceError | None = None
        for door in sorted((door for door in doors if door.error is None), key=lambda door: door is not leading):
            try:
                return await self._get(
                    door, path, params=params, seconds=seconds, accept=accept, local=False, leads=door is leading
                )
            except SourceError as error:
                if not _may_be_better_elsewhere(error):
                    raise
                first = first or error
        raise self._nobody(path, doors, first)

    def _nobody(self, path: str, doors: Sequence[_Door], first: SourceError | None) -> SourceError:
        error = first or next((door.error for door in doors if door.error is not None), None)
        if error is None:
            return SourceError(path, "PD", "no address of a PD member is known", "set `pd` to the URLs of its members")
        without = _leading(doors) is None or (isinstance(error, SourceRefused) and _passed_on(error))
        if without and not isinstance(error, NotRecorded):  # what was not recorded says nothing of the next question
            self._no_leader = error
        return asked_again(error, path)

    async def ask_member(
        self,
        name: str,
        path: str,
        *,
        local: bool = True,
        seconds: float = VIEW_SECONDS,
        accept: tuple[int, ...] = (),
    ) -> WebReply:
        """Ask one member, by name or URL, for what it knows itself. Raises SourceError."""
        doors = await self._found()
        door = next((door for door in doors if name in (door.name, door.view().url, address_of(door.url))), None)
        if door is None:
            known = ", ".join(door.name or address_of(door.url) for door in doors) or "none"
            raise SourceError(path, f"PD {name}", "no member of that name is known", f"one of: {known}")
        if door.error is not None:
            raise asked_again(door.error, path, door.of)
        return await self._get(door, path, seconds=seconds, accept=accept, local=local, leads=True)

    async def _found(self) -> tuple[_Door, ...]:
        async with self._lock:
            if self._doors is None:
                self._doors = await self._discover()
            return self._doors

    async def _discover(self) -> tuple[_Door, ...]:
        doors: dict[str, _Door] = {}
        fresh = [*self._urls, *self._known.urls]
        while fresh:
            opened = [_Door(url, reached(url, self._reach)) for url in fresh]
            news: dict[str, _Door] = {}
            for door in opened:
                if door.base not in doors:
                    news.setdefault(door.base, door)
            async with anyio.create_task_group() as tasks:
                for door in news.values():
                    tasks.start_soon(self._look, door)
            doors |= news
            await self._name(tuple(doors.values()))
            fresh = [url for url in self._unseen(tuple(doors.values())) if reached(url, self._reach) not in doors]
        self._known.urls = list(dict.fromkeys(url for url in _advertised(doors.values()).values() if url)) or (
            self._known.urls
        )
        return _one_each(doors.values())

    async def _look(self, door: _Door) -> None:
        """Ask one member whether it lives, then how it sees the membership and who leads."""
        began = time.monotonic()
        try:
            door.status = read(await self._alone(door, "status"), read_status)
        except SourceError as error:
            door.seconds = time.monotonic() - began
            if is_silent(error) or isinstance(error, NotRecorded):
                door.error = error
                return
            door.why = error  # it refused (too many requests, just starting), so it lives
        door.seconds = time.monotonic() - began
        try:
            door.members = read(await self._alone(door, "members"), read_members)
            door.sees = door.members.leader or ""
        except SourceError as error:
            door.why = error
            with suppress(SourceError):
                door.followed = read(await self._alone(door, "leader"), read_leader)
                door.sees = door.followed.name if door.followed else ""

    async def _alone(self, door: _Door, question: str) -> WebReply:
        return await self._get(door, f"/pd/api/v1/{question}", seconds=VIEW_SECONDS, local=True, leads=False)

    async def _name(self, doors: Sequence[_Door]) -> None:
        """Find the name of each member: by its advertised address, else, reached at another one, by asking it."""
        listed = {reached(url, self._reach): name for name, url in _advertised(doors).items() if url}
        for door in doors:
            door.name = door.name or listed.get(door.base, "") or self._known.names.get(door.base, "")
            if not door.name and door.members is not None:
                door.name = await self._own_name(door)
            if door.name:
                self._known.names[door.base] = door.name

    async def _own_name(self, door: _Door) -> str:
        try:
            return read(await self._alone(door, "config"), read_name)
        except SourceError:
            return ""  # its URL serves as its name then

    def _unseen(self, doors: Sequence[_Door]) -> list[str]:
        seen = {door.name for door in doors if door.error is None}
        return [url for name, url in _advertised(doors).items() if url and name not in seen]

    async def _get(
        self,
        door: _Door,
        path: str,
        *,
        params: Params | None = None,
        seconds: float,
        accept: tuple[int, ...] = (),
        local: bool,
        leads: bool,
    ) -> WebReply:
        try:
            return await self._web.get(
                f"{door.base}{path}",
                of=door.of,
                params=params,
                headers=_CALLER | LOCAL_HEADERS if local else _CALLER,
                read_seconds=seconds,
                accept=accept,
            )
        except SourceRefused as error:
            raise worded(error) from error
        except SourceTimedOut as error:
            # A follower that is late may only be waiting for a leader that is; that says nothing of itself.
            door.timeouts += leads
            if door.timeouts >= _TIMEOUTS_THAT_SILENCE:
                door.error = error
            raise
        except SourceError as error:
            if is_silent(error):
                door.error = error
            raise


def read(reply: WebReply, reader: Callable[[JsonValue], T]) -> T:
    """Read an answer's JSON. Raises SourceMalformed saying what in it is not as it should be."""
    json = reply.json()
    try:
        return reader(json)
    except (ValueError, RecursionError) as error:
        reason = _reason(error)
        raise SourceMalformed(
            reply.asked,
            reply.of,
            f"JSON that is not what {reply.asked} answers ({reason}): {quoted(reply.text)}",
            "check that this address is a PD's (or TiKV's) and its version one of v6.5 to v8.5",
        ) from error


def _reason(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        return clean(f"{'.'.join(str(part) for part in first['loc']) or 'the whole'}: {first['msg']}", 300)
    return clean(str(error), 300)


def _advertised(doors: Iterable[_Door]) -> dict[str, str]:
    """Return the members that any member lists, with their first client URL (empty where none is published)."""
    listed: dict[str, str] = {}
    for door in doors:
        known = door.members.members if door.members else (door.followed,) if door.followed else ()
        for member in known:
            listed[member.name] = listed.get(member.name) or next(iter(member.client_urls), "")
    listed.pop("", None)
    return listed


def _leading(doors: Sequence[_Door]) -> _Door | None:
    votes = Counter(door.sees for door in doors if door.sees)
    own = [door for door in doors if door.error is None and door.sees and door.sees == door.name]
    return max(own, key=lambda door: votes[door.name], default=None)


def _one_each(doors: Iterable[_Door]) -> tuple[_Door, ...]:
    """Keep one door of each member: the one that answered best, where it was tried at two addresses.

    Something else than PD may listen at an address that a member advertises inside its own network.
    """
    kept: dict[str, _Door] = {}
    for door in doors:
        key = door.name or door.base
        if key not in kept or door.troubles < kept[key].troubles:
            kept[key] = door
    return tuple(sorted(kept.values(), key=lambda door: door.name or address_of(door.url)))


def _may_be_better_elsewhere(error: SourceError) -> bool:
    return (
        is_silent(error) or isinstance(error, NotRecorded) or (isinstance(error, SourceRefused) and _passed_on(error))
    )


def _passed_on(error: SourceRefused) -> bool:
    """Say whether this is a member's word about passing the question on, not an answer to it."""
    return error.status >= 500 and any(word in error.body.lower() for word in _PASSED_ON)
