"""A made-up cluster of three stores and three PD members, seen through the fake PD."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import httpx
from pydantic import JsonValue

from opsai_subjects.config import ClusterSettings
from opsai_subjects.model import LogSource, MetricsSource, StateSource
from opsai_subjects.subject import Sources
from opsai_tikv.kind import KIND
from opsai_tikv.pd.client import V1
from opsai_tikv.subject import TikvSubject
from tests.tikv.eyes import AT, StillClock
from tests.tikv.pd.fake import ADDRESSES, NAMES, URLS, FakePd, late, opened, refused

STORES = {"1": "10.1.0.21", "4": "10.1.0.22", "5": "10.1.0.23"}
PEOPLE = {
    **{f"{host}:20160": f"kv{index}" for index, host in enumerate(STORES.values(), 1)},
    **{f"{host}:20180": f"kv{index}" for index, host in enumerate(STORES.values(), 1)},
    **{ADDRESSES[name]: name.replace("-", "") for name in NAMES},
}


def store(number: str, **changes: JsonValue) -> dict[str, JsonValue]:
    """Return a healthy store as PD tells it; `heard` is the age of its heartbeat in seconds."""
    heard = changes.pop("heard", 5.0)
    assert isinstance(heard, int | float)
    meta: dict[str, JsonValue] = {
        "id": int(number),
        "address": f"{STORES.get(number, '10.1.9.9')}:20160",
        "status_address": f"{STORES.get(number, '10.1.9.9')}:20180",
        "version": "8.5.4",
        "state_name": "Up",
        "node_state": 1,
        "start_timestamp": int(AT.timestamp()) - 86_400,
        "last_heartbeat": int((AT - timedelta(seconds=heard)).timestamp() * 1e9),
        "labels": [{"key": "host", "value": f"h{number}"}],
    }
    status: dict[str, JsonValue] = {
        "capacity": "100GiB",
        "available": "60GiB",
        "leader_count": 30,
        "leader_weight": 1,
        "leader_score": 30,
        "region_count": 90,
        "region_weight": 1,
        "region_score": 900.5,
        "slow_score": 1,
    }
    for name, value in changes.items():
        (meta if name in meta or name in ("node_state", "physically_destroyed") else status)[name] = value
    return {"store": meta, "status": status}


def healthy(**more: JsonValue) -> FakePd:
    """Return a PD that tells of a healthy cluster."""
    answers: dict[str, JsonValue] = {
        f"{V1}/stores": {"count": 3, "stores": [store(number) for number in STORES]},
        f"{V1}/health": [{"name": name, "member_id": 1, "client_urls": [], "health": True} for name in NAMES],
        f"{V1}/config": {
            "name": "whoever",
            "replication": {"max-replicas": 3, "enable-placement-rules": "true", "location-labels": "host"},
        },
        f"{V1}/regions/count": {"count": 90, "regions": None},
        f"{V1}/config/cluster-version": "8.5.4",
        **more,
    }
    return FakePd(answers={**answers})


class Whole:
    """PD and the stores' status ports on one transport."""

    def __init__(self, pd: FakePd, dead: Mapping[str, str] | None = None) -> None:
        self._pd = pd
        self._dead = dead or {}

    def __call__(self, request: httpx.Request) -> httpx.Response:
        numbers = {host: number for number, host in STORES.items()}
        number = numbers.get(request.url.host)
        if number is None:
            return self._pd(request)
        if number in self._dead:
            raise (refused if self._dead[number] == "refused" else late)(request)
        return httpx.Response(200, text="")


@asynccontextmanager
async def subject(
    pd: FakePd,
    *,
    metrics: MetricsSource | None = None,
    logs: LogSource | None = None,
    asked_logs: LogSource | None = None,
    states: StateSource | None = None,
    diagnostics: bool = False,
    reach: Mapping[str, str] | None = None,
    dead: Mapping[str, str] | None = None,
    at: datetime = AT,
    names: Mapping[str, str] | None = None,
    urls: tuple[str, ...] = URLS,
    rate_seconds: float | None = None,
) -> AsyncGenerator[TikvSubject]:
    """Open the cluster as a subject."""
    async with opened(Whole(pd, dead)) as web:
        sources = Sources(
            web=web,
            metrics=metrics,
            logs=logs,
            clock=StillClock(at),
            reach=reach or {},
            asked_logs=asked_logs,
            states=states,
        )
        people = dict(PEOPLE if names is None else names)
        settings = ClusterSettings(endpoints=urls, names=people, diagnostics=diagnostics, rate_seconds=rate_seconds)
        found = KIND.open("prod", settings, sources)
        assert isinstance(found, TikvSubject)
        yield found
