"""The parameters of Prometheus's HTTP API: times, durations, selectors, refused in its own words."""

import math
import re
from collections.abc import Sequence
from datetime import datetime
from urllib.parse import parse_qsl

from starlette.requests import Request

from opsai_subjects.errors import OpsaiError
from opsai_subjects.promql.expression import Refused, Select
from opsai_subjects.promql.parsing import parse
from opsai_subjects.promql.samples import Matcher

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0, "y": 31536000.0}
_PARTS = re.compile(r"(\d+)(ms|[smhdwy])")


class BadParameter(OpsaiError):
    """A parameter that Prometheus would refuse; its text is what Prometheus says."""


class Parameters:
    """The parameters of one request: those of its URL and, as Grafana sends them, of its form."""

    def __init__(self, pairs: Sequence[tuple[str, str]]) -> None:
        self._pairs = tuple(pairs)

    @classmethod
    async def of(cls, request: Request) -> "Parameters":
        """Read them from a request."""
        pairs = list(request.query_params.multi_items())
        if request.method == "POST":
            body = (await request.body()).decode("utf-8", errors="replace")
            pairs = parse_qsl(body, keep_blank_values=True) + pairs
        return cls(pairs)

    def with_one(self, name: str, value: str) -> "Parameters":
        """Return the parameters with one more, found first under its name."""
        return Parameters(((name, value), *self._pairs))

    def all(self, name: str) -> tuple[str, ...]:
        """Return every value of that name."""
        return tuple(value for own, value in self._pairs if own == name)

    def text(self, name: str) -> str:
        """Return the first value of that name, or an empty text."""
        return next(iter(self.all(name)), "")

    def time(self, name: str, default: float | None = None) -> float:
        """Return a time in Unix seconds, given as such or as RFC 3339. Raises BadParameter."""
        text = self.text(name)
        if not text and default is not None:
            return default
        for read in (float, _rfc3339):
            try:
                seconds = read(text)
            except (ValueError, OverflowError):
                continue
            if math.isfinite(seconds):
                return seconds
        raise BadParameter(f'invalid parameter "{name}": cannot parse "{text}" to a valid timestamp')

    def step(self) -> float:
        """Return the step in seconds. Raises BadParameter."""
        text = self.text("step")
        try:
            seconds = float(text)
        except ValueError:
            seconds = _duration(text)
        if not math.isfinite(seconds):
            raise BadParameter(f'invalid parameter "step": cannot parse "{text}" to a valid duration')
        if seconds <= 0:
            raise BadParameter(
                'invalid parameter "step": zero or negative query resolution step widths are not accepted. '
                "Try a positive integer"
            )
        return seconds

    def selectors(self) -> tuple[tuple[Matcher, ...], ...]:
        """Return the matchers of each `match[]`. Raises BadParameter."""
        return tuple(_selector(text) for text in self.all("match[]"))


def _rfc3339(text: str) -> float:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(text)
    return moment.timestamp()


def _duration(text: str) -> float:
    if not text or not re.fullmatch(rf"(?:{_PARTS.pattern})+", text):
        raise BadParameter(f'invalid parameter "step": cannot parse "{text}" to a valid duration')
    return sum(float(part[1]) * _UNITS[part[2]] for part in _PARTS.finditer(text))


def _selector(text: str) -> tuple[Matcher, ...]:
    try:
        tree = parse(text)
    except Refused as error:
        raise BadParameter(f'invalid parameter "match[]": {error}') from error
    if not isinstance(tree, Select):
        raise BadParameter(f'invalid parameter "match[]": "{text}" is no series selector')
    return tree.matchers
