"""One look at a cluster, and what is made of it once, however many calls ask in that moment."""

import anyio
import anyio.to_thread

from opsai_subjects.fault import Sign
from opsai_subjects.invariant import Verdict
from opsai_subjects.model import Events, Window
from opsai_subjects.subject import Facts, Subject


class Look:
    """The facts of a moment. Judging hundreds of nodes takes a second, in threads; reading events some sixty range queries.

    Whoever asks while another does it waits for that; when the other gives up, the next begins anew.
    """

    def __init__(self, subject: Subject, facts: Facts) -> None:
        self.facts = facts
        self._subject = subject
        self._judging, self._reading = anyio.Lock(), anyio.Lock()
        self._verdicts: tuple[Verdict, ...] | None = None
        self._signs: tuple[Sign, ...] | None = None
        self._events: dict[float, Events] = {}

    async def verdicts(self) -> tuple[Verdict, ...]:
        """Return what holds and what does not."""
        async with self._judging:
            if self._verdicts is None:
                self._verdicts = await anyio.to_thread.run_sync(self._subject.judge, self.facts)
            return self._verdicts

    async def signs(self) -> tuple[Sign, ...]:
        """Return what is shown, absent or unknown."""
        async with self._judging:
            if self._signs is None:
                self._signs = await anyio.to_thread.run_sync(self._subject.signs, self.facts)
            return self._signs

    async def events(self, seconds: float) -> Events:
        """Return what happened in so long before the moment."""
        async with self._reading:
            if seconds not in self._events:
                self._events[seconds] = await self._subject.events(Window.last(seconds, self.facts.at))
            return self._events[seconds]
