"""Asking the members: each for itself, those that the settings name and those that any of these lists."""

import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

import anyio

from opsai_etcd.address import address_of
from opsai_etcd.api.reaching import outcome_of, reached
from opsai_etcd.api.shapes import read_health, read_members, read_status, read_version
from opsai_etcd.api.values import Member, View
from opsai_etcd.paths import HEALTH, MEMBER_LIST, STATUS, VERSION
from opsai_subjects.errors import OpsaiError, SourceError, SourceRefused
from opsai_subjects.model import Unread, clean
from opsai_subjects.sources.web import Web

READ_SECONDS = 3.0
"""For one answer: `/health` gives up after one second by itself (etcdserver/api/etcdhttp/metrics.go, 3.4)."""
AT_ONCE = 32
HEALTH_STATUSES = (503,)
_LEARNERS_WORD = "rpc not supported for learner"
"""A learner lists no members (seen on 3.4.23): the voters do."""
_ANY_HOST = ("0.0.0.0", "[::]", "")  # noqa: S104 - what a member that listens everywhere advertises by mistake


class Round:
    """What one round of questions found: the endpoints' views, and the members by id."""

    def __init__(self, views: Sequence[View], members: Sequence[Member], unread: Sequence[Unread]) -> None:
        self.views = tuple(views)
        self.members = tuple(members)
        """As the member with a leader lists them, else any; those remembered where nobody lists any now."""
        self.unread = tuple(unread)
        self._by_id = {view.status.member_id: view for view in reversed(self.views) if view.status is not None}
        self._by_address = {view.address: view for view in self.views}

    @property
    def listed(self) -> bool:
        """Whether a member said in this round who the members are."""
        return any(view.members for view in self.views)

    def of(self, member: Member) -> View | None:
        """Return how a member met us: whichever endpoint says it is this member, else the one at its client URL."""
        own = self._by_id.get(member.id)
        if own is not None:
            return own
        found = [view for url in member.client_urls if (view := self._by_address.get(address_of(url))) is not None]
        return next((view for view in found if view.status is None), None)


class Etcd:
    """One cluster's members, asked in rounds; the members last listed are remembered for a round in which nobody lists them."""

    def __init__(self, web: Web, endpoints: Iterable[str], reach: Mapping[str, str]) -> None:
        self._web = web
        self._endpoints = tuple(endpoints)
        self._reach = dict(reach)
        self._remembered: tuple[Member, ...] = ()

    @property
    def tls(self) -> bool:
        """Whether the settings name an endpoint by https."""
        return any(url.startswith("https://") for url in self._endpoints)

    async def ask(self, *, health: bool = True) -> Round:
        """Ask the endpoints, then the members that they list. Never raises for one that cannot be asked."""
        unread: list[Unread] = []
        views = await self._views((*self._endpoints, *_client_urls(self._remembered)), unread, health=health)
        members = _agreed(views)
        known = {view.status.member_id for view in views if view.status}
        asked, dialled = {view.address for view in views}, {view.url: view for view in views}
        new = [
            url
            for member in members
            if member.id not in known
            for url in _client_urls((member,))
            if address_of(url) not in asked
        ]
        # one that was just asked under another address (a published port) is not asked again: it may be one that hangs
        views += [
            dialled[self.dialled(url)].model_copy(update={"address": address_of(url)})
            for url in new
            if self.dialled(url) in dialled
        ]
        if unseen := [url for url in new if self.dialled(url) not in dialled]:
            views += await self._views(unseen, unread, health=health)
        self._remembered = members or self._remembered
        return Round(views, self._remembered, unread)

    def dialled(self, url: str) -> str:
        """Return where an advertised URL is reached from here."""
        return reached(url, self._reach)

    async def _views(self, urls: Iterable[str], unread: list[Unread], *, health: bool) -> list[View]:
        found: dict[str, View] = {}
        limiter = anyio.CapacityLimiter(AT_ONCE)

        async def one(url: str) -> None:
            async with limiter:
                found[url] = await self._view(url, unread, health=health)

        by_target = {self.dialled(url): url for url in reversed(tuple(urls))}
        async with anyio.create_task_group() as tasks:
            for url in by_target.values():
                tasks.start_soon(one, url)
        return [found[url] for url in reversed(tuple(by_target.values()))]

    async def _view(self, url: str, unread: list[Unread], *, health: bool) -> View:
        address, base = address_of(url), self.dialled(url)
        view = View(url=base, address=address, outcome="unknown")
        of = f"etcd {address}"
        began = time.monotonic()
        try:
            reply = await self._web.get(f"{base}{VERSION}", of=of, read_seconds=READ_SECONDS)
            server, cluster = read_version(reply)
        except SourceError as error:
            unread.append(_unread(address, error))
            return view.model_copy(update={"outcome": outcome_of(error), "why": clean(error.came_back, 300)})
        except OpsaiError as error:  # an advertised URL that is none
            unread.append(Unread(source=f"etcd:{address}", asked=VERSION, why=clean(str(error), 300)))
            return view.model_copy(update={"outcome": "error", "why": clean(str(error), 300)})
        told: dict[str, object] = {
            "outcome": "answered",
            "seconds": round(time.monotonic() - began, 4),
            "server_version": server,
            "cluster_version": cluster,
        }
        await self._told(base, of, address, told, unread, health=health)
        return view.model_copy(update=told)

    async def _told(
        self, base: str, of: str, address: str, told: dict[str, object], unread: list[Unread], *, health: bool
    ) -> None:
        async def status() -> None:
            told["status"] = read_status(await self._web.call(base, STATUS, of=of, read_seconds=READ_SECONDS))

        async def members() -> None:
            told["members"] = read_members(await self._web.call(base, MEMBER_LIST, of=of, read_seconds=READ_SECONDS))

        async def healthy() -> None:
            reply = await self._web.get(f"{base}{HEALTH}", of=of, read_seconds=READ_SECONDS, accept=HEALTH_STATUSES)
            told["healthy"], told["health_says"] = read_health(reply)

        async def tried(question: Callable[[], Awaitable[None]]) -> None:
            try:
                await question()
            except SourceError as error:
                if not (isinstance(error, SourceRefused) and _LEARNERS_WORD in error.body):
                    unread.append(_unread(address, error))

        async with anyio.create_task_group() as tasks:
            for question in (status, members, healthy) if health else (status, members):
                tasks.start_soon(tried, question)


def _client_urls(members: Iterable[Member]) -> list[str]:
    """Return the first client URL of each member that can be dialled."""
    return [
        url
        for member in members
        if (url := next((one for one in member.client_urls if address_of(one).rpartition(":")[0] not in _ANY_HOST), ""))
    ]


def _agreed(views: Sequence[View]) -> tuple[Member, ...]:
    """Return the members as one that sees a leader lists them: a member that was cut off may know an older list."""
    led = [view for view in views if view.members and view.status and view.status.leader_id]
    newest = sorted(led, key=lambda view: -(view.status.raft_index if view.status else 0))
    rest = [view for view in views if view.members]
    return next((view.members for view in (*newest, *rest) if view.members), ())


def _unread(address: str, error: SourceError) -> Unread:
    advice = error.advice
    if isinstance(error, SourceRefused) and error.status == 404:
        advice = "etcd 3.4 to 3.6 answers below /v3/; is its gateway off (--enable-grpc-gateway=false)?"
    return Unread(
        source=f"etcd:{address}",
        asked=clean(error.asked, 300),
        why=clean(error.came_back, 500),
        advice=clean(advice, 300),
    )
