"""The HTTP API of a Prometheus that had scraped the recorded cluster."""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

import anyio.to_thread
from pydantic import JsonValue
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from opsai_subjects.errors import OpsaiError, QueryInvalid, RecordingCorrupt
from opsai_subjects.model import Clock, MetricsReply, Series
from opsai_subjects.recording.folder import Recording
from opsai_subjects.recording.marked import marked
from opsai_subjects.recording.samples import SamplesUntilNow

if TYPE_CHECKING:
    from opsai_subjects.promql.engine import Engine
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0, "y": 31536000.0}


def prometheus_api(recording: Recording, clock: Clock) -> Starlette:
    """Return the application."""
    api = _Api(recording, clock)
    return Starlette(
        routes=[
            Route("/-/healthy", lambda _: PlainTextResponse("Prometheus Server is Healthy.\n")),
            Route("/api/v1/query", api.query),
            Route("/api/v1/query_range", api.query_range),
            Route("/api/v1/status/buildinfo", api.buildinfo),
        ]
    )


class _Api:
    def __init__(self, recording: Recording, clock: Clock) -> None:
        self._recording = recording
        self._clock = clock
        self._samples = SamplesUntilNow(recording.samples, clock)
        self._one_at_a_time = anyio.CapacityLimiter(1)

    def _engine(self) -> "Engine":
        from opsai_subjects.promql.engine import Engine

        return Engine(self._samples)

    async def query(self, request: Request) -> Response:
        """Answer /api/v1/query."""

        def evaluate() -> MetricsReply:
            at = self._time(request, "time", self._clock.now().timestamp())
            return self._engine().instant(request.query_params.get("query", ""), at)

        return await self._evaluated(evaluate)

    async def query_range(self, request: Request) -> Response:
        """Answer /api/v1/query_range."""

        def evaluate() -> MetricsReply:
            start, end = self._time(request, "start", None), self._time(request, "end", None)
            step = _duration(request.query_params.get("step", ""))
            return self._engine().range(request.query_params.get("query", ""), start, end, step)

        return await self._evaluated(evaluate)

    async def buildinfo(self, _: Request) -> Response:
        """Answer /api/v1/status/buildinfo."""
        name = self._recording.incident.name
        return _success({"version": f"recording {name}", "revision": "", "branch": "", "goVersion": ""})

    async def _evaluated(self, evaluate: Callable[[], MetricsReply]) -> Response:
        try:
            reply = await anyio.to_thread.run_sync(evaluate, limiter=self._one_at_a_time)
        except _BadParameter as error:
            return _bad_data(str(error))
        except QueryInvalid as error:
            return _bad_data(error.reason)
        except RecordingCorrupt as error:
            return marked("corrupt", str(error))
        return _success({"resultType": reply.kind, "result": _result(reply)}, reply.warnings)

    def _time(self, request: Request, name: str, default: float | None) -> float:
        text = request.query_params.get(name)
        if text is None and default is not None:
            return default
        try:
            return float(text or "")
        except ValueError:
            pass
        try:
            return datetime.fromisoformat(text or "").timestamp()
        except ValueError:
            pass
        raise _BadParameter(f'invalid parameter "{name}": cannot parse "{text or ""}" to a valid timestamp')


class _BadParameter(OpsaiError):
    pass


def _duration(text: str) -> float:
    unit = text.lstrip("0123456789.")
    try:
        seconds = float(text) if not unit else float(text[: -len(unit)]) * _UNITS[unit]
    except (ValueError, KeyError) as error:
        raise _BadParameter(f'invalid parameter "step": cannot parse "{text}" to a valid duration') from error
    if seconds <= 0:
        raise _BadParameter('invalid parameter "step": zero or negative query resolution step widths are not accepted.')
    return seconds


def _success(data: JsonValue, warnings: tuple[str, ...] = ()) -> JSONResponse:
    return JSONResponse({"status": "success", "data": data, **({"warnings": list(warnings)} if warnings else {})})


def _bad_data(error: str) -> JSONResponse:
    return JSONResponse({"status": "error", "errorType": "bad_data", "error": error}, status_code=400)


def _result(reply: MetricsReply) -> JsonValue:
    if reply.kind == "string":
        return [0.0, reply.text]
    if reply.kind == "scalar":
        return _point(reply.series[0].points[0])
    if reply.kind == "vector":
        return [_vector(series) for series in reply.series]
    return [{"metric": dict(series.labels), "values": [_point(p) for p in series.points]} for series in reply.series]


def _vector(series: Series) -> JsonValue:
    return {"metric": dict(series.labels), "value": _point(series.points[-1])}


def _point(point: tuple[float, float]) -> JsonValue:
    at, value = point
    text = {"inf": "+Inf", "-inf": "-Inf", "nan": "NaN"}.get(str(value)) or _number(value)
    return [at, text]


def _number(value: float) -> str:
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
