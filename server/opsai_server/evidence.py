"""Evidence: every tool's full reply, stored under an id that claims cite."""

from datetime import datetime

from pydantic import JsonValue

from opsai_subjects.model import Value


class Evidence(Value):
    """One stored reply."""

    id: str
    """`E-12`: counted per store."""
    cluster: str
    tool: str
    arguments: dict[str, JsonValue]
    at: datetime
    """The cluster's time at which it was true (a recording's clock on a recording)."""
    value: JsonValue
    """The full value, also where the reply showed a part."""
    ticket: str | None = None
