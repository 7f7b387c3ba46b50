"""Waiting until every container of a cluster is healthy, with what is told meanwhile."""

from collections.abc import Callable, Mapping

import anyio

from opsai_lab.targets.docker.containers import Container
from opsai_lab.targets.docker.engine import Engine
from opsai_lab.targets.target import Tell

_LOOK_SECONDS = 0.5
_SAY_SECONDS = 10.0
_SICK_SECONDS = 30.0
"""How long one may stay unhealthy before it counts as failed: it may be catching up after a harm was undone."""


class Waiting:
    """Follows the containers of some services from look to look."""

    def __init__(self, services: Mapping[str, bool], at_most_seconds: float, tell: Tell) -> None:
        self._services = dict(services)
        """Service to whether it must go on running (a node); another may also end in order."""
        self._at_most_seconds = at_most_seconds
        self._tell = tell
        self._begun = anyio.current_time()
        self._said = self._begun
        self._told: dict[str, str] = {}
        self._sick: dict[str, float] = {}

    @property
    def services(self) -> tuple[str, ...]:
        """The services waited for."""
        return tuple(self._services)

    def look(self, found: Mapping[str, Container]) -> bool:
        """Take a look in; return whether every service is well."""
        now = anyio.current_time()
        well = [service for service in self._services if self._well(service, found.get(service))]
        for service in self._services:
            container = found.get(service)
            state = container.state if container else "absent"
            if state == "unhealthy":
                self._sick.setdefault(service, now)
            else:
                self._sick.pop(service, None)
            if self._told.get(service) != state:
                self._told[service] = state
                if state not in ("absent", "stopped"):
                    up = sum(told == "running" for told in self._told.values())
                    self._say(now, f"{service} {_WORDS.get(state, state)} ({up} of {len(self._services)} up)")
        waited = now - self._begun
        if len(well) < len(self._services) and now - self._said >= _SAY_SECONDS:
            late = ", ".join(service for service in self._services if service not in well)
            self._say(now, f"waiting for {late} ({waited:.0f} s)")
        return len(well) == len(self._services)

    def failed(self, found: Mapping[str, Container]) -> str:
        """Return a service that will not come up by waiting, empty while none is known: it ended, or it stayed unhealthy."""
        now = anyio.current_time()
        for service, since in self._sick.items():
            if now - since >= _SICK_SECONDS:
                return service
        for service in self._services:
            container = found.get(service)
            if container is None or (container.state in ("stopped", "failed") and not self._well(service, container)):
                return service
        late = [service for service in self._services if not self._well(service, found.get(service))]
        return late[0] if late and now - self._begun >= self._at_most_seconds else ""

    def _well(self, service: str, container: Container | None) -> bool:
        if container is None:
            return False
        return container.state == "running" or (not self._services[service] and container.ended_well)

    def _say(self, now: float, text: str) -> None:
        self._said = now
        self._tell(text)


_WORDS = {"running": "is up", "starting": "is starting", "paused": "is frozen"}


async def follow(
    engine: Engine, waiting: Waiting, outcome: Callable[[], str | None]
) -> tuple[str, dict[str, Container]]:
    """Look until all is well or something has failed; return the service that failed ("" when none) and the last look.

    `outcome` says how `compose up` ended: None while it runs, "" when it went well, else why not.
    """
    while True:
        ended = outcome()  # asked before the look: what it started is in it
        found = {container.service: container for container in await engine.containers()}
        if waiting.look(found) and ended is not None:
            return "", found
        if ended:
            return next((name for name, one in found.items() if one.state in ("failed", "unhealthy")), ""), found
        if ended is not None and (failed := waiting.failed(found)):
            return failed, found
        await anyio.sleep(_LOOK_SECONDS)
