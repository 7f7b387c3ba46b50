"""Opening a cluster: from settings or from a recording, the same subject comes out."""

import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

from opsai_subjects.config import Access, ClusterSettings, WebLimits
from opsai_subjects.errors import SettingsInvalid
from opsai_subjects.model import Clock
from opsai_subjects.recording.clock import ReplayClock
from opsai_subjects.recording.folder import Recording, open_recording
from opsai_subjects.recording.logs import RecordedLogs
from opsai_subjects.recording.marked import RecordedTransport
from opsai_subjects.recording.serve import Served, serve
from opsai_subjects.registry import subject_kind
from opsai_subjects.sources.prometheus import PATHS, Prometheus
from opsai_subjects.sources.web import open_web
from opsai_subjects.subject import Sources, Subject, SubjectKind


@dataclass(frozen=True)
class Cluster:
    """A cluster that can be looked at, until whoever opened it closes it."""

    name: str
    subject: Subject
    clock: Clock
    settings: ClusterSettings
    recording: Recording | None


@dataclass(frozen=True)
class ReplayCluster(Cluster):
    """A recorded cluster; setting its clock moves everything to that moment."""

    clock: ReplayClock
    recording: Recording


@asynccontextmanager
async def open_replay(folder: Path, at: datetime | Literal["start", "end"] = "start") -> AsyncGenerator[ReplayCluster]:
    """Open a recording as a cluster, at a moment. Raises RecordingCorrupt, or UnknownName for an unknown subject."""
    recording = open_recording(folder)
    incident = recording.incident
    kind = subject_kind(incident.subject)
    moment = {"start": incident.start, "end": incident.end}[at] if isinstance(at, str) else at
    clock = ReplayClock(moment)
    async with open_replay_sources(recording, clock, kind) as (settings, sources):
        subject = kind.open(settings, sources)
        yield ReplayCluster(incident.cluster, subject, clock, settings, recording)


@asynccontextmanager
async def open_replay_sources(
    recording: Recording, clock: ReplayClock, kind: SubjectKind
) -> AsyncGenerator[tuple[ClusterSettings, Sources]]:
    """Open what an adapter of that kind looks at a recording through."""
    async with serve(recording, clock) as served:
        settings = _replay_settings(recording, served)
        hosts = frozenset((*served.addresses.values(), served.prometheus.removeprefix("http://")))
        limits = WebLimits()
        async with (
            open_web(Access(), limits, allow=kind.paths, transport=RecordedTransport(hosts, clock)) as web,
            open_web(Access(), limits, allow=PATHS, transport=RecordedTransport(hosts, clock)) as metrics_web,
        ):
            yield (
                settings,
                Sources(
                    web=web,
                    metrics=Prometheus(served.prometheus, metrics_web, clock),
                    logs=RecordedLogs(recording.logs, kind.parse_log, clock),
                    clock=clock,
                    reach=served.addresses,
                ),
            )


def parse_moment(text: str, recording: Recording) -> datetime:
    """Return the moment meant by `start`, `end`, `+90s` (after the start) or an ISO time. Raises SettingsInvalid."""
    incident = recording.incident
    word = text.strip()
    if word in ("start", "end"):
        return incident.start if word == "start" else incident.end
    if after := re.fullmatch(r"\+(\d+(?:\.\d+)?)(s|m)?", word):
        return incident.start + timedelta(seconds=float(after[1]) * (60 if after[2] == "m" else 1))
    try:
        moment = datetime.fromisoformat(word)
    except ValueError as error:
        raise _not_a_moment(text, recording) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=incident.start.tzinfo)


def _not_a_moment(text: str, recording: Recording) -> SettingsInvalid:
    incident = recording.incident
    return SettingsInvalid(
        f"{text!r} is no moment of the recording. Give start, end, +90s (after the start) or a time between "
        f"{incident.start.isoformat()} and {incident.end.isoformat()}."
    )


def _replay_settings(recording: Recording, served: Served) -> ClusterSettings:
    nodes = recording.incident.nodes
    return ClusterSettings(
        subject=recording.incident.subject,
        pd=tuple(f"http://{node.address}" for node in nodes if node.role == "pd"),
        prometheus=served.prometheus,
        addresses=served.addresses,
        names={address: node.name for node in nodes for address in (node.address, node.status_address) if address},
    )
