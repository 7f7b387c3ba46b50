"""A recording's folder, opened: what it holds is checked for being whole and parsed when it is first asked for."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, ValidationError

from opsai_subjects.config import WatchSettings
from opsai_subjects.errors import RecordingCorrupt
from opsai_subjects.recording.bodies import Bodies
from opsai_subjects.recording.gzipped import corrupt, inflate, parse
from opsai_subjects.recording.polls import Polls, read_polls
from opsai_subjects.recording.samples import RecordedSamples
from opsai_subjects.recording.unfinished import is_unfinished, unfinished_text

FORMAT = 1


def _aware(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        msg = "a time without a zone"
        raise ValueError(msg)
    return moment


Moment = Annotated[datetime, AfterValidator(_aware)]


class _Described(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class RecordedNode(_Described):
    """One process of the recorded cluster."""

    name: str
    role: str
    address: str
    """host:port as the cluster advertises it."""
    status_address: str
    """host:port of its metrics and status endpoint."""


class WatchedBy(_Described):
    """How a watcher looked while it was recorded; None: not said, so a replay looks as it usually does."""

    interval_seconds: float | None = Field(default=None, gt=0)
    hold_seconds: float | None = Field(default=None, gt=0)


class Incident(_Described):
    """What `incident.json` says of the recording."""

    name: str
    subject: str
    cluster: str
    start: Moment
    end: Moment
    nodes: tuple[RecordedNode, ...] = Field(min_length=1)
    scrape_interval_seconds: float = Field(gt=0)
    poll_interval_seconds: float = Field(gt=0)
    versions: dict[str, str] = Field(default_factory=dict[str, str])
    warm_up_seconds: float = Field(default=60.0, ge=0)
    """So long after `start` the cluster was still starting: it is judged from then on."""
    limits: dict[str, float] = Field(default_factory=dict[str, float])
    """Invariant to its limit, where it was not judged by the usual one."""
    for_seconds: dict[str, float] = Field(default_factory=dict[str, float])
    """Invariant to how long it had to be violated before a ticket, where that was not the usual time."""
    watch: WatchedBy = WatchedBy()

    @property
    def judged_from(self) -> datetime:
        """The moment from which the cluster is judged."""
        return self.start + timedelta(seconds=self.warm_up_seconds)

    def watched(self, usual: WatchSettings) -> WatchSettings:
        """Return the settings of a watcher that is to look as one looked while it was recorded; else the usual ones."""
        return usual.model_copy(update=self.watch.model_dump(exclude_none=True))


@dataclass(frozen=True)
class Recording:
    """A recording: what it is of, and its polls, bodies, samples and logs."""

    folder: Path
    incident: Incident
    polls: Polls
    bodies: Bodies
    samples: RecordedSamples
    logs: dict[str, Path]
    """Node name to the file of its log."""

    def verify(self) -> None:
        """Parse everything. Raises RecordingCorrupt for the first thing that cannot be read."""
        self.samples.verify()
        self.bodies.verify()
        for file in self.logs.values():
            inflate(file)


def open_recording(folder: Path) -> Recording:
    """Open a folder. Raises RecordingCorrupt naming the file, the line and what is wrong."""
    if not folder.is_dir():
        raise RecordingCorrupt(f"{str(folder)!r} is not a folder. A recording is a folder with incident.json in it.")
    if is_unfinished(folder):
        raise RecordingCorrupt(unfinished_text(folder))
    incident = _incident(folder / "incident.json")
    polls_file = folder / "http" / "polls.jsonl.gz"
    polls = read_polls(polls_file)
    bodies = Bodies(folder / "http" / "bodies.jsonl.gz")
    for sha, line in polls.shas.items():
        if sha not in bodies:
            raise corrupt(polls_file, f"names the body {sha!r}, which bodies.jsonl.gz does not hold", line)
    known = {node.name for node in incident.nodes}
    for node in polls.nodes:
        if node not in known:
            raise corrupt(polls_file, f"polls of {node!r}, which incident.json does not name")
    logs = {name: folder / "logs" / f"{name}.log.gz" for name in sorted(known)}
    return Recording(
        folder=folder,
        incident=incident,
        polls=polls,
        bodies=bodies,
        samples=RecordedSamples(folder / "metrics.jsonl.gz"),
        logs={name: file for name, file in logs.items() if file.is_file()},
    )


def _incident(file: Path) -> Incident:
    try:
        content = file.read_bytes()
    except FileNotFoundError as error:
        raise corrupt(file, "the file is missing") from error
    except OSError as error:
        raise corrupt(file, f"the file cannot be read ({error.strerror})") from error
    fields: dict[str, JsonValue] = parse(file, 1, content)
    if fields.get("format") != FORMAT:
        raise RecordingCorrupt(
            f"{file}: format {fields.get('format')!r}, and this opsai reads format {FORMAT}. Use the opsai that wrote it."
        )
    try:
        incident = Incident.model_validate(fields)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise corrupt(file, f"{where}: {first['msg']}") from error
    if incident.end <= incident.start:
        raise corrupt(file, "it ends before it starts")
    return incident
