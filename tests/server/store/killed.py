"""Watches a toy cluster through a fixed course of events, and kills itself on the way: a program that the test runs.

    killed.py STORE LOOKS KILL_AT

The course is the same each time it is run: it goes on after the last look that the store holds. KILL_AT is the number of
the SQL statement before which the process gets SIGKILL; 0 is never. It says `done` when all looks are in the store.
"""

import os
import random
import signal
import sys
from datetime import timedelta
from pathlib import Path

import anyio

from opsai_server.tickets.store import Store, open_store
from opsai_server.watcher import tick
from opsai_subjects.config import WatchSettings
from opsai_subjects.model import Window
from tests.server.toy import NOON, ToyWorld, toy_cluster

INTERVAL_SECONDS = 30


def world_at(number: int) -> ToyWorld:
    """Return the toy at one look: parts go down, fill up, slow down and vanish from sight in spells of a few looks."""
    world = ToyWorld(at=NOON + timedelta(seconds=INTERVAL_SECONDS * number))
    for place, part in enumerate(world.parts.values()):
        luck = random.Random(f"{number // 5}/{place}")  # a course of events, not a secret
        part.up = luck.random() > 0.3
        part.seen = luck.random() > 0.2
        part.latency_seconds = luck.choice((0.01, 0.01, 2.0))
        part.full_ratio = luck.choice((0.1, 0.1, 0.95))
    return world


async def looks_stored(store: Store) -> int:
    return len(await store.ticks("toy", Window(start=NOON, end=NOON + timedelta(days=1))))


async def main(path: Path, looks: int, kill_at: int) -> None:
    statements = 0

    def count(_statement: str) -> None:
        nonlocal statements
        statements += 1
        if statements == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    settings = WatchSettings(interval_seconds=INTERVAL_SECONDS, hold_seconds=60, reopen_seconds=120, join_seconds=300)
    async with open_store(path, trace=count) as store:
        for number in range(await looks_stored(store), looks):
            await tick(toy_cluster(world_at(number)), store, settings, watcher="killed")
    sys.stdout.write("done\n")
    sys.stdout.flush()


def in_a_child(path: Path, looks: int, kill_at: int) -> bool:
    """Run it in a forked process, which saves importing everything again; say whether it came to its end."""
    child = os.fork()
    if child == 0:
        anyio.run(main, path, looks, kill_at)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return status == 0


if __name__ == "__main__":
    where, number_of_looks, seed = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    dice = random.Random(seed)
    kills = 0
    while not in_a_child(where, number_of_looks, dice.randrange(1, 120)):
        kills += 1
    sys.stdout.write(f"killed {kills} times\n")
