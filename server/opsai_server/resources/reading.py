"""Reading: what a resource holds at the moment it is read, and the limit it keeps."""

from collections.abc import Mapping
from dataclasses import dataclass

from opsai_server.tools.shaping import compact, render

MARKDOWN = "text/markdown"
JSON = "application/json"
SCHEME = "opsai://"


@dataclass(frozen=True, slots=True)
class Reading:
    """One resource as it reads now: at most 40,000 characters (`shaping.HARD_CHARS`); what it leaves out it says."""

    uri: str
    mime: str
    text: str
    cluster: str = ""
    """The cluster it is about; empty where it is about none, or about several."""


def json_reading(uri: str, head: Mapping[str, str | None], shown: Mapping[str, object], cluster: str = "") -> Reading:
    """Return a value as a reading, bounded and cleaned as a tool's reply is."""
    return Reading(uri, JSON, compact(render(head, shown)), cluster)
