"""What is peculiar to one store's settings: values that most other stores do not have."""

from collections import Counter
from collections.abc import Mapping

from opsai_subjects.model import Scalar

OWN_BY_NATURE = (
    "addr",
    "advertise",
    "labels",
    "data-dir",
    "dir",
    "path",
    "filename",
    "log-file",
    "log.file",
    "wal-dir",
    "endpoints",
    "thread",
    "concurrency",
    "capacity",
    "memory",
)
"""Parts of names that differ between hosts for good reasons: addresses, folders, and what follows from the machine's size."""


def peculiar(settings: Mapping[str, Mapping[str, Scalar]]) -> dict[str, dict[str, Scalar]] | None:
    """Return, for each store, the settings in which it differs from more than half; None when fewer than three are known."""
    if len(settings) < 3:
        return None
    found: dict[str, dict[str, Scalar]] = {}
    names = {name for values in settings.values() for name in values}
    for name in names:
        if any(part in name for part in OWN_BY_NATURE):
            continue
        values = {store: own.get(name) for store, own in settings.items()}
        common, count = Counter(values.values()).most_common(1)[0]
        if count * 2 > len(values):
            for store, value in values.items():
                if value != common:
                    found.setdefault(store, {})[name] = value
    return found
