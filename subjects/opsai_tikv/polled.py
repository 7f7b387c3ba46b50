"""What a recording keeps of the HTTP answers of PD members and stores, and how a recorded answer tells another one.

The questions, their order and their intervals are those of the shipped recordings, less what `paths.py` leaves out
(`stats/region`, histograms of regions, the service middleware): a recorder asks as observantly as everybody else.
"""

from collections.abc import Callable
from urllib.parse import parse_qsl

import orjson
from pydantic import JsonValue

from opsai_subjects.subject import Polled

LOCAL_HEADERS = {"PD-Allow-follower-handle": "true"}
"""A PD member asked with it answers with its own view instead of asking the leader (pd pkg/utils/apiutil, v8.5)."""

_API = "/pd/api/v1/"
_STORES = f"{_API}stores"
_EVERY_ROUND = (
    "ping",
    "members",
    "leader",
    "status",
    "cluster",
    "cluster/status",
    "stores?state=0&state=1&state=2",
    "schedulers",
    "operators",
    "hotspot/regions/read",
    "hotspot/regions/write",
    "hotspot/stores",
    "regions/check/miss-peer",
    "regions/check/extra-peer",
    "regions/check/down-peer",
    "regions/check/pending-peer",
    "regions/check/offline-peer",
    "regions/check/learner-peer",
    "regions/check/empty-region",
    "regions/count",
    "min-resolved-ts",
    "config",
    "operators/records",
)
_NOW_AND_THEN = (
    "version",
    "config/replicate",
    "config/schedule",
    "config/rules",
    "config/placement-rule",
    "config/region-label/rules",
    "config/cluster-version",
    "config/replication-mode",
    "regions/key?limit=2000",
    "regions/check/oversized-region",
    "regions/check/undersized-region",
    "regions/range-holes",
    "stores/limit",
    "labels",
    "schedulers?status=paused",
    "schedulers?status=disabled",
    "stores/progress?action=removing",
    "replication_mode/status",
    "scheduler-config/balance-leader-scheduler/list",
    "scheduler-config/evict-leader-scheduler/list",
    "scheduler-config/evict-slow-store-scheduler/list",
    "schedulers/diagnostic/balance-leader-scheduler",
    "schedulers/diagnostic/balance-region-scheduler",
    "hotspot/buckets",
    "checker/learner",
    "checker/replica",
    "checker/rule",
    "checker/split",
    "checker/merge",
    "checker/joint-state",
    "gc/safepoint",
    "admin/unsafe/remove-failed-stores/show",
)
_OF_ITSELF = ("status", "members", "leader", "config", "health")
"""What each member is asked for its own view of too."""

POLLED = {
    "pd": (
        *(Polled(path=_API + name) for name in _EVERY_ROUND),
        *(Polled(path=_API + name, every_seconds=30.0) for name in _NOW_AND_THEN),
        *(Polled(path=_API + name, local=True) for name in _OF_ITSELF),
        Polled(path="/health"),
        Polled(path=f"{_API}ready"),
        Polled(path=f"{_API}health"),
    ),
    "tikv": (
        Polled(path="/status"),
        Polled(path="/ready"),
        Polled(path="/config", every_seconds=120.0),
    ),
}

_STATES = {"Offline": "1", "Tombstone": "2"}
"""`state_name` to the number that `state=` takes; every other name is of a store that is up (0)."""


def answered_by(asked: str, recorded: str) -> Callable[[bytes], bytes] | None:
    """Return what takes the stores of the states asked for out of a recorded list; None where that list lacks some."""
    if asked.partition("?")[0] != _STORES or not _states(asked) <= _states(recorded):
        return None
    wanted = _states(asked)

    def narrowed(body: bytes) -> bytes:
        reply: JsonValue = orjson.loads(body)
        stores = reply.get("stores") if isinstance(reply, dict) else None
        if not isinstance(reply, dict) or not isinstance(stores, list):
            return body
        kept = [store for store in stores if _STATES.get(_state_name(store), "0") in wanted]
        return orjson.dumps({**reply, "count": len(kept), "stores": kept})

    return narrowed


def _states(path: str) -> frozenset[str]:
    # without state= PD leaves tombstones out (pd server/api/store.go, v8.5)
    query = parse_qsl(path.partition("?")[2], keep_blank_values=True)
    return frozenset(value for name, value in query if name == "state") or frozenset(("0", "1"))


def _state_name(entry: JsonValue) -> str:
    store = entry.get("store") if isinstance(entry, dict) else None
    return str(store.get("state_name", "")) if isinstance(store, dict) else ""
