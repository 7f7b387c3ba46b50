"""The HTTP API of a Prometheus that had scraped the recorded cluster, as of the clock."""

from collections.abc import Awaitable, Callable, Iterator
from decimal import Decimal

import anyio.to_thread
import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from opsai_subjects.errors import QueryInvalid, RecordingCorrupt
from opsai_subjects.model import Clock, MetricsReply
from opsai_subjects.promql.engine import Engine
from opsai_subjects.recording.folder import Recording
from opsai_subjects.recording.marked import marked
from opsai_subjects.recording.parameters import BadParameter, Parameters
from opsai_subjects.recording.samples import SamplesUntilNow

Answer = Callable[[Parameters, float], Response]
"""What answers, given the parameters and the clock's now."""


def prometheus_api(recording: Recording, clock: Clock) -> Starlette:
    """Return the application."""
    api = _Api(recording, clock)
    routes = [
        Route("/-/healthy", api.plain("Prometheus Server is Healthy.\n")),
        Route("/-/ready", api.plain("Prometheus Server is Ready.\n")),
        Route("/api/v1/status/buildinfo", api.endpoint(api.buildinfo)),
        Route("/api/v1/metadata", api.endpoint(api.metadata)),
        Route("/api/v1/label/{label}/values", api.endpoint(api.label_values)),
    ]
    for path, answer in (
        ("/api/v1/query", api.query),
        ("/api/v1/query_range", api.query_range),
        ("/api/v1/labels", api.labels),
        ("/api/v1/series", api.series),
    ):
        routes.append(Route(path, api.endpoint(answer), methods=["GET", "POST"]))
    return Starlette(routes=routes)


class _Api:
    def __init__(self, recording: Recording, clock: Clock) -> None:
        self._name = recording.incident.name
        self._clock = clock
        self._samples = SamplesUntilNow(recording.samples, clock)
        self._engine = Engine(self._samples)
        # One at a time: the samples are parsed on demand, and two evaluations would only take turns anyway.
        self._one_at_a_time = anyio.CapacityLimiter(1)

    def plain(self, text: str) -> Callable[[Request], Response]:
        """Return an endpoint that always says this."""
        return lambda _: PlainTextResponse(text)

    def endpoint(self, answer: Answer) -> Callable[[Request], Awaitable[Response]]:
        """Return the endpoint that answers in a thread, with errors as Prometheus writes them."""

        async def asked(request: Request) -> Response:
            parameters = await Parameters.of(request)
            if label := request.path_params.get("label"):
                parameters = parameters.with_one("label", str(label))
            now = self._clock.now().timestamp()
            return await _while_there(
                request,
                anyio.to_thread.run_sync(_guarded, answer, parameters, now, limiter=self._one_at_a_time),
            )

        return asked

    def query(self, parameters: Parameters, now: float) -> Response:
        """Answer an instant query."""
        at = parameters.time("time", now)
        return _evaluated(self._engine.instant(parameters.text("query"), at), at)

    def query_range(self, parameters: Parameters, _: float) -> Response:
        """Answer a range query."""
        start, end = parameters.time("start"), parameters.time("end")
        if end < start:
            raise BadParameter('invalid parameter "end": end timestamp must not be before start time')
        return _evaluated(self._engine.range(parameters.text("query"), start, end, parameters.step()), end)

    def labels(self, parameters: Parameters, now: float) -> Response:
        """Answer the names of all labels."""
        return _success(sorted({name for labels in self._sets(parameters, now) for name in labels}))

    def label_values(self, parameters: Parameters, now: float) -> Response:
        """Answer the values of one label."""
        label = parameters.text("label")
        return _success(sorted({labels[label] for labels in self._sets(parameters, now) if label in labels}))

    def series(self, parameters: Parameters, now: float) -> Response:
        """Answer the label sets of the series that match."""
        if not parameters.selectors():
            raise BadParameter("no match[] parameter provided")
        return _success([dict(labels) for labels in self._sets(parameters, now)])

    def buildinfo(self, *_: object) -> Response:
        """Answer who this is."""
        return _success({"version": f"recording {self._name}", "revision": "", "branch": "", "goVersion": ""})

    def metadata(self, *_: object) -> Response:
        """Answer the metrics' types and helps: none were recorded."""
        return _success({})

    def _sets(self, parameters: Parameters, now: float) -> Iterator[dict[str, str]]:
        start, end = parameters.time("start", 0.0), parameters.time("end", now)
        seen: set[tuple[tuple[str, str], ...]] = set()
        for matchers in parameters.selectors() or ((),):
            for stored in self._samples.select(matchers, start, end):
                labels = dict(stored.labels)
                key = tuple(sorted(labels.items()))
                if len(stored.t) and key not in seen:
                    seen.add(key)
                    yield labels


async def _while_there(request: Request, answering: Awaitable[Response]) -> Response:
    """Answer, or stop when who asked has gone: a query that nobody waits for would keep the next one waiting."""
    response = Response(status_code=499)  # nobody reads it

    async def leave_with_the_asker() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass
        group.cancel_scope.cancel()

    async with anyio.create_task_group() as group:
        group.start_soon(leave_with_the_asker)
        response = await answering
        group.cancel_scope.cancel()
    return response


def _guarded(answer: Answer, parameters: Parameters, now: float) -> Response:
    try:
        return answer(parameters, now)
    except BadParameter as error:
        return _bad_data(str(error))
    except QueryInvalid as error:
        return _bad_data(error.reason)
    except RecordingCorrupt as error:
        return marked("corrupt", str(error))


def _success(data: object, warnings: tuple[str, ...] = ()) -> Response:
    body: dict[str, object] = {"status": "success", "data": data}
    return _json(200, {**body, "warnings": list(warnings)} if warnings else body)


def _bad_data(error: str) -> Response:
    return _json(400, {"status": "error", "errorType": "bad_data", "error": error})


def _json(status: int, body: object) -> Response:
    return Response(orjson.dumps(body), status_code=status, media_type="application/json")


def _evaluated(reply: MetricsReply, at: float) -> Response:
    result: object
    if reply.kind == "string":
        result = [at, reply.text]
    elif reply.kind == "scalar":
        result = _point(reply.series[0].points[0])
    elif reply.kind == "vector":
        result = [{"metric": dict(series.labels), "value": _point(series.points[-1])} for series in reply.series]
    else:
        result = [
            {"metric": dict(series.labels), "values": [_point(point) for point in series.points]}
            for series in reply.series
        ]
    return _success({"resultType": reply.kind, "result": result}, reply.warnings)


def _point(point: tuple[float, float]) -> list[float | str]:
    at, value = point
    return [at, _number(value)]


def _number(value: float) -> str:
    """Return a value as Prometheus writes it: shortest, and never with an exponent."""
    text = repr(float(value))
    if "e" in text:
        return format(Decimal(text), "f")
    return {"inf": "+Inf", "-inf": "-Inf", "nan": "NaN"}.get(text) or text.removesuffix(".0")
