"""What a node would have answered at a moment, from what it did answer when it was polled.

A path answers with its own newest poll. Two things keep a node that is gone from answering with old bodies:

- A node whose newest poll of any path is older than 15 s does not answer at all: it times out. Before its first poll
  nothing is recorded of it.
- The recorder asks a node's paths in rounds, always in the same order, and breaks a round off after two errors. While
  the newest round holds nothing but errors, every path of the node, also one never recorded, answers with the newest of
  them. When the newest round that came to an end was broken off before it reached a path, that path answers with the
  error that broke it off, since an answer from an earlier round would show as well what nobody could see any more.

A poll line is {"at", "node", "path", "status", "sha"} or {"at", "node", "path", "error"}; `"local": true` where the node
was asked for its own view; `"rpc": true` where it was asked by POST with the fixed body of a `ReadRpc`: `path` is then the
call's, and as a call has one body and its path is asked in no other way, the path alone names the question.

A round asks each path at most once, so a new one begins where a path comes again; a path that is polled less often than
others is "not due" in most rounds, which is no reason to doubt its last answer.
"""

import re
from bisect import bisect_right
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple
from urllib.parse import parse_qsl

from pydantic import JsonValue

from opsai_subjects.foreign import quoted
from opsai_subjects.recording.gzipped import corrupt, inflate, lines, parse

Failure = Literal["unreachable", "timed_out", "disconnected"]

NODE_SILENT_SECONDS = 15.0
ERRORS_THAT_BREAK_A_ROUND = 2
_DISCONNECTED = (
    "RemoteDisconnected",
    "ConnectionResetError",
    "BrokenPipeError",
    "IncompleteRead",
    "ConnectionAbortedError",
)
_SAID_BY_PYTHON = re.compile(r"\w*(?:: (?:\[Errno -?\d+\] )?[\w ()'.-]{0,120})?", re.ASCII)
"""The errors of the recorder itself. What a server had a part in may hold anything."""


class Key(NamedTuple):
    """One question: the path, its query in no particular order, and whether the member was asked for its own view."""

    path: str
    query: tuple[tuple[str, str], ...]
    local: bool


class Poll(NamedTuple):
    """One recorded answer or error."""

    at: float
    key: Key
    status: int
    sha: str
    error: str
    round: int


@dataclass(frozen=True)
class Failed:
    """A recorded failure to answer, and the recorder's words for it."""

    failure: Failure
    says: str


@dataclass
class _Node:
    at: list[float] = field(default_factory=list[float])
    polls: list[Poll] = field(default_factory=list[Poll])
    own: dict[Key, list[Poll]] = field(default_factory=dict[Key, list[Poll]])
    order: list[Key] = field(default_factory=list[Key])
    round_keys: set[Key] = field(default_factory=set[Key])

    def add(self, at: float, key: Key, status: int, sha: str, error: str) -> None:
        number = self.polls[-1].round if self.polls else 0
        if key in self.round_keys:
            number += 1
            self.round_keys = set()
        if key not in self.own:
            self.own[key] = []
            after = self.polls[-1].key if self.round_keys else None
            self.order.insert(self.order.index(after) + 1 if after else 0, key)
        self.round_keys.add(key)
        poll = Poll(at, key, status, sha, error, number)
        self.at.append(at)
        self.polls.append(poll)
        self.own[key].append(poll)

    def round_until(self, index: int) -> list[Poll]:
        """Return the polls of the round that the poll at this index belongs to, up to it."""
        first = index
        while first > 0 and self.polls[first - 1].round == self.polls[index].round:
            first -= 1
        return self.polls[first : index + 1]


class Polls:
    """All polls of a recording, found by node, path and moment."""

    def __init__(self) -> None:
        self._nodes: dict[str, _Node] = {}
        self.shas: dict[str, int] = {}
        """Each body that is named, and the first line that names it."""

    @property
    def nodes(self) -> tuple[str, ...]:
        """The nodes that were polled."""
        return tuple(self._nodes)

    def keys(self, node: str) -> tuple[Key, ...]:
        """Return the questions that were ever asked of this node."""
        return tuple(self._nodes[node].own) if node in self._nodes else ()

    def add(self, node: str, at: float, key: Key, status: int, sha: str, error: str) -> None:
        """Add the next poll of a node; its polls come in order of time."""
        self._nodes.setdefault(node, _Node()).add(at, key, status, sha, error)

    def answer(self, node: str, key: Key, at: float) -> Poll | Failed | None:
        """Return the answer as of that moment (Unix seconds); None when this was never recorded."""
        known = self._nodes.get(node)
        if known is None:
            return None
        newest = bisect_right(known.at, at) - 1
        if newest < 0:
            return None
        if at - known.at[newest] > NODE_SILENT_SECONDS:
            return Failed("timed_out", f"nobody got an answer of {node} in the {NODE_SILENT_SECONDS:g} s before")
        current = known.round_until(newest)
        if all(poll.error for poll in current):
            return _failed(current[-1])
        own = _newest(known.own.get(key, []), at)
        if own is None:
            return None
        if own.round < current[0].round and (broken := _broken_off(known, current, newest, key)):
            return _failed(broken)
        return _failed(own) if own.error else own


def read_polls(file: Path) -> Polls:
    """Read `polls.jsonl.gz`. Raises RecordingCorrupt naming the line."""
    polls = Polls()
    keys: dict[tuple[str, bool], Key] = {}
    last: dict[str, float] = {}
    for number, line in lines(inflate(file)):
        fields = parse(file, number, line)
        at, node, path = fields.get("at"), fields.get("node"), fields.get("path")
        if not isinstance(at, int | float) or not isinstance(node, str) or not isinstance(path, str):
            raise corrupt(file, "a poll without at, node and path", number)
        if at < last.get(node, at):
            raise corrupt(file, f"a poll of {node!r} that is earlier than the one before it", number)
        last[node] = at
        raw = (path, fields.get("local") is True)
        key = keys.get(raw) or keys.setdefault(raw, key_of(path, local=raw[1]))
        status, sha, error = _outcome(file, number, fields)
        polls.add(node, float(at), key, status, sha, error)
        if sha:
            polls.shas.setdefault(sha, number)
    return polls


def key_of(path_and_query: str, *, local: bool) -> Key:
    """Return the key of a path with its query."""
    path, _, query = path_and_query.partition("?")
    return Key(path, tuple(sorted(parse_qsl(query, keep_blank_values=True))), local)


def _outcome(file: Path, number: int, fields: dict[str, JsonValue]) -> tuple[int, str, str]:
    error, status, sha = fields.get("error", ""), fields.get("status", 0), fields.get("sha", "")
    if isinstance(error, str) and error:
        return 0, "", error
    if not isinstance(status, int) or not isinstance(sha, str) or not status or not sha:
        raise corrupt(file, "a poll with neither an error nor a status and sha", number)
    return status, sha, ""


def _newest(polls: list[Poll], at: float) -> Poll | None:
    index = bisect_right(polls, at, key=lambda poll: poll.at) - 1
    return polls[index] if index >= 0 else None


def _broken_off(node: _Node, current: list[Poll], newest: int, key: Key) -> Poll | None:
    """Return the error that ended the newest finished round before it came to this path; None when none did."""
    polls = current
    # the recording's last round may have been left unfinished: nothing after it tells
    under_way = newest + 1 == len(node.polls) or node.polls[newest + 1].round == current[0].round
    if under_way and not _passed(node, current, key) and newest >= len(current):
        polls = node.round_until(newest - len(current))
    errors = [poll for poll in polls if poll.error]
    if len(errors) < ERRORS_THAT_BREAK_A_ROUND or _passed(node, polls, key):
        return None
    return errors[-1]


def _passed(node: _Node, polls: list[Poll], key: Key) -> bool:
    return node.order.index(polls[-1].key) >= node.order.index(key)


def _failed(poll: Poll) -> Failed:
    name = poll.error.partition(":")[0].strip()
    says = poll.error if _SAID_BY_PYTHON.fullmatch(poll.error) else quoted(poll.error)
    if "Timeout" in name or "timed out" in poll.error:
        return Failed("timed_out", says)
    return Failed("disconnected" if name in _DISCONNECTED else "unreachable", says)
