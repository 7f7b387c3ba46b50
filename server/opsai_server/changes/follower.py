"""Follower: looks at the store while somebody listens, and publishes what changed.

Other programs write the store, the watcher and the agent, so a change is found by looking, once a second. What is told is
where to look again, never what is there: one event may stand for several changes.
"""

import logging
from collections.abc import Iterable

import anyio
from mcp.server.subscriptions import ResourcesListChanged, ResourceUpdated, SubscriptionBus
from prometheus_client import Gauge

from opsai_server.changes.address import Address, address_of
from opsai_server.tickets.store_news import News, Stand
from opsai_server.tools.desks import Desks
from opsai_subjects.errors import StoreError

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0


class Watch:
    """What one listener wants to know: that tickets open and close, and changes at these URIs."""

    def __init__(self, follower: "Follower") -> None:
        self.addresses: dict[str, Address] = {}
        """By URI."""
        self._follower = follower

    async def add(self, uris: Iterable[str]) -> tuple[str, ...]:
        """Watch these too; return those at which there is no ticket of a cluster that this server shows."""
        addresses = {uri: address for uri in uris if (address := address_of(uri)) is not None}
        missing = await self._follower.begin(addresses)
        self.addresses |= {uri: address for uri, address in addresses.items() if uri not in missing}
        return missing

    def drop(self, uri: str) -> None:
        """Watch it no longer."""
        self.addresses.pop(uri, None)

    def close(self) -> None:
        """Watch nothing any more."""
        self._follower.forget(self)


class Follower:
    """Looks at the store of these desks."""

    def __init__(self, desks: Desks, bus: SubscriptionBus, listeners: Gauge) -> None:
        self._desks = desks
        self._bus = bus
        self._listeners = listeners
        self._watches: set[Watch] = set()
        self._listened = anyio.Event()
        self._open: frozenset[object] = frozenset()
        self._stands: dict[str, Stand] = {}

    async def open(self) -> Watch:
        """Begin to listen: every ticket that opens or closes from now on is told."""
        if not self._watches:
            # While a recording is still being played nobody can have seen a ticket of it.
            self._open = (await self._news(())).numbers() if self._desks.ready else frozenset()
        watch = Watch(self)
        self._watches.add(watch)
        self._listeners.inc()
        self._listened.set()
        return watch

    def forget(self, watch: Watch) -> None:
        """Look no longer for it, and not at all when it was the last."""
        if watch in self._watches:
            self._watches.remove(watch)
            self._listeners.dec()
        if not self._watches:
            self._listened = anyio.Event()
            self._stands.clear()

    async def begin(self, addresses: dict[str, Address]) -> tuple[str, ...]:
        """Keep how they stand now; return those at which nothing is."""
        new = {uri: address for uri, address in addresses.items() if uri not in self._stands}
        if not new:
            return ()
        found = _stands(await self._news(new.values()), new)
        self._stands = found | self._stands
        return tuple(uri for uri in new if uri not in found)

    async def run(self) -> None:
        """Look again and again while somebody listens; never ends."""
        troubled = False
        while True:
            await self._listened.wait()
            await anyio.sleep(LOOK_SECONDS)
            try:
                await self._look()
            except StoreError as error:
                if not troubled:
                    log.warning("changes_not_seen why=%s", error)
                troubled = True
            except Exception:  # the top of a background task: what fails here must not end the calls of the server
                log.exception("changes_not_followed")
            else:
                troubled = False

    async def _look(self) -> None:
        watched = {uri: address for watch in self._watches for uri, address in watch.addresses.items()}
        news = await self._news(watched.values())
        before, self._open = self._open, news.numbers()
        if self._open != before:
            await self._bus.publish(ResourcesListChanged())
        for uri, stand in _stands(news, watched).items():
            if self._stands.get(uri, stand) != stand:
                await self._bus.publish(ResourceUpdated(uri))
            self._stands[uri] = stand
        for uri in self._stands.keys() - {uri for watch in self._watches for uri in watch.addresses}:
            del self._stands[uri]

    async def _news(self, addresses: Iterable[Address]) -> News:
        store = await self._desks.store()
        return await store.news({one.what for one in addresses if one.view != "open"}, self._desks.names)


def _stands(news: News, addresses: dict[str, Address]) -> dict[str, Stand]:
    """Return how what is there stands, by URI."""
    stands = ((uri, address.stand(news)) for uri, address in addresses.items())
    return {uri: stand for uri, stand in stands if stand is not None}
