"""Prometheus's text format, read from the same target again and again: a series' labels are parsed once, its value each time.

Of 30,000 lines of a store some thousands are wanted, and their labels do not change: a whole parse of each line at each
scrape would take seconds.
"""

from collections.abc import Callable, Mapping

from prometheus_client.parser import text_string_to_metric_families

_HASH = ord("#")
_EXCERPT_CHARS = 120
_NAMES_REMEMBERED = 20_000


class NotExposition(ValueError):
    """A text that is not in the format; its words quote the line."""


class Exposition:
    """Reads the text of one target: each series goes by its head, what stands before its value."""

    def __init__(self, wanted: Callable[[str], bool], labels: Mapping[str, str]) -> None:
        self._wants = wanted
        self._wanted: dict[bytes, bool] = {}
        self._labels = dict(labels)

    def read(self, body: bytes) -> dict[bytes, float]:
        """Return the value of each wanted series by its head. Raises NotExposition when a line cannot be read.

        A timestamp behind a value is not used: the time of a scrape is when it began.
        """
        found: dict[bytes, float] = {}
        if len(self._wanted) > _NAMES_REMEMBERED:
            self._wanted.clear()
        samples = False
        for line in body.split(b"\n"):
            if not line or line[0] == _HASH:
                continue
            end = line.rfind(b"}") + 1
            name = line[: line.find(b"{")] if end else line.split(None, 1)[0] if line.strip() else b""
            wanted = self._wanted.get(name)
            if wanted is None:
                wanted = self._wanted[name] = self._wants(name.decode(errors="replace"))
            if wanted:
                found[line[:end] if end else name] = _value(line, line[end or len(name) :])
            elif not samples and name:
                _value(line, line[end or len(name) :])
            samples = samples or bool(name)
        if not samples:
            raise NotExposition("no metric in it")
        return found

    def labels(self, head: bytes) -> dict[str, str]:
        """Return the labels of a series, with those of its target. Raises NotExposition when they cannot be read.

        A label that the target has too is kept as `exported_…`, as Prometheus does (honor_labels: false).
        """
        try:
            (family,) = text_string_to_metric_families(f"{head.decode()} 0\n")
            (sample,) = family.samples
        except (ValueError, IndexError) as error:  # the second from a label without a name
            raise NotExposition(f"a line begins with {_shown(head)}") from error
        own = {f"exported_{name}" if name in self._labels else name: value for name, value in sample.labels.items()}
        return {**own, **self._labels, "__name__": sample.name}


def _value(line: bytes, rest: bytes) -> float:
    parts = rest.split()
    if len(parts) not in (1, 2) or b"_" in parts[0]:
        raise NotExposition(f"a line is {_shown(line)}")
    try:
        return float(parts[0])
    except ValueError as error:
        raise NotExposition(f"a line is {_shown(line)}") from error


def _shown(line: bytes) -> str:
    return repr(line[:_EXCERPT_CHARS].decode(errors="replace"))
