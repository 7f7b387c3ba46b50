"""Writes a store as another program would, at a word: a program that the tests run.

Each line of stdin is one of `open STORE CLUSTER`, and then of that `break PART`, `slow PART`, `mend PART`, `look`,
`diagnose TICKET`; `done` answers when the store has it. The next `open` is a new beginning, end of input the end.
"""

import sys
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import anyio

from opsai_server.tickets.diagnosis import Action, Conclusion, Submission
from opsai_server.tickets.store import Store, open_store
from opsai_server.watcher import tick
from opsai_subjects.config import WatchSettings
from tests.server.toy import ToyWorld, toy_cluster

SETTINGS = WatchSettings(interval_seconds=30, hold_seconds=30, reopen_seconds=3600, join_seconds=300)
UNDECIDED = Conclusion(
    submission=Submission(
        verdict="inconclusive",
        summary="Nobody knows.",
        action=Action(do="Look again.", because="It may show.", verify="It shows.", touches="nothing"),
    ),
    checked=(),
    confidence="inconclusive",
    confidence_because=("the investigation says so itself",),
    not_seen=(),
)


@dataclass
class Writer:
    """A watcher of one toy, and who diagnoses its tickets."""

    store: Store
    cluster: str
    world: ToyWorld = field(default_factory=ToyWorld)

    async def obey(self, word: str, what: str) -> None:
        if word == "diagnose":
            now = self.world.at
            await self.store.save_diagnosis(
                ticket=what, cluster=self.cluster, at=now, by="another", conclusion=UNDECIDED
            )
            return
        if word in ("break", "mend"):
            self.world.parts[what].up = word == "mend"
        if word == "slow":
            self.world.parts[what].latency_seconds = 9.0
        for _ in range(1 if word == "look" else 3):
            self.world.later(30)
            await tick(toy_cluster(self.world, name=self.cluster), self.store, SETTINGS, watcher="another")


async def main() -> None:
    async with AsyncExitStack() as stack:
        writer: Writer | None = None
        while line := await anyio.to_thread.run_sync(sys.stdin.readline):
            word, _, what = line.strip().partition(" ")
            if word == "open":
                path, _, cluster = what.rpartition(" ")
                await stack.aclose()
                writer = Writer(await stack.enter_async_context(open_store(Path(path))), cluster)
            else:
                assert writer is not None
                await writer.obey(word, what)
            sys.stdout.write("done\n")
            sys.stdout.flush()


if __name__ == "__main__":
    anyio.run(main)
