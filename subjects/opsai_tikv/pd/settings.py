"""Settings, schedulers, GC and resolved timestamps read from JSON.

Every function raises ValueError (pydantic's ValidationError among them) for what is not what it should be, and nothing else.
"""

from datetime import datetime
from typing import Annotated

from pydantic import BeforeValidator, Field, JsonValue, TypeAdapter

from opsai_subjects.foreign import name_of, quoted
from opsai_subjects.model import Scalar
from opsai_tikv.pd.go_values import MAX_UINT64, rfc3339, tso_time, unix_seconds
from opsai_tikv.pd.shapes import Id, Json, Name, Text, or_empty_list
from opsai_tikv.pd.values import Config, Diagnosis, GcSafePoint, Pause, Replication, ResolvedTs, ServiceSafePoint

_NEVER = 9_223_372_036_854_775_807


class _Service(Json):
    service_id: Name = ""
    expired_at: int = 0
    safe_point: Id = "0"


class _SafePoints(Json):
    service_gc_safe_points: Annotated[tuple[_Service, ...], BeforeValidator(or_empty_list)] = ()
    gc_safe_point: Id = "0"


def read_gc_safe_point(json: object) -> GcSafePoint:
    """Read `/gc/safepoint`."""
    found = _SafePoints.model_validate(json)
    return GcSafePoint(
        gc_safe_point=found.gc_safe_point or "0",
        gc_safe_point_at=tso_time(int(found.gc_safe_point or "0")),
        services=tuple(
            ServiceSafePoint(
                service_id=service.service_id,
                safe_point=service.safe_point or "0",
                safe_point_at=tso_time(int(service.safe_point or "0")),
                expires_at=None if service.expired_at >= _NEVER else unix_seconds(service.expired_at),
            )
            for service in found.service_gc_safe_points
        ),
    )


class _Resolved(Json):
    is_real_time: bool = False
    min_resolved_ts: Id = "0"


def read_resolved_ts(json: object) -> ResolvedTs:
    """Read `/min-resolved-ts`."""
    found = _Resolved.model_validate(json)
    ts = int(found.min_resolved_ts or "0")
    known = 0 < ts < MAX_UINT64
    return ResolvedTs(ts=str(ts) if known else None, at=tso_time(ts), is_real_time=found.is_real_time)


_NAMES = TypeAdapter(Annotated[list[str], BeforeValidator(or_empty_list)])
_TREE = TypeAdapter(dict[str, JsonValue])
_WORDS: dict[str, Scalar] = {"true": True, "false": False}


def read_names(json: object) -> tuple[str, ...]:
    """Read a list of names (`/schedulers`)."""
    return tuple(name_of(name) for name in _NAMES.validate_python(json))


class _Paused(Json):
    name: Name
    resume_at: Text = ""


_PAUSED = TypeAdapter(Annotated[tuple[str | _Paused, ...], BeforeValidator(or_empty_list)])
_STRING = TypeAdapter(str)


def read_paused(json: object) -> tuple[str, ...]:
    """Read `/schedulers?status=…`: names, or objects that also say until when."""
    return tuple(name_of(entry) if isinstance(entry, str) else entry.name for entry in _PAUSED.validate_python(json))


def read_pauses(json: object) -> tuple[Pause, ...]:
    """Read `/schedulers?status=paused&timestamp=…`."""
    return tuple(
        Pause(name=name_of(entry)) if isinstance(entry, str) else Pause(name=entry.name, until=_until(entry.resume_at))
        for entry in _PAUSED.validate_python(json)
    )


def _until(text: str) -> datetime | None:
    return rfc3339(text) if text else None


class _Diagnosis(Json):
    status: Name = ""
    summary: Text = ""


def read_diagnosis(json: object) -> Diagnosis:
    """Read `/schedulers/diagnostic/NAME`."""
    found = _Diagnosis.model_validate(json)
    return Diagnosis(status=found.status, summary=found.summary)


class _AutoSync(Json):
    state: Name = ""
    label_key: Name = ""


class _Replication(Json):
    mode: Name = ""
    dr_auto_sync: _AutoSync | None = Field(default=None, alias="dr-auto-sync")


def read_replication(json: object) -> Replication:
    """Read `/replication_mode/status`."""
    found = _Replication.model_validate(json)
    sync = found.dr_auto_sync or _AutoSync()
    return Replication(mode=found.mode, state=sync.state, label_key=sync.label_key)


class _Stage(Json):
    info: Text = ""
    time: Text = ""


_STAGES = TypeAdapter(Annotated[list[_Stage], BeforeValidator(or_empty_list)])
_OVER = ("no on-going", "finished", "failed")


def read_unsafe_recovery(json: object) -> str:
    """Read `/admin/unsafe/remove-failed-stores/show`: the stage it is in, empty when no recovery is under way."""
    stages = _STAGES.validate_python(json)
    last = stages[-1].info if stages else ""
    return "" if any(word in last.lower() for word in _OVER) else quoted(last) if last else ""


def read_text(json: object) -> str:
    """Read a bare JSON string."""
    return name_of(_STRING.validate_python(json))


def read_scheduler_config(json: JsonValue) -> Config:
    """Read `/scheduler-config/NAME/list`; a scheduler without settings answers with a text or null."""
    return read_config(json) if isinstance(json, dict) else Config(values={})


class _Named(Json):
    name: Name = ""


def read_name(json: object) -> str:
    """Read the member's own name out of `/config`."""
    return _Named.model_validate(json).name


def read_config(json: object) -> Config:
    """Read `/config` (or a part of it) flattened; members of a list get their index as name."""
    return Config(values=flattened(_TREE.validate_python(json)))


def flattened(tree: dict[str, JsonValue]) -> dict[str, Scalar]:
    """Return the leaves under dotted names, in order of name; "true" and "false" become booleans."""
    flat: dict[str, Scalar] = {}
    stack: list[tuple[str, JsonValue]] = list(tree.items())
    while stack:
        name, value = stack.pop()
        if isinstance(value, dict):
            stack.extend((f"{name}.{key}", below) for key, below in value.items())
        elif isinstance(value, list):
            stack.extend((f"{name}.{index}", below) for index, below in enumerate(value))
        else:
            flat[name_of(name)] = _WORDS.get(value, name_of(value)) if isinstance(value, str) else value
    return dict(sorted(flat.items()))
