"""TiKV's status port: whether the process answers, is ready, and with what settings it runs."""

import time
from collections.abc import Mapping, Sequence

from pydantic import JsonValue

from opsai_subjects.errors import SourceError, SourceRefused
from opsai_subjects.model import Scalar, Value, clean
from opsai_subjects.sources.web import Web, WebReply
from opsai_tikv.pd.reaching import outcome_of, reached
from opsai_tikv.pd.settings import read_config
from opsai_tikv.pd.values import Outcome

PROBE_SECONDS = 2.0


class Probe(Value):
    """How one status port met one question."""

    address: str
    outcome: Outcome
    seconds: float
    status: int | None = None
    """The HTTP status, where there was one."""
    says: str = ""
    """What came back, when that was not the answer asked for."""


class StatusPort:
    """One store's status port, at its advertised host:port. Nothing here raises for a port that does not answer."""

    def __init__(self, web: Web, address: str, reach: Mapping[str, str] | None = None, *, tls: bool = False) -> None:
        self._web = web
        self._address = address
        self._base = reached(f"https://{address}" if tls else address, reach or {})

    async def alive(self) -> Probe:
        """Ask `/status`: the cheapest sign that the process runs its threads."""
        return (await self._ask("/status"))[0]

    async def ready(self) -> Probe:
        """Ask `/ready` (v8.5 and later): 500 while raft peers still catch up, 404 where a version has none."""
        return (await self._ask("/ready", accept=(404, 500)))[0]

    async def config(self, names: Sequence[str] = ()) -> dict[str, Scalar] | None:
        """Return its settings in force, flattened, of these names or all; None when it did not say."""
        _, reply = await self._ask("/config")
        if reply is None:
            return None
        try:
            values = read_config(_json(reply)).values
        except (SourceError, ValueError, RecursionError):
            return None
        return {name: values[name] for name in names if name in values} if names else values

    async def _ask(self, path: str, accept: tuple[int, ...] = ()) -> tuple[Probe, WebReply | None]:
        began = time.monotonic()
        try:
            reply = await self._web.get(
                f"{self._base}{path}", of=f"TiKV {self._address}", read_seconds=PROBE_SECONDS, accept=accept
            )
        except SourceRefused as error:  # it answered, if not what was asked for: the process is alive
            return self._probe("answered", began, error.status, error.came_back), None
        except SourceError as error:
            return self._probe(outcome_of(error), began, None, error.came_back), None
        return self._probe("answered", began, reply.status, ""), reply

    def _probe(self, outcome: Outcome, began: float, status: int | None, says: str) -> Probe:
        seconds = round(time.monotonic() - began, 3)
        return Probe(address=self._address, outcome=outcome, seconds=seconds, status=status, says=clean(says, 300))


def _json(reply: WebReply) -> JsonValue:
    return reply.json()
