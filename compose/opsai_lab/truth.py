"""What was really done to a recorded cluster. Only the grader, and the demo's narration after the fact, read it."""

from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from opsai_subjects.errors import RecordingCorrupt


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class TrueCause(_Part):
    """One cause; any of its entities counts as the right one."""

    kind: str
    entities: tuple[str, ...]


class Deed(_Part):
    """One thing that was done, or undone."""

    at: datetime
    phase: str
    action: str
    args: tuple[JsonValue, ...] = ()


class Truth(_Part):
    """The content of `truth.json`."""

    healthy: bool
    verdict: str
    causes: tuple[TrueCause, ...]
    note: str = ""
    injected_at: datetime | None = None
    """Before this the cluster is healthy; None when nothing was done."""
    incident_end: datetime
    """The moment as of which an investigation is graded."""
    recovered_at: datetime | None = None
    steps: tuple[Deed, ...] = Field(default=())


def read_truth(recording: Path) -> Truth | None:
    """Return what was done, or None where a recording does not say. Raises RecordingCorrupt for a file of another shape."""
    path = recording / "truth.json"
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise RecordingCorrupt(f"{path} cannot be read: {error}") from error
    try:
        return Truth.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise RecordingCorrupt(f"{path} is not a truth that can be graded by: {where}: {first['msg']}") from error
