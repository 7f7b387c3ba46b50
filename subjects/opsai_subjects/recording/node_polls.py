"""Asking one node what a recording keeps of its HTTP answers, one round after the other."""

import hashlib
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import cast

from pydantic import JsonValue

from opsai_subjects.errors import (
    NotRecorded,
    SourceDisconnected,
    SourceError,
    SourceTimedOut,
    SourceTooLarge,
    SourceUnreachable,
)
from opsai_subjects.model import Clock, clean
from opsai_subjects.recording.polls import ERRORS_THAT_BREAK_A_ROUND
from opsai_subjects.recording.secrets import masked
from opsai_subjects.recording.tally import Tally
from opsai_subjects.recording.unfinished import Unfinished
from opsai_subjects.sources.web import Web, WebReply
from opsai_subjects.subject import Polled, SubjectKind

READ_SECONDS = 3.0
"""A round is to end before the next one begins, also on a node that hangs."""
USUAL_SECONDS = 5.0
"""The interval that the kinds' `every_seconds` are meant for; a recorder that looks more often asks everything more often."""
_ANY_STATUS = tuple(range(300, 600))
_SHA_CHARS = 16


class NodePolls:
    """One node: its paths in their order, each as often as its kind says."""

    def __init__(self, name: str, base: str, kind: SubjectKind, asked: Sequence[Polled], every_seconds: float) -> None:
        self._name = name
        self._base = base.rstrip("/")
        self._kind = kind
        self._asked = tuple(asked)
        self._faster = min(1.0, every_seconds / USUAL_SECONDS)
        self._slack_seconds = every_seconds / 2
        self._last: dict[int, datetime] = {}

    async def round(self, web: Web, clock: Clock, into: Unfinished, tally: Tally) -> None:
        """Ask what is due; two errors end the round, as a replay expects. Raises RecordingNotWritten."""
        now, errors = clock.now(), 0
        for number, polled in enumerate(self._asked):
            last = self._last.get(number)
            wanted = polled.every_seconds * self._faster - self._slack_seconds
            if last is not None and (now - last).total_seconds() < wanted:
                continue
            self._last[number] = now
            line = await self._ask(polled, web, into, tally)
            if line is None:
                continue
            into.poll({"at": round(clock.now().timestamp(), 3), "node": self._name, **line})
            errors += "error" in line
            if errors == ERRORS_THAT_BREAK_A_ROUND:
                return

    async def _ask(self, polled: Polled, web: Web, into: Unfinished, tally: Tally) -> dict[str, JsonValue] | None:
        """Return the poll's line without time and node; None for what cannot be recorded."""
        line: dict[str, JsonValue] = {"path": polled.path}
        if polled.local:
            line["local"] = True
        try:
            reply = await self._sent(polled, web)
        except NotRecorded:
            return None
        except SourceTooLarge as error:
            tally.answered(0)
            tally.note(f"{polled.path} of {self._name} is not kept: {error.came_back}")
            return None
        except SourceError as error:
            tally.answered(0)
            return {**line, "error": _class_of(error)}
        tally.answered(len(reply.body))
        text = masked(reply.text)
        sha = hashlib.sha1(text.encode(errors="replace"), usedforsecurity=False).hexdigest()[:_SHA_CHARS]
        into.body(sha, text)
        return {**line, "status": reply.status, "sha": sha, "ms": round(reply.seconds * 1000)}

    async def _sent(self, polled: Polled, web: Web) -> WebReply:
        if polled.rpc is not None:
            return await web.call(self._base, polled.rpc, of=self._name, read_seconds=READ_SECONDS, accept=_ANY_STATUS)
        headers = self._kind.local_headers if polled.local else None
        return await web.get(
            f"{self._base}{polled.path}", of=self._name, headers=headers, read_seconds=READ_SECONDS, accept=_ANY_STATUS
        )


def _class_of(error: SourceError) -> str:
    """Return the error as FORMAT writes it: the class tells a kill from a hang."""
    said = clean(error.came_back, 300)
    if isinstance(error, SourceTimedOut):
        return f"TimeoutError: {said}"
    if isinstance(error, SourceDisconnected):
        return f"RemoteDisconnected: {said}"
    refused = "refused" in said.lower() or any(isinstance(one, ConnectionRefusedError) for one in _causes(error))
    return f"{'ConnectionRefusedError' if refused and isinstance(error, SourceUnreachable) else 'OSError'}: {said}"


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and what it came of: a client that tried several addresses says only that none could be reached."""
    yield error
    if isinstance(error, BaseExceptionGroup):
        for inner in cast("BaseExceptionGroup[BaseException]", error).exceptions:
            yield from _causes(inner)
    cause = error.__cause__ or error.__context__
    if cause is not None:
        yield from _causes(cause)
