"""A pod as the Kubernetes API tells it: its containers, their runs, and how the last one ended. Pure."""

from dataclasses import dataclass
from datetime import datetime

from pydantic import BaseModel, Field

from opsai_subjects.foreign import name_of
from opsai_subjects.model import LastState
from opsai_subjects.sources.feed import moment

_DEFAULT_CONTAINER = "kubectl.kubernetes.io/default-container"


class _Running(BaseModel):
    startedAt: str | None = None  # noqa: N815 - Kubernetes' own words, here and below


class _Terminated(BaseModel):
    exitCode: int = 0  # noqa: N815
    reason: str = ""
    startedAt: str | None = None  # noqa: N815
    finishedAt: str | None = None  # noqa: N815


class _Waiting(BaseModel):
    reason: str = ""


class _State(BaseModel):
    running: _Running | None = None
    terminated: _Terminated | None = None
    waiting: _Waiting | None = None


class _Status(BaseModel):
    name: str
    restarts: int = Field(default=0, alias="restartCount")
    state: _State = _State()
    last: _State = Field(default=_State(), alias="lastState")


class _Named(BaseModel):
    name: str


class _Metadata(BaseModel):
    name: str
    annotations: dict[str, str] | None = None


class _Spec(BaseModel):
    containers: list[_Named] = []


class _Statuses(BaseModel):
    phase: str = ""
    containers: list[_Status] | None = Field(default=None, alias="containerStatuses")


class Pod(BaseModel):
    """One pod."""

    metadata: _Metadata
    spec: _Spec = _Spec()
    status: _Statuses = _Statuses()

    @property
    def container(self) -> str:
        """The container that is the node, where nobody named one: the annotated, else the first; empty when it has none."""
        annotated = (self.metadata.annotations or {}).get(_DEFAULT_CONTAINER, "")
        return annotated or next((one.name for one in self.spec.containers), "")

    def runs(self, container: str) -> "Runs":
        """Return which runs of a container have left output."""
        status = self._status(container)
        if status is None:
            names = ", ".join(one.name for one in self.spec.containers) or "none"
            return Runs(waiting=f"the pod is {self.status.phase or 'in no phase'} and its containers are {names}")
        now, ended = status.state, status.last.terminated
        if now.running is not None:
            return Runs(_at(now.running.startedAt), _run(ended), has_now=True)
        if now.terminated is not None:
            return Runs(_at(now.terminated.startedAt), _run(ended), has_now=True)
        # while it waits to be started again, its current output is that of the run that ended last
        waiting = now.waiting.reason if now.waiting is not None else "nothing is known of it"
        begun = _at(ended.startedAt) if ended is not None else None
        return Runs(begun, None, has_now=ended is not None, waiting=waiting or "waiting")

    def last_state(self, node: str, container: str) -> LastState | None:
        """Return how the container last ended; None when the pod has no such container yet."""
        status = self._status(container)
        if status is None:
            return None
        ended = status.state.terminated or status.last.terminated
        return LastState(
            node=node,
            running=status.state.running is not None,
            ended_at=_at(ended.finishedAt) if ended is not None else None,
            reason=name_of(ended.reason) if ended is not None else "",
            exit_code=ended.exitCode if ended is not None else None,
            restarts=status.restarts,
            source="kubernetes",
        )

    def _status(self, container: str) -> _Status | None:
        return next((one for one in self.status.containers or () if one.name == container), None)


class Pods(BaseModel):
    """The pods that a label selector selects."""

    items: list[Pod]


@dataclass(frozen=True)
class Run:
    """A run that is over."""

    begun: datetime | None
    ended: datetime | None


@dataclass(frozen=True)
class Runs:
    """The runs of a container whose output is kept: the one under way (or ended last), and the one before it."""

    begun: datetime | None = None
    before: Run | None = None
    has_now: bool = False
    waiting: str = ""
    """Why none is under way, in Kubernetes' words."""

    def reaching_back_to(self, start: datetime) -> bool:
        """Say whether the run before the current one has output of that time or later."""
        ended = self.before.ended if self.before is not None else None
        return self.begun is not None and self.begun > start and ended is not None and ended >= start

    @property
    def kept_since(self) -> datetime | None:
        """Since when output is kept."""
        return self.before.begun if self.before is not None else self.begun


def _run(ended: _Terminated | None) -> Run | None:
    return Run(_at(ended.startedAt), _at(ended.finishedAt)) if ended is not None else None


def _at(text: str | None) -> datetime | None:
    return moment(text) if text else None
