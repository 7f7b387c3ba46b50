"""Decisive messages of etcd's log, known by their text: files, lines and levels differ between versions.

Seen on 3.4.23 (zap and capnslog) where nothing else is said; those of 3.5 and 3.6 are the same texts in raft and rafthttp.
"""

import re
from dataclasses import dataclass
from functools import cache

from opsai_subjects.model import LogLine, ParsedLine


@dataclass(frozen=True)
class Pattern:
    """One decisive message."""

    id: str
    says: str
    """What it means."""
    texts: tuple[str, ...]
    """Plain texts, at least one of which stands in the line; fit for a search of raw lines."""
    regex: str = ""
    """What the message must match besides; its first group is the peer or the leader it is about, in hexadecimal."""
    peer: str = ""
    """The field that names the peer it is about, where one does."""


PATTERNS: tuple[Pattern, ...] = (
    Pattern("started", "it starts", ("starting an etcd server", "etcd Version:")),
    Pattern(
        "signal",
        "it was asked to stop",
        (
            "received signal; shutting down",
            "received terminated signal",
            "received interrupt signal",
            "closing etcd server",
        ),
    ),
    Pattern(
        "peer_inactive",
        "it lost a peer",
        ("peer became inactive", "became inactive"),
        r"peer ([0-9a-f]+) became inactive",
        "peer-id",
    ),
    Pattern(
        "peer_active",
        "it has a peer again",
        ("peer became active", "became active"),
        r"peer ([0-9a-f]+) became active",
        "peer-id",
    ),
    Pattern("leader_lost", "it lost its leader", ("lost leader",), r"lost leader ([0-9a-f]+)"),
    Pattern("leader_elected", "it has a leader", ("elected leader",), r"elected leader ([0-9a-f]+)"),
    Pattern("leader_changed", "its leader changed", ("changed leader from",), r"changed leader from ([0-9a-f]+)"),
    Pattern("became_leader", "it leads", ("became leader at term",)),
    Pattern("election", "it stands for election", ("is starting a new election",)),
    Pattern(
        "stepped_down",
        "it gave its leadership up: most peers were silent",
        ("stepped down to follower since quorum is not active",),
    ),
    Pattern("alarm_raised", "an alarm was raised", ("alarm raised",), peer="from"),
    Pattern("alarm_cleared", "an alarm was cleared", ("alarm disarmed", "deactivated")),
    Pattern("no_space_left", "its disk is full", ("no space left on device",)),
    Pattern(
        "disk_error", "its disk fails", ("input/output error", "read-only file system", "structure needs cleaning")
    ),
    Pattern(
        "corrupt",
        "its data differ from its peers' or cannot be read",
        (
            "found data inconsistency",
            "found hash mismatch",
            "checksum mismatch",
            "crc mismatch",
            "walpb: crc",
            "wal: max entry size limit exceeded",
            "failed to recover v3 backend",
        ),
    ),
    Pattern(
        "slow_apply",
        "a request took over 100 ms",
        ("apply request took too long", "request took too long", "took too long"),
    ),
    Pattern("slow_fsync", "an fsync took over a second", ("slow fdatasync",)),
    Pattern(
        "slow_heartbeat",
        "it could not send its heartbeats in time",
        ("failed to send out heartbeat on time", "leader is overloaded"),
    ),
    Pattern("overloaded", "it refuses requests: it is too far behind", ("too many requests",)),
    Pattern(
        "snapshot_sent",
        "it sends a snapshot to a peer",
        ("sending database snapshot", "sent database snapshot", "sent merged snapshot"),
        peer="remote-peer-id",
    ),
    Pattern("snapshot_applied", "it applied a snapshot from the leader", ("applied snapshot", "applying snapshot")),
    Pattern("member_added", "a member was added", ("added member",), peer="added-peer-id"),
    Pattern("member_removed", "a member was removed", ("removed member",), peer="removed-remote-peer-id"),
    Pattern("removed_itself", "it was removed from the cluster", ("the member has been permanently removed",)),
    Pattern(
        "clock_apart",
        "its clock and a peer's differ by more than a second",
        ("prober found high clock drift", "clock difference against peer", "the clock difference"),
        peer="remote-peer-id",
    ),
    Pattern("cluster_mismatch", "it and a peer are of different clusters", ("cluster ID mismatch",)),
    Pattern("panic", "it panicked", ("panic: ", "goroutine 1 [running]")),
)
_BY_ID = {one.id: one for one in PATTERNS}
_ANY = re.compile("|".join(re.escape(text) for one in PATTERNS for text in one.texts))
_COMPILED = {one.id: re.compile(one.regex) for one in PATTERNS if one.regex}


@cache
def texts(*ids: str) -> tuple[str, ...]:
    """Return the plain texts to search raw lines for, of these patterns or of all."""
    chosen = [_BY_ID[one] for one in ids] if ids else PATTERNS
    return tuple(dict.fromkeys(text for one in chosen for text in one.texts))


def says(pattern: str) -> str:
    """Return what a pattern means."""
    return _BY_ID[pattern].says


def classify(line: LogLine | ParsedLine) -> dict[str, str]:
    """Return the patterns a line is of, mostly none or one, each with the peer or leader it is about (empty: none)."""
    found: dict[str, str] = {}
    whole = line.message + " " + line.fields.get("error", "")
    if _ANY.search(whole):
        for one in PATTERNS:
            if any(text in whole for text in one.texts) and (about := _about(one, line)) is not None:
                found[one.id] = about
    if line.level == "FATAL":
        found["fatal"] = ""
    return found


def _about(pattern: Pattern, line: LogLine | ParsedLine) -> str | None:
    """Return who it is about; None when the line is not of the pattern after all."""
    if pattern.peer and pattern.peer in line.fields:
        return line.fields[pattern.peer]
    compiled = _COMPILED.get(pattern.id)
    if compiled is None:
        return ""
    match = compiled.search(line.message)
    return match[1] if match is not None else None
