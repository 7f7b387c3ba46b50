"""Operators read from what PD prints of them: free text in three formats since v5, or JSON objects.

v5: `region:2094(83,101)`, steps without numbers. v6.5 to v7.4: a full-width comma before `timeout:`. Later:
`region:272(77, 5)`, `size:97`, `steps:[0:{…}, 1:{…}]`. All three are read; text that is none of them is kept as it is.
"""

import re
from datetime import datetime
from typing import Annotated

from pydantic import BeforeValidator, TypeAdapter

from opsai_tikv.pd.go_values import duration_seconds, go_time
from opsai_tikv.pd.shapes import Id, Json, Text, or_empty_list
from opsai_tikv.pd.values import Operator

_HEAD = re.compile(r'"?([A-Za-z0-9_-]+) \{(.*?)\} \(kind:\s*([^\s]*?),\s*region:\s*(\d{1,20})\b')
_CREATED = re.compile(r"createAt:([^,]{10,80})")
_STARTED = re.compile(r"startAt:([^,]{10,80})")
_FINISHED = re.compile(r"finishAt:([^,]{10,80})")
_STEP = re.compile(r"currentStep:(\d{1,9})")
_STEPS = re.compile(r"steps:\[(.*?)\](?:\)|[,，]\s*timeout:|$)", re.DOTALL)
_NUMBERED = re.compile(r"\d{1,4}:\{(.*?)\}(?=, \d{1,4}:\{|$)", re.DOTALL)
_TIMEOUT = re.compile(r"timeout:\[?([0-9a-zµ.]+)\]?")
_DURATION = re.compile(r"duration:([0-9a-zµ.]+)")
_OUTCOME = re.compile(r"\)\s*(finished|timeout|success|canceled|cancel|expired|replaced|replace)\b", re.IGNORECASE)
_STATUS = ("created", "running", "finished", "canceled", "replaced", "expired", "timeout")
_WORDS = {"success": "finished", "cancel": "canceled", "replace": "replaced"}


class _Object(Json):
    desc: Text = ""
    brief: Text = ""
    region_id: Id = ""
    timeout: Text = ""
    status: int = 1


_LIST = TypeAdapter(Annotated[list[str | _Object], BeforeValidator(or_empty_list)])


def read_operators(json: object) -> tuple[Operator, ...]:
    """Read `/operators` or `/operators/records`. Raises ValueError for what is neither texts nor objects."""
    return tuple(
        read_operator(entry) if isinstance(entry, str) else _of_object(entry) for entry in _LIST.validate_python(json)
    )


def read_operator(text: str) -> Operator:
    """Read one operator as PD prints it; what cannot be read of it stays empty and `text` keeps all. Never raises."""
    head = _HEAD.match(text.lstrip())
    outcome = _OUTCOME.search(text)
    word = outcome[1].lower() if outcome else "running"
    step = _STEP.search(text)
    return Operator(
        description=head[1] if head else text.split(" ", 1)[0][:80],
        brief=head[2] if head else "",
        kinds=tuple(kind for kind in head[3].split(",") if kind) if head else (),
        region_id=head[4] if head else "",
        created_at=_time(_CREATED, text),
        started_at=_time(_STARTED, text),
        current_step=int(step[1]) if step else 0,
        steps=_steps(text),
        timeout_seconds=_seconds(_TIMEOUT, text),
        outcome=_WORDS.get(word, word),
        finished_at=_time(_FINISHED, text),
        duration_seconds=_seconds(_DURATION, text),
        text=text,
    )


def _of_object(entry: _Object) -> Operator:
    return Operator(
        description=entry.desc,
        brief=entry.brief,
        kinds=(),
        region_id=entry.region_id,
        timeout_seconds=_duration(entry.timeout),
        outcome=_STATUS[entry.status] if 0 <= entry.status < len(_STATUS) else "unknown",
        text=f"{entry.desc} {{{entry.brief}}} (region:{entry.region_id}, timeout:{entry.timeout})",
    )


def _steps(text: str) -> tuple[str, ...]:
    found = _STEPS.search(text)
    if found is None or not found[1]:
        return ()
    numbered = _NUMBERED.findall(found[1])
    return tuple(numbered) if numbered else tuple(step.strip() for step in found[1].split(", ") if step.strip())


def _time(pattern: re.Pattern[str], text: str) -> datetime | None:
    found = pattern.search(text)
    return go_time(found[1]) if found else None


def _seconds(pattern: re.Pattern[str], text: str) -> float | None:
    found = pattern.search(text)
    return _duration(found[1]) if found else None


def _duration(text: str) -> float | None:
    try:
        return duration_seconds(text)
    except ValueError:
        return None
