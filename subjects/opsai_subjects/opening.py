"""Opening a cluster: from settings or from a recording, the same subject comes out."""

import re
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from opsai_subjects.config import ClusterSettings, WebLimits
from opsai_subjects.endpoint import Access
from opsai_subjects.errors import SettingsInvalid
from opsai_subjects.invariant import Invariant
from opsai_subjects.log_opening import open_logs
from opsai_subjects.metrics_opening import open_metrics, scraping
from opsai_subjects.model import Clock, LogSource, WallClock
from opsai_subjects.recording.clock import ReplayClock
from opsai_subjects.recording.folder import Recording, open_recording
from opsai_subjects.recording.logs import RecordedLogs
from opsai_subjects.recording.marked import RecordedTransport
from opsai_subjects.recording.serve import Served, serve
from opsai_subjects.redaction import Redaction
from opsai_subjects.registry import subject_kind
from opsai_subjects.sources.meetings import Meetings
from opsai_subjects.sources.paths import below, calls_below
from opsai_subjects.sources.prometheus import PATHS as PROMETHEUS_PATHS
from opsai_subjects.sources.prometheus import Prometheus
from opsai_subjects.sources.redaction import RedactedLogs
from opsai_subjects.sources.web import open_web
from opsai_subjects.subject import Sources, Subject, SubjectKind

_AFTER_START = re.compile(r"\+(\d{1,6}(?:\.\d+)?)(s|m)?")


RATE_SCRAPES = 6
"""Scrapes in a rate's range: enough that one lost scrape does not empty it."""


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
async def open_cluster(name: str, settings: ClusterSettings, limits: WebLimits) -> AsyncGenerator[Cluster]:
    """Open a live cluster; nothing is asked of it yet. Raises SettingsInvalid, or UnknownName for an unknown subject."""
    kind = subject_kind(settings.subject)
    _known_invariants(name, settings, kind.invariants)
    if not settings.endpoints and settings.prometheus is None:
        raise SettingsInvalid(
            f"Nothing says where the cluster {name!r} is. Give --endpoint URL ({kind.endpoint}; and --prometheus URL), or "
            f"set endpoints under [clusters.{name}]."
        )
    clock = WallClock()
    meetings = Meetings(clock)
    bases = (*settings.endpoints, *settings.addresses.values())
    async with AsyncExitStack() as stack:
        web = await stack.enter_async_context(
            open_web(
                settings.cluster_access,
                limits,
                allow=below(kind.paths, bases),
                calls=calls_below(kind.rpcs, bases),
                meetings=meetings,
            )
        )
        metrics = await stack.enter_async_context(open_metrics(settings, limits, clock, kind.scraped, meetings))
        opened = await stack.enter_async_context(open_logs(settings, limits, kind.parse_log, clock))
        sources = Sources(
            web=web,
            metrics=metrics,
            logs=_redacted(opened.logs, settings, kind.redaction),
            clock=clock,
            reach=settings.addresses,
            states=opened.states,
            meetings=meetings,
        )
        subject = kind.open(name, settings, sources)
        await stack.enter_async_context(scraping(metrics, subject.scrape_targets))
        yield Cluster(name, subject, clock, settings, None)


@asynccontextmanager
async def open_replay(folder: Path, at: datetime | Literal["start", "end"] = "start") -> AsyncGenerator[ReplayCluster]:
    """Open a recording as a cluster, at a moment. Raises RecordingCorrupt, or UnknownName for an unknown subject."""
    recording = open_recording(folder)
    incident = recording.incident
    kind = subject_kind(incident.subject)
    moment = {"start": incident.start, "end": incident.end}[at] if isinstance(at, str) else at
    clock = ReplayClock(moment)
    async with open_replay_sources(recording, clock, kind) as (settings, sources):
        subject = kind.open(incident.cluster, settings, sources)
        yield ReplayCluster(incident.cluster, subject, clock, settings, recording)


@asynccontextmanager
async def open_replay_sources(
    recording: Recording, clock: ReplayClock, kind: SubjectKind
) -> AsyncGenerator[tuple[ClusterSettings, Sources]]:
    """Open what an adapter of that kind looks at a recording through."""
    async with serve(recording, clock) as served:
        settings = _replay_settings(recording, served, kind)
        hosts = frozenset((*served.addresses.values(), served.prometheus.removeprefix("http://")))
        limits = WebLimits()
        async with (
            open_web(
                Access(),
                limits,
                allow=kind.paths,
                calls=calls_below(kind.rpcs, ()),
                transport=RecordedTransport(hosts, clock, served.app),
            ) as web,
            open_web(
                Access(), limits, allow=PROMETHEUS_PATHS, transport=RecordedTransport(hosts, clock, served.app)
            ) as metrics_web,
        ):
            yield (
                settings,
                Sources(
                    web=web,
                    metrics=Prometheus(served.prometheus, metrics_web, clock),
                    logs=_redacted(RecordedLogs(recording.logs, kind.parse_log, clock), settings, kind.redaction),
                    clock=clock,
                    reach=served.addresses,
                ),
            )


def _redacted(logs: LogSource | None, settings: ClusterSettings, rules: Redaction) -> LogSource | None:
    return RedactedLogs(logs, rules) if logs is not None and settings.redact else logs


def _known_invariants(name: str, settings: ClusterSettings, invariants: tuple[Invariant, ...]) -> None:
    """Raise SettingsInvalid where the settings name an invariant that is not there, or that has no limit to set."""
    with_limit = {one.id for one in invariants if one.limit is not None}
    for section, given, known, what in (
        ("limits", settings.limits, with_limit, "no invariant with a limit to set"),
        ("for_seconds", settings.for_seconds, {one.id for one in invariants}, "no invariant"),
    ):
        wrong = sorted(set(given) - known)
        if wrong:
            raise SettingsInvalid(
                f"[clusters.{name}.{section}] names {', '.join(map(repr, wrong))}, which is {what} of {settings.subject}. "
                f"Known: {', '.join(sorted(known))}."
            )


def parse_moment(text: str, recording: Recording) -> datetime:
    """Return the moment meant by `start`, `end`, `+90s` (after the start) or an ISO time. Raises SettingsInvalid."""
    incident = recording.incident
    word = text.strip()
    if word in ("start", "end"):
        return incident.start if word == "start" else incident.end
    try:
        if after := _AFTER_START.fullmatch(word):
            moment = incident.start + timedelta(seconds=float(after[1]) * (60 if after[2] == "m" else 1))
        else:
            moment = datetime.fromisoformat(word)
    except (ValueError, OverflowError) as error:
        raise _not_a_moment(text, recording) from error
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if not incident.start <= moment <= incident.end:
        raise _not_a_moment(text, recording)
    return moment


def _not_a_moment(text: str, recording: Recording) -> SettingsInvalid:
    incident = recording.incident
    return SettingsInvalid(
        f"{text!r} is no moment of the recording. Give start, end, +90s (after the start) or a time between "
        f"{incident.start.isoformat()} and {incident.end.isoformat()}."
    )


def _replay_settings(recording: Recording, served: Served, kind: SubjectKind) -> ClusterSettings:
    nodes = recording.incident.nodes
    return ClusterSettings(
        subject=recording.incident.subject,
        endpoints=tuple(f"http://{node.address}" for node in nodes if node.role in kind.endpoint_roles),
        prometheus=served.prometheus,
        addresses=served.addresses,
        rate_seconds=RATE_SCRAPES * recording.incident.scrape_interval_seconds,
        names={address: node.name for node in nodes for address in (node.address, node.status_address) if address},
        limits=_of_known(recording.incident.limits, kind),
        for_seconds=_of_known(recording.incident.for_seconds, kind),
    )


def _of_known(judged: Mapping[str, float], kind: SubjectKind) -> dict[str, float]:
    """Return what a recording says of invariants that this adapter still has."""
    known = {invariant.id for invariant in kind.invariants}
    return {invariant: value for invariant, value in judged.items() if invariant in known}
