"""Why a query found nothing: no such metric, no such labels, no samples then, or targets that did not answer."""

import dataclasses
import json
from collections.abc import Iterator

from opsai_server.tools.shaping import is_list
from opsai_subjects.errors import OpsaiError
from opsai_subjects.model import MetricsSource, Window
from opsai_subjects.promql.expression import Refused, Select
from opsai_subjects.promql.parsing import parse

SELECTORS = 3
"""So many selectors of a query are looked into; each costs two small queries."""
TARGETS = 8
NAME = "__name__"
NOTHING_LEFT = (
    "Its selectors have samples in the window; what is done with them leaves nothing: a comparison that is never true, "
    "a rate over a range with fewer than two samples, or label sets that do not match."
)


async def explained(metrics: MetricsSource, promql: str, window: Window) -> list[str]:
    """Return sentences that say why this query found nothing in the window."""
    said: list[str] = []
    try:
        for selector in list(_selectors(promql))[:SELECTORS]:
            said.append(await _selector(metrics, selector, window))
        down = await metrics.instant("up == 0", window.end)
    except OpsaiError as error:
        return [*said, f"Why could not be found out: {error}"]
    if said and all(not sentence for sentence in said):
        said = [NOTHING_LEFT]
    targets = [f"{series.labels.get('job', '')} {series.labels.get('instance', '')}".strip() for series in down.series]
    if targets:
        more = f" and {len(targets) - TARGETS} more" if len(targets) > TARGETS else ""
        said.append(
            f"These targets did not answer their last scrape, so their series have ended: {', '.join(targets[:TARGETS])}{more}."
        )
    return [sentence for sentence in said if sentence] or [
        "No sample in this window. Try: a longer or an earlier window."
    ]


async def _selector(metrics: MetricsSource, selector: Select, window: Window) -> str:
    """Say what is missing of one selector; empty when it has samples."""
    name = next((one.value for one in selector.matchers if one.name == NAME and one.op == "="), "")
    whole = _text(selector)
    if await _count(metrics, whole, window):
        return ""
    if not name or name == whole:
        return f"No series of {whole} has a sample in this window: no such metric here, or not then. Try: knowledge(words=…) for names."
    series = await _count(metrics, name, window)
    if not series:
        return f"No series of {name} has a sample in this window: no such metric here, or not then. Try: knowledge(words=…) for names."
    return f"{name} has {series} series in this window, and none matches {whole[len(name) :] or whole}. Try: query={name!r} to see its labels."


async def _count(metrics: MetricsSource, selector: str, window: Window) -> int:
    reply = await metrics.instant(f"count(count_over_time({selector}[{max(1, round(window.seconds))}s]))", window.end)
    return int(reply.series[0].last) if reply.series else 0


def _text(selector: Select) -> str:
    named = [one for one in selector.matchers if one.name == NAME and one.op == "="]
    others = [one for one in selector.matchers if one not in named]
    inside = ",".join(f"{one.name}{one.op}{json.dumps(one.value)}" for one in others)
    return (named[0].value if named else "") + (f"{{{inside}}}" if inside else "")


def _selectors(promql: str) -> Iterator[Select]:
    """Yield the selectors of a query, each once; none when it is in a dialect that only its own engine reads."""
    try:
        tree = parse(promql)
    except Refused:
        return
    seen: set[str] = set()
    for node in _walk(tree):
        if isinstance(node, Select) and _text(node) not in seen:
            seen.add(_text(node))
            yield node


def _walk(node: object) -> Iterator[object]:
    yield node
    if is_list(node):
        for item in node:
            yield from _walk(item)
    elif dataclasses.is_dataclass(node) and not isinstance(node, type):
        for field in dataclasses.fields(node):
            yield from _walk(getattr(node, field.name))
