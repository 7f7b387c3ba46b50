"""Every error opsai raises, each written for the reader who must act on it.

OpsaiError
├── SettingsInvalid            a file, variable or flag cannot be used
├── UnknownName                a name that is not one of the known ones
├── ArgumentInvalid            an argument that cannot be meant: a time that is none, an empty window
├── QueryInvalid               PromQL or a regular expression that does not parse; the engine's own words kept
├── RecordingCorrupt           a recording's folder cannot be read as one
├── RecordingNotWritten        a recording cannot be begun or go on: the folder is in use, its disk is full
├── SourceError                asked, of whom, what came back, what to try
│   ├── SourceUnreachable      nothing answered: refused, no route, no such name
│   ├── SourceTimedOut         something may be there, no answer came in time
│   ├── SourceDisconnected     the connection broke before an answer was whole
│   ├── SourceRefused          an answer with an error status
│   ├── SourceMalformed        an answer that is not what it should be (half a JSON, HTML from a proxy)
│   ├── SourceTooLarge         an answer over the size cap, not read to its end
│   └── NotRecorded            a recording that holds no answer to this: the cluster itself was never asked
└── StoreError                 our own database
    ├── StoreBusy              locked by another program
    ├── StoreFull              the disk has no room
    └── StoreCorrupt           the file is not a store of ours, or is damaged
"""

from datetime import datetime

from opsai_subjects.foreign import quoted

BODY_EXCERPT_CHARS = 500


class OpsaiError(Exception):
    """The base: its text is one or two sentences for a person, ready to print."""


class SettingsInvalid(OpsaiError):
    """A settings file, an environment variable or a flag cannot be used."""


class UnknownName(OpsaiError):
    """A name that is not among the known ones; the message lists those."""

    def __init__(self, what: str, name: str, known: tuple[str, ...], *, advice: str = "") -> None:
        listed = ", ".join(known[:60]) if known else "none"
        more = f" (and {len(known) - 60} more)" if len(known) > 60 else ""
        super().__init__(f"There is no {what} {name!r}. Known: {listed}{more}.{' ' + advice if advice else ''}")
        self.what = what
        self.name = name
        self.known = known


class ArgumentInvalid(OpsaiError):
    """An argument that cannot be used; the message names it, what was given and what would do."""

    def __init__(self, argument: str, given: object, why: str, advice: str) -> None:
        super().__init__(f"{argument}={given!r} cannot be used: {why}. Try: {advice}")
        self.argument = argument


class QueryInvalid(OpsaiError):
    """A query that the engine refuses: PromQL or a regular expression. `reason` keeps the engine's own words."""

    def __init__(self, query: str, reason: str) -> None:
        super().__init__(f"The query {query!r} is refused: {reason}")
        self.query = query
        self.reason = reason


class RecordingCorrupt(OpsaiError):
    """A folder that should be a recording cannot be read; the message names the file, the place in it and what is wrong."""


class RecordingNotWritten(OpsaiError):
    """A recording cannot be begun in a folder, or cannot go on; what was written before is kept."""


class SourceError(OpsaiError):
    """A source could not answer: what was asked, of whom, what came back, what to try."""

    def __init__(self, asked: str, of: str, came_back: str, advice: str = "") -> None:
        super().__init__(f"Asked {of} for {asked}: {came_back}{'. Try: ' + advice if advice else ''}")
        self.asked = asked
        self.of = of
        self.came_back = came_back
        self.advice = advice


class SourceUnreachable(SourceError):
    """Nothing answered: connection refused, no route, unknown host."""


class SourceTimedOut(SourceError):
    """No answer within the time allowed."""


class SourceDisconnected(SourceError):
    """The connection was closed before a whole answer had come."""


class SourceRefused(SourceError):
    """An answer with an error status; `status` is the HTTP code and `body` its first 500 characters.

    `says` is what came back in words of ours; without it the body is quoted.
    """

    def __init__(self, asked: str, of: str, status: int, body: str, advice: str = "", *, says: str = "") -> None:
        excerpt = body[:BODY_EXCERPT_CHARS]
        told = says or (quoted(excerpt, BODY_EXCERPT_CHARS) if excerpt.strip() else "(empty body)")
        super().__init__(asked, of, f"HTTP {status}: {told}", advice)
        self.status = status
        self.body = excerpt


class SourceMalformed(SourceError):
    """An answer that cannot be read as what it should be."""


class SourceTooLarge(SourceError):
    """An answer over the size cap; nothing of it was used."""


class NotRecorded(SourceError):
    """A recording without an answer to this question at this moment."""

    def __init__(self, asked: str, of: str, at: datetime) -> None:
        super().__init__(
            asked,
            of,
            f"not recorded (as of {at.isoformat()})",
            "another question: the recording holds no answer to this one",
        )


class StoreError(OpsaiError):
    """The local database cannot be used; nothing was half-written."""


class StoreBusy(StoreError):
    """Another program holds the database's lock for too long."""


class StoreFull(StoreError):
    """There is no room on the database's disk."""


class StoreCorrupt(StoreError):
    """The file is not a store of ours, or it is damaged."""
