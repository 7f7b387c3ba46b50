"""A stand-in for Loki that sifts, sorts, limits and counts its lines as Loki does (made by hand, no real Loki)."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.subjects.sources.loopback import http
from tests.subjects.sources.standin import Asked, json_of

NS = 1_000_000_000
_FILTER = re.compile(r'(\|=|\|~) ("(?:[^"\\]|\\.)*")')
_MATCHER = re.compile(r'(\w+)(=~|=)("(?:[^"\\]|\\.)*")')


@dataclass
class FakeLoki:
    """Streams: (labels, lines of (Unix seconds, text))."""

    streams: list[tuple[dict[str, str], list[tuple[float, str]]]]
    max_entries: int = 5000
    warnings: list[str] = field(default_factory=list[str])
    tenant: str = ""
    refuse_counts: bool = False

    def __call__(self, asked: Asked) -> bytes:
        if self.tenant and asked.headers.get("x-scope-orgid") != self.tenant:
            return http(401, b"no org id\n", content_type="text/plain; charset=utf-8")
        kind = asked.path.removeprefix("/loki/api/v1/")
        if kind == "labels":
            return _data(sorted({label for labels, _ in self.streams for label in labels}))
        if kind.startswith("label/"):
            label = kind.split("/")[1]
            values = {labels[label] for labels, _ in self._selected(asked.params["query"]) if label in labels}
            return _data(sorted(values))
        if kind == "query_range":
            return self._lines(asked)
        if kind == "query" and not self.refuse_counts:
            return self._count(asked)
        return http(404, b"404 page not found\n")

    def _selected(self, selector: str) -> list[tuple[dict[str, str], list[tuple[float, str]]]]:
        matchers = [(name, op, json.loads(value)) for name, op, value in _MATCHER.findall(selector.partition("}")[0])]
        return [
            (labels, lines)
            for labels, lines in self.streams
            if all(
                labels.get(name) == value if op == "=" else re.fullmatch(value, labels.get(name, ""))
                for name, op, value in matchers
            )
        ]

    def _matching(self, query: str) -> list[tuple[dict[str, str], int, str]]:
        tests: list[Callable[[str], bool]] = []
        for op, value in _FILTER.findall(query.partition("}")[2]):
            wanted = json.loads(value)
            tests.append(_searcher(re.escape(wanted) if op == "|=" else wanted))
        return [
            (labels, round(at * 1000) * (NS // 1000), line)
            for labels, lines in self._selected(query)
            for at, line in lines
            if all(test(line) for test in tests)
        ]

    def _lines(self, asked: Asked) -> bytes:
        query, limit = asked.params["query"], int(asked.params["limit"])
        if "{{" in query:
            return http(400, b"parse error at line 1, col 2: syntax error: unexpected {", content_type="text/plain")
        if limit > self.max_entries:
            text = f"max entries limit per query exceeded, limit > max_entries_limit_per_query ({limit} > {self.max_entries})"
            return http(400, text.encode(), content_type="text/plain")
        start, end = int(asked.params["start"]), int(asked.params["end"])
        found = [one for one in self._matching(query) if start <= one[1] < end]
        found.sort(key=lambda one: one[1])
        if asked.params["direction"] == "backward":
            found.reverse()
        streams: dict[str, dict[str, object]] = {}
        for labels, ns, line in found[:limit]:
            stream = streams.setdefault(json.dumps(labels), {"stream": labels, "values": []})
            values = stream["values"]
            assert isinstance(values, list)
            values.append([str(ns), line])
        answer = {"status": "success", "data": {"resultType": "streams", "result": list(streams.values()), "stats": {}}}
        return json_of(json.dumps({**answer, "warnings": self.warnings} if self.warnings else answer))

    def _count(self, asked: Asked) -> bytes:
        found = re.fullmatch(r"sum\(count_over_time\((.*) \[(\d+)s\]\)\)", asked.params["query"])
        assert found is not None
        end = int(asked.params["time"])
        inside = [one for one in self._matching(found[1]) if end - int(found[2]) * NS < one[1] <= end]
        result = [{"metric": {}, "value": [end / NS, str(len(inside))]}] if inside else []
        return json_of(json.dumps({"status": "success", "data": {"resultType": "vector", "result": result}}))


def _searcher(pattern: str) -> Callable[[str], bool]:
    compiled = re.compile(pattern)
    return lambda line: compiled.search(line) is not None


def _data(values: list[str]) -> bytes:
    return json_of(json.dumps({"status": "success", "data": values} if values else {"status": "success"}))
