"""What lines of changes, snapshots and region work tell besides their text: who asked for what, how much, how long. Pure."""

import re
from collections.abc import Sequence

from opsai_subjects.foreign import name_of, quoted
from opsai_subjects.model import LogLine

_ASKED = re.compile(
    r"Method:[^,/]*(?:/[\d.]+)?/(?P<verb>[A-Z]+):(?P<path>[^,]*),.*? IP:(?P<ip>[^,]*),.*?BodyParam:(?P<body>.*)\}$"
)
_SECONDS = {"µs": 1e-6, "us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_SPAN = re.compile(r"(\d+(?:\.\d+)?)(h|ms|µs|us|m|s)")
_BODY_CHARS = 120
CHANGED_BY_HAND = frozenset({"asked_by_hand", "store_limit_changed", "placement_rule_changed"})
"""Patterns of which each line tells a change of its own: two are one event only where they tell the same."""


def told_of_change(pattern: str, burst: Sequence[LogLine]) -> str:
    """Return what the lines of one of these patterns tell; empty for any other pattern."""
    first = burst[0]
    if pattern == "asked_by_hand":
        return _asked(first)
    if pattern == "store_limit_changed":
        rate = first.fields.get("rate-per-min", "?")
        return f"the store limit of {name_of(first.fields.get('type', '?'))} was set to {name_of(rate)} a minute"
    if pattern == "placement_rule_changed":
        rule = first.fields.get("rule") or "/".join(first.fields.get(name, "?") for name in ("group", "id"))
        return f"{quoted(first.message, 80)}: {quoted(rule, 160)}"
    if pattern in ("snapshot_sent", "snapshot_applied"):
        took = [seconds(line.fields.get("duration") or line.fields.get("time_takes", "")) for line in burst]
        longest = max((one for one in took if one is not None), default=None)
        done = "sent" if pattern == "snapshot_sent" else "put in place"
        return f"snapshots were {done}" + ("" if longest is None else f", the slowest in {longest:.2g} s")
    return ""


def _asked(line: LogLine) -> str:
    found = _ASKED.search(line.fields.get("service-info", ""))
    if found is None:
        return ""
    body = found["body"]
    sent = f" with {quoted(body, _BODY_CHARS)}" if body and body != "{}" else ""
    return f"somebody at {name_of(found['ip'])} called {found['verb']} {name_of(found['path'])}{sent}"


def seconds(text: str) -> float | None:
    """Return the seconds of a duration as Rust and Go write it (`812.5ms`, `1m2.4s`); None when it is none."""
    parts = _SPAN.findall(text)
    return sum(float(value) * _SECONDS[unit] for value, unit in parts) if parts else None
