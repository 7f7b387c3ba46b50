"""Serve a recording as a cluster inside a container, and print the settings by which others in its network see it."""

import json
import socket
from pathlib import Path
from sys import argv, prefix, stdout

import anyio

from opsai_subjects.opening import parse_moment
from opsai_subjects.recording.clock import ReplayClock
from opsai_subjects.recording.folder import open_recording
from opsai_subjects.recording.serve import serve


def tell(*lines: str) -> None:
    stdout.write("".join(line + "\n" for line in lines))
    stdout.flush()


async def main(name: str, at: str) -> None:
    recording = open_recording(Path(prefix) / "share" / "opsai" / "incidents" / name)
    host = socket.gethostbyname(socket.gethostname())
    async with serve(recording, ReplayClock(parse_moment(at, recording)), host=host) as served:
        pd = [f"http://{served.addresses[node.address]}" for node in recording.incident.nodes if node.role == "pd"]
        names = {node.address: node.name for node in recording.incident.nodes}
        tell(f"[clusters.recorded]\npd = {json.dumps(pd)}\nprometheus = {json.dumps(served.prometheus)}")
        for table, rows in (("addresses", served.addresses), ("names", names)):
            tell(
                f"[clusters.recorded.{table}]",
                *(f"{json.dumps(key)} = {json.dumps(text)}" for key, text in rows.items()),
            )
        tell("# served")
        await anyio.sleep_forever()


anyio.run(main, *argv[1:])
