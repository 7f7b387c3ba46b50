"""Probes asked of a made-up cluster: PD's answers are hand-made from its source, as v8.5 gives them unless said otherwise."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import JsonValue

from opsai_subjects.model import MetricsSource
from opsai_subjects.promql.samples import Stored
from opsai_subjects.reply import Answer
from opsai_subjects.subject import Probe, Visit
from opsai_tikv.pd.client import V1
from opsai_tikv.probes.regions import regions
from opsai_tikv.probes.scheduling import scheduling
from opsai_tikv.regions.troubled import CHECKS
from tests.tikv.cluster import healthy, store, subject
from tests.tikv.eyes import stored
from tests.tikv.pd.fake import FakePd

ROWS_OF_7 = (
    "7480000000000000FF075F728000000000FF0000010000000000FA",
    "7480000000000000FF075F728000000000FF0000090000000000FA",
)
"""Bounds of a region that holds rows of table 7."""
NOT_FOUND = (404, '"[PD:progress:ErrProgressNotFound]no progress found for the action: removing"\n')
NOTHING: dict[str, JsonValue | tuple[int, str]] = {
    **{f"{V1}/regions/check/{check}": {"count": 0, "regions": []} for check in CHECKS},
    f"{V1}/regions/key": {"count": 0, "regions": []},
    f"{V1}/operators": [],
    f"{V1}/operators/records": (500, '"[PD:operator:ErrOperatorNotFound]operator not found"\n'),
    f"{V1}/schedulers": [
        "balance-hot-region-scheduler",
        "balance-leader-scheduler",
        "balance-region-scheduler",
        "evict-slow-store-scheduler",
    ],
    f"{V1}/schedulers?status=paused&timestamp=true": [],
    f"{V1}/schedulers?status=paused": [],
    f"{V1}/schedulers?status=disabled": [],
    **{f"{V1}/checker/{name}": {"paused": False} for name in ("learner", "replica", "rule", "split", "merge")},
    f"{V1}/schedulers/diagnostic/balance-region-scheduler": {"name": "", "status": "normal", "summary": ""},
    f"{V1}/schedulers/diagnostic/balance-leader-scheduler": {"name": "", "status": "normal", "summary": ""},
    f"{V1}/config/rules": [
        {"group_id": "pd", "id": "default", "role": "voter", "count": 3, "location_labels": ["host"]}
    ],
    f"{V1}/config/region-label/rules": [],
    f"{V1}/replication_mode/status": {"mode": "majority"},
    f"{V1}/admin/unsafe/remove-failed-stores/show": [{"info": "No on-going recovery."}],
    f"{V1}/gc/safepoint": {"service_gc_safe_points": [], "gc_safe_point": 0},
    f"{V1}/stores/progress": NOT_FOUND,
    f"{V1}/hotspot/stores": {},
    f"{V1}/hotspot/regions/write": {"as_leader": {}},
    f"{V1}/hotspot/regions/read": {"as_leader": {}},
}


def quiet(**more: Any) -> FakePd:
    """Return a PD of a healthy cluster in which nothing happens; `more` are other answers, by path below /pd/api/v1."""
    fake = healthy()
    fake.answers = {**fake.answers, **NOTHING, **{f"{V1}/{path}": answer for path, answer in more.items()}}
    return fake


CONFIG: dict[str, JsonValue] = {
    "schedule": {"max-store-down-time": "30m0s", "store-limit": {"5": {"add-peer": 15, "remove-peer": 15}}},
    "replication": {"max-replicas": 3, "location-labels": "host"},
}


def configured(**schedule: JsonValue) -> FakePd:
    return quiet(config={**CONFIG, "schedule": {**CONFIG["schedule"], **schedule}})  # type: ignore[dict-item]  # it is a dict


def region(
    number: int,
    stores: Sequence[int] = (1, 4, 5),
    *,
    leader: int | None = None,
    down: Mapping[int, int] | None = None,
    pending: Sequence[int] = (),
    learners: Sequence[int] = (),
    start: str = "",
    end: str = "",
) -> dict[str, JsonValue]:
    """Return a region as PD tells it: `down` is store to seconds."""
    peers: dict[int, dict[str, JsonValue]] = {
        one: {"id": number * 10 + one, "store_id": one, "role_name": "Learner" if one in learners else "Voter"}
        for one in stores
    }
    return {
        "id": number,
        "start_key": start,
        "end_key": end,
        "peers": list(peers.values()),
        "leader": peers[stores[0] if leader is None else leader],
        "down_peers": [{"peer": peers[one], "down_seconds": seconds} for one, seconds in (down or {}).items()],
        "pending_peers": [peers[one] for one in pending],
        "approximate_size": 96,
        "approximate_keys": 1000,
    }


def listed(*regions: dict[str, JsonValue]) -> dict[str, JsonValue]:
    return {"count": len(regions), "regions": list(regions)}


def stores_of(*stores: dict[str, JsonValue]) -> dict[str, JsonValue]:
    return {"count": len(stores), "stores": list(stores)}


def silent(number: str, seconds: float, state: str = "Disconnected", **more: JsonValue) -> dict[str, JsonValue]:
    return store(number, heard=seconds, state_name=state, leader_count=0, **more)


def counted(**states: float) -> list[Stored]:
    """Return PD's metric of regions by state: `down_peer=3`."""
    names = {name.replace("_", "-"): value for name, value in states.items()}
    every = {check.removesuffix("-region"): 0.0 for check in CHECKS} | names
    return [
        stored("pd_regions_status", [value], type=f"{name}-region-count", instance="10.1.0.1:2379", job="pd")
        for name, value in every.items()
    ]


async def ask(
    probe: Probe,
    pd: FakePd,
    *,
    metrics: MetricsSource | None = None,
    dead: Mapping[str, str] | None = None,
    **arguments: str,
) -> Answer:
    async with subject(pd, metrics=metrics, dead=dead) as cluster:
        return await probe(Visit(cluster, cluster.facts), **arguments)


async def ask_regions(pd: FakePd, **arguments: Any) -> dict[str, Any]:
    return dict((await ask(regions, pd, **arguments)).value)


async def ask_scheduling(pd: FakePd, **arguments: Any) -> dict[str, Any]:
    return dict((await ask(scheduling, pd, **arguments)).value)
