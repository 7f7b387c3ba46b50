"""Queries over the synthetic series that Prometheus and the evaluator must answer alike: one a line in `queries/`."""

from pathlib import Path

_FOLDER = Path(__file__).parent / "queries"


def _lines(name: str) -> list[str]:
    return [line for line in (_FOLDER / name).read_text(encoding="utf-8").splitlines() if line]


ALL = [query for file in sorted(_FOLDER.glob("*.promql")) for query in _lines(file.name)]

WRONG_OVER_A_RANGE = frozenset({"predict_linear(requests_total[1m] @ 1795400200, 100)"})
"""Prometheus 2.42 forgets samples of a fixed window from step to step; at one moment it answers right."""

PATTERNS = [
    (pattern, value)
    for pattern in _lines("patterns.txt")
    for value in ("", "a", "b", "ab", "aab", "AB", "É", "1", "a1", "a.", "a-b", "a{2}", "x_y")
]
"""Regular expressions, written as between double quotes, and what they are held against."""
