"""A Prometheus-compatible engine, asked over its HTTP API."""

import math
from collections.abc import Iterable
from datetime import datetime

from pydantic import JsonValue

from opsai_subjects.endpoint import without_userinfo
from opsai_subjects.errors import QueryInvalid, SourceMalformed, SourceRefused
from opsai_subjects.foreign import quoted
from opsai_subjects.model import Clock, MetricsReply, Series, Window, clean
from opsai_subjects.sources.web import Web, WebReply

PATHS = ("/api/v1/query", "/api/v1/query_range", "/api/v1/status/buildinfo")
"""The paths it may GET, below the path of its URL."""
_ON_THE_QUERY = ("PromQL warning", "PromQL info")
_PARTIAL = "isPartial: some of the storage nodes did not answer"
_ERROR_STATUSES = (400, 422, 500, 503)


class Prometheus:
    """Prometheus, or an engine that answers like it (Thanos, VictoriaMetrics, Mimir)."""

    def __init__(self, url: str, web: Web, clock: Clock) -> None:
        self.about = without_userinfo(url).rstrip("/")
        self._base = url.rstrip("/")
        self._web = web
        self._clock = clock

    async def instant(self, promql: str, at: datetime | None = None) -> MetricsReply:
        """Evaluate at one moment (None: the clock's now). Raises QueryInvalid or SourceError."""
        moment = at or self._clock.now()
        return await self._ask("query", promql, {"time": f"{moment.timestamp():.3f}"})

    async def range(self, promql: str, window: Window, step_seconds: float) -> MetricsReply:
        """Evaluate at each step of the window. Raises QueryInvalid or SourceError."""
        return await self._ask(
            "query_range",
            promql,
            {
                "start": f"{window.start.timestamp():.3f}",
                "end": f"{window.end.timestamp():.3f}",
                "step": f"{step_seconds:g}",
            },
        )

    async def version(self) -> str:
        """Return the engine's version as it says it. Raises SourceError."""
        reply = await self._web.get(f"{self._base}/api/v1/status/buildinfo", of=self.about, asked="its version")
        data = _member(reply, reply.json(), "data")
        return clean(str(_member(reply, data, "version")), 60)

    async def _ask(self, endpoint: str, promql: str, moment: dict[str, str]) -> MetricsReply:
        reply = await self._web.get(
            f"{self._base}/api/v1/{endpoint}",
            of=self.about,
            asked=f"{endpoint} {clean(promql, 300)}",
            params={"query": promql, **moment},
            accept=_ERROR_STATUSES,
        )
        return read_reply(reply, promql)


def read_reply(reply: WebReply, promql: str) -> MetricsReply:
    """Read what the engine answered. Raises QueryInvalid, SourceRefused or SourceMalformed."""
    if reply.status >= 500 and not reply.body.lstrip().startswith(b"{"):
        raise SourceRefused(reply.asked, reply.of, reply.status, clean(reply.text, 500), "ask again in a moment")
    body = reply.json()
    if _member(reply, body, "status") != "success":
        raise _failure(reply, body, promql)
    data = _member(reply, body, "data")
    kind, result = _member(reply, data, "resultType"), _member(reply, data, "result")
    warnings, partial = _remarks(reply, body)
    if kind == "vector":
        return MetricsReply("vector", tuple(_series(reply, result, many=False)), warnings, partial=partial)
    if kind == "matrix":
        return MetricsReply("matrix", tuple(_series(reply, result, many=True)), warnings, partial=partial)
    if kind == "scalar":
        return MetricsReply("scalar", (Series({}, (_point(reply, result),)),), warnings, partial=partial)
    if kind == "string":
        return MetricsReply("string", (), warnings, _text(reply, result), partial)
    raise _malformed(reply, f"resultType {str(kind)[:40]!r}")


def _failure(reply: WebReply, body: JsonValue, promql: str) -> QueryInvalid | SourceRefused:
    members = body if isinstance(body, dict) else {}
    error = clean(str(members.get("error", "no reason given")), 500)
    kind = clean(str(members.get("errorType", "")), 40)
    if kind == "bad_data":
        return QueryInvalid(promql, quoted(error, 500))
    advice = "a shorter window, a larger step or fewer series" if kind in ("timeout", "execution") else "ask again"
    return SourceRefused(reply.asked, reply.of, reply.status, f"{kind}: {error}" if kind else error, advice)


def _series(reply: WebReply, result: JsonValue, *, many: bool) -> Iterable[Series]:
    if not isinstance(result, list):
        raise _malformed(reply, "a result that is no list")
    for entry in result:
        labels = _member(reply, entry, "metric")
        if not isinstance(labels, dict):
            raise _malformed(reply, "a metric that is no object of labels")
        named = {name: clean(str(value)) for name, value in labels.items()}
        # A native histogram comes as `histogram(s)` with no float beside it: the series is there, its value is not ours.
        if many:
            values: JsonValue = entry.get("values", []) if isinstance(entry, dict) else []
            if not isinstance(values, list):
                raise _malformed(reply, "values that are no list")
            yield Series(named, tuple(_point(reply, point) for point in values))
        elif isinstance(entry, dict) and "value" in entry:
            yield Series(named, (_point(reply, entry["value"]),))


def _point(reply: WebReply, point: JsonValue) -> tuple[float, float]:
    if isinstance(point, list) and len(point) == 2:
        at, value = point
        if isinstance(at, int | float) and isinstance(value, str):
            try:
                number = float(value)  # reads NaN, +Inf and -Inf as Prometheus writes them
            except ValueError:
                number = None
            if number is not None and math.isfinite(at):
                return float(at), number
    raise _malformed(reply, f'a point {str(point)[:80]} that is no [time, "value"]')


def _text(reply: WebReply, result: JsonValue) -> str:
    if isinstance(result, list) and len(result) == 2 and isinstance(result[1], str):
        return clean(result[1])
    raise _malformed(reply, "a string result that is no [time, text]")


def _remarks(reply: WebReply, body: JsonValue) -> tuple[tuple[str, ...], bool]:
    """Return what the engine says beside its answer, and whether that means that the answer is partial.

    Thanos and remote read warn of a store that did not answer; Prometheus 3's remarks on the query itself begin with
    `PromQL`; VictoriaMetrics says `isPartial` (app/vmselect/prometheus/query_response.qtpl).
    """
    warnings = _sentences(reply, body, "warnings")
    partial = any(not one.startswith(_ON_THE_QUERY) for one in warnings)
    if isinstance(body, dict) and body.get("isPartial") is True:
        warnings, partial = (_PARTIAL, *warnings), True
    return (*warnings, *_sentences(reply, body, "infos")), partial


def _sentences(reply: WebReply, body: JsonValue, name: str) -> tuple[str, ...]:
    found = body.get(name) if isinstance(body, dict) else None
    if found is None:
        return ()
    if not isinstance(found, list):
        raise _malformed(reply, f"{name} that is no list")
    return tuple(clean(str(sentence), 500) for sentence in found)


def _member(reply: WebReply, value: JsonValue, name: str) -> JsonValue:
    if not isinstance(value, dict) or name not in value:
        raise _malformed(reply, f"no {name!r} where it should be")
    return value[name]


def _malformed(reply: WebReply, what: str) -> SourceMalformed:
    return SourceMalformed(
        reply.asked,
        reply.of,
        f"HTTP {reply.status}, not what Prometheus answers ({clean(what, 200)}): {quoted(reply.text, 500)}",
        "check that the address is that of a Prometheus-compatible engine",
    )
