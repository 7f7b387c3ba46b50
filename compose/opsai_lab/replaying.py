"""Serving a recording for other programs: curl, Grafana, or an opsai with `--endpoint` and `--prometheus`."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

from opsai_lab.layout import columns
from opsai_subjects.opening import parse_moment
from opsai_subjects.recording.clock import ReplayClock
from opsai_subjects.recording.folder import Incident, Recording, open_recording
from opsai_subjects.recording.serve import Served, serve


@asynccontextmanager
async def served(recording: Recording, at: datetime) -> AsyncGenerator[Served]:
    """Serve the recording as of that moment until the block ends."""
    async with serve(recording, ReplayClock(at)) as endpoints:
        yield endpoints


def opened(folder: Path, at: str) -> tuple[Recording, datetime]:
    """Open a recording and find the moment in it. Raises RecordingCorrupt or SettingsInvalid."""
    recording = open_recording(folder)
    return recording, parse_moment(at, recording)


def described(incident: Incident) -> str:
    """Return what a recording is of, as text."""
    seconds = (incident.end - incident.start).total_seconds()
    versions = ", ".join(f"{name} {version}" for name, version in incident.versions.items()) or "unknown versions"
    head = (
        f"{incident.name}: {incident.subject} cluster {incident.cluster!r}, {len(incident.nodes)} nodes ({versions}), "
        f"{seconds:.0f} s from {incident.start:%Y-%m-%d %H:%M:%S} to {incident.end:%H:%M:%S} UTC"
    )
    rows = [("name", "role", "address", "status address")]
    rows += [(node.name, node.role, node.address, node.status_address) for node in incident.nodes]
    return f"{head}\n{columns(rows, indent='  ')}"


def endpoints_text(incident: Incident, endpoints: Served, at: datetime) -> str:
    """Return where each part of a served recording can be asked, and how."""
    rows = [
        (node.name, f"http://{endpoints.addresses[node.address]}", f"advertised as {node.address}")
        for node in incident.nodes
    ]
    rows.append(("prometheus", endpoints.prometheus, f"{endpoints.prometheus}/api/v1/query?query=up"))
    return f"Served as of {at.isoformat()}:\n{columns(rows, indent='  ')}"
