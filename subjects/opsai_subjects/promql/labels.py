"""Label sets as the evaluator holds them: sorted tuples, cheap to hash and compare."""

from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache

NAME = "__name__"

LabelSet = tuple[tuple[str, str], ...]
"""(name, value) pairs in order of name; a label with an empty value is a missing one and never stands here."""


def label_set(labels: Mapping[str, str]) -> LabelSet:
    """Return the labels in the evaluator's form."""
    return tuple(sorted(pair for pair in labels.items() if pair[1]))


def get(labels: LabelSet, name: str) -> str:
    """Return a label's value, empty when it is missing."""
    for own, value in labels:
        if own == name:
            return value
    return ""


def keep(labels: LabelSet, names: Collection[str]) -> LabelSet:
    """Return only the labels of these names."""
    return tuple(pair for pair in labels if pair[0] in names)


def drop(labels: LabelSet, names: Collection[str]) -> LabelSet:
    """Return the labels but those of these names."""
    return tuple(pair for pair in labels if pair[0] not in names)


def put(labels: LabelSet, changes: Iterable[tuple[str, str]]) -> LabelSet:
    """Return the labels with some set anew; an empty value takes the label away."""
    return label_set({**dict(labels), **dict(changes)})


@lru_cache(maxsize=65536)
def nameless(labels: LabelSet) -> LabelSet:
    """Return the labels without the metric's name."""
    return labels if get(labels, NAME) == "" else drop(labels, (NAME,))


def shown(labels: LabelSet) -> str:
    """Return the labels as Prometheus writes them in its messages."""
    inner = ", ".join(f'{name}="{escaped(value)}"' for name, value in labels)
    return f"{{{inner}}}"


def escaped(value: str) -> str:
    """Return a text as it stands between double quotes in PromQL."""
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
