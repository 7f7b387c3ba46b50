"""How often each peer may ask: a bucket that fills at a steady rate and empties by one a request."""

import time
from collections import OrderedDict
from collections.abc import Callable

BURST_SECONDS = 2.0
"""A bucket holds what comes in so long: a client that starts asks several things at once."""
MAX_PEERS = 1_000
"""So many peers are told apart; the one that asked longest ago is forgotten first, and begins anew."""


class RateLimit:
    """A bucket for each peer."""

    def __init__(self, per_second: float, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._per_second = per_second
        self._most = max(1.0, per_second * BURST_SECONDS)
        self._monotonic = monotonic
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait_seconds(self, peer: str) -> float:
        """Take one request of the peer's; return 0, or, where it has none left, how long until it has one."""
        now = self._monotonic()
        left, at = self._buckets.pop(peer, (self._most, now))
        left = min(self._most, left + (now - at) * self._per_second)
        allowed = left >= 1.0
        self._buckets[peer] = (left - 1.0 if allowed else left, now)
        if len(self._buckets) > MAX_PEERS:
            self._buckets.popitem(last=False)
        return 0.0 if allowed else (1.0 - left) / self._per_second
