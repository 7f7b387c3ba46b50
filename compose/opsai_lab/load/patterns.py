"""The named patterns of load, as data: which operations, on which keys, at which share of the rate, for how long.

Keys are numbered and padded, so that neighbours in number are neighbours in the store: what is hot is then one region, not a few
keys of each. (go-ycsb hashes key numbers unless `insertorder` says otherwise; pkg/workload/core.go.)
"""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from opsai_subjects.model import Value


class Segment(Value):
    """One stretch of a pattern."""

    seconds: Annotated[float, Field(gt=0)]
    share: Annotated[float, Field(gt=0, le=1)]
    """Of the rate that is set."""
    workload: str
    """A name in WORKLOADS."""


class Pattern(Value):
    """Segments one after another; after the last the first again."""

    says: str
    segments: Annotated[tuple[Segment, ...], Field(min_length=1)]


COMMON: Mapping[str, str] = {
    "workload": "core",
    "insertorder": "ordered",
    "zeropadding": "12",
    "fieldcount": "10",
    "fieldlength": "100",
}
"""Properties of every run, and of the loading of the records: keys and rows must be the same ones."""

_NONE = {"readproportion": "0", "updateproportion": "0", "insertproportion": "0", "scanproportion": "0"}
_HOT = {"requestdistribution": "hotspot", "hotspotdatafraction": "0.001", "hotspotopnfraction": "0.95"}

WORKLOADS: Mapping[str, Mapping[str, str]] = {
    "mixed": {**_NONE, "readproportion": "0.5", "updateproportion": "0.5", "requestdistribution": "uniform"},
    "hot-read": {**_NONE, "readproportion": "1", **_HOT},
    "hot-write": {**_NONE, "updateproportion": "1", **_HOT},
    "scan": {
        **_NONE,
        "scanproportion": "1",
        "requestdistribution": "uniform",
        "minscanlength": "100",
        "maxscanlength": "1000",
    },
}
"""go-ycsb's properties of each mix of operations (pkg/prop/prop.go). `hot`: 95 % of the operations on the first thousandth of the keys."""


def _steady(workload: str) -> tuple[Segment, ...]:
    return (Segment(seconds=3600, share=1, workload=workload),)


PATTERNS: Mapping[str, Pattern] = {
    "steady": Pattern(says="reads and updates in equal parts, on all keys, at the rate", segments=_steady("mixed")),
    "burst": Pattern(
        says="the same at a fifth of the rate, and at the whole rate for 15 s of every minute",
        segments=(
            Segment(seconds=45, share=0.2, workload="mixed"),
            Segment(seconds=15, share=1, workload="mixed"),
        ),
    ),
    "hot-read": Pattern(
        says="reads alone, 95 % of them on one thousandth of the keys, all neighbours", segments=_steady("hot-read")
    ),
    "hot-write": Pattern(
        says="updates alone, 95 % of them on one thousandth of the keys, all neighbours", segments=_steady("hot-write")
    ),
    "scan": Pattern(says="scans of 100 to 1,000 rows from any key", segments=_steady("scan")),
    "ramp": Pattern(
        says="as steady, from a tenth of the rate to the whole of it in ten steps of 30 s",
        segments=tuple(Segment(seconds=30, share=step / 10, workload="mixed") for step in range(1, 11)),
    ),
}
