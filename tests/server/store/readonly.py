"""Opens the store given, as a user who may not write there: run as a program of its own, it gives up root for good."""

import os
import sys
from pathlib import Path

import anyio

from opsai_server.tickets.store import open_store
from opsai_subjects.errors import StoreError


async def main() -> None:
    try:
        async with open_store(Path(sys.argv[1])) as store:
            await store.list_evidence("toy")
    except StoreError as error:
        sys.stdout.write(str(error))


if os.geteuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
anyio.run(main)
