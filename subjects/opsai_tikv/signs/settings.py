"""Signs of settings and schedulers that are not as they should be."""

from collections.abc import Callable
from dataclasses import dataclass

from opsai_subjects.model import Scalar
from opsai_tikv.facts import DEFAULT_SCHEDULERS
from opsai_tikv.seen import ABSENT, Look, Seen, unknown
from opsai_tikv.signs.reach import leader_is_new
from opsai_tikv.signs.rule import SignRule

OPERATOR_MADE = (
    "evict-leader-scheduler",
    "grant-leader-scheduler",
    "grant-hot-region-scheduler",
    "shuffle-leader-scheduler",
    "shuffle-region-scheduler",
    "shuffle-hot-region-scheduler",
    "random-merge-scheduler",
    "scatter-range",
    "label-scheduler",
)
"""Never there by themselves: somebody added them (pd pkg/schedule/schedulers)."""


@dataclass(frozen=True)
class Bad:
    """A setting's value that stops or endangers something, and what it does."""

    when: Callable[[Scalar], bool]
    does: str


def _is_zero(value: Scalar) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value == 0


def _is_off(value: Scalar) -> bool:
    return value is False or value == "false"


def _is_on(value: Scalar) -> bool:
    return value is True or value == "true"


def _below(limit: float) -> Callable[[Scalar], bool]:
    return lambda value: isinstance(value, (int, float)) and not isinstance(value, bool) and value < limit


def _above(limit: float) -> Callable[[Scalar], bool]:
    return lambda value: isinstance(value, (int, float)) and not isinstance(value, bool) and value > limit


def _seconds(value: Scalar) -> float | None:
    """Return a Go duration's seconds."""
    if not isinstance(value, str):
        return None
    total, digits = 0.0, ""
    units = {"h": 3600.0, "m": 60.0, "s": 1.0}
    text = value.replace("ms", "@")
    for ch in text:
        if ch.isdigit() or ch == ".":
            digits += ch
        elif ch in units or ch == "@":
            total += float(digits or 0) * (0.001 if ch == "@" else units[ch])
            digits = ""
        else:
            return None
    return total


def _shorter(limit: float) -> Callable[[Scalar], bool]:
    return lambda value: (seconds := _seconds(value)) is not None and seconds < limit


def _longer(limit: float) -> Callable[[Scalar], bool]:
    return lambda value: (seconds := _seconds(value)) is not None and seconds > limit


STOPS = "0 switches this scheduling off"
BAD_SETTINGS: dict[str, Bad] = {
    "schedule.leader-schedule-limit": Bad(_is_zero, STOPS),
    "schedule.region-schedule-limit": Bad(_is_zero, STOPS),
    "schedule.replica-schedule-limit": Bad(_is_zero, f"{STOPS}: lost replicas are not repaired"),
    "schedule.merge-schedule-limit": Bad(_is_zero, f"{STOPS}: empty regions pile up"),
    "schedule.hot-region-schedule-limit": Bad(_is_zero, STOPS),
    "schedule.max-snapshot-count": Bad(_below(2), "hardly any snapshot may be sent: repair crawls"),
    "schedule.max-pending-peer-count": Bad(_below(2), "hardly any peer may be pending: repair crawls"),
    "schedule.halt-scheduling": Bad(_is_on, "all scheduling is halted"),
    "schedule.enable-remove-down-replica": Bad(_is_off, "replicas on dead stores are not replaced"),
    "schedule.enable-replace-offline-replica": Bad(_is_off, "stores that leave are not emptied"),
    "schedule.enable-make-up-replica": Bad(_is_off, "missing replicas are not made up"),
    "schedule.enable-remove-extra-replica": Bad(_is_off, "extra replicas stay"),
    "schedule.enable-location-replacement": Bad(_is_off, "replicas stay in the wrong place"),
    "schedule.max-store-down-time": Bad(
        _shorter(300), "stores count as dead after a short break: needless moving of data"
    ),
    "schedule.patrol-region-interval": Bad(_longer(1.0), "regions are looked after so rarely that repair crawls"),
    "schedule.split-merge-interval": Bad(_longer(7 * 86400.0), "regions are as good as never merged"),
    "schedule.low-space-ratio": Bad(
        _below(0.5), "stores count as short of space while half empty: nothing is moved to them"
    ),
    "schedule.high-space-ratio": Bad(_below(0.3), "balance by size begins far too early"),
    "schedule.tolerant-size-ratio": Bad(_above(50), "balance tolerates any skew"),
    "schedule.leader-schedule-policy": Bad(lambda value: value not in ("count", "size"), "an unknown policy"),
    "schedule.scheduler-max-waiting-operator": Bad(_is_zero, "no operator may wait: scheduling stands still"),
    "replication.max-replicas": Bad(
        lambda value: _below(3)(value) or (isinstance(value, int) and value % 2 == 0),
        "too few replicas, or an even number",
    ),
    "replication.enable-placement-rules": Bad(_is_off, "placement rules are off"),
}


def is_judged(entity: str) -> bool:
    """Say whether a setting is one that is judged."""
    name = entity.removeprefix("config:")
    return name in BAD_SETTINGS or name.startswith("schedule.store-limit.")


def bad_setting(look: Look, entity: str) -> Seen:
    """Its value switches something off that keeps the cluster well."""
    name = entity.removeprefix("config:")
    config = look.facts.config
    if config is None or name not in config:
        return unknown("PD's settings could not be read")
    value = config[name]
    rule = BAD_SETTINGS.get(name)
    if rule and rule.when(value):
        return Seen("shown", f"{name} = {value}: {rule.does}", value=value)
    if name == "replication.max-replicas" and isinstance(value, int) and look.facts.stores_known:
        stores = sum(1 for store in look.facts.data_stores if store.state in ("Up", "Disconnected", "Offline"))
        if value > stores:
            return Seen("shown", f"{value} replicas asked of {stores} stores", value=value, limit=stores)
    return _store_limit(name, value)


def _store_limit(name: str, value: Scalar) -> Seen:
    if name.startswith("schedule.store-limit.") and isinstance(value, (int, float)) and value < 1:
        return Seen("shown", f"{name} = {value}: this store takes part in no moving", value=value)
    return ABSENT


def scheduler_left_behind(look: Look, entity: str) -> Seen:
    """Somebody added it and it is still there."""
    name = entity.removeprefix("scheduler:")
    if look.facts.schedulers is None:
        return unknown("PD's schedulers could not be read")
    if name in look.facts.schedulers and name.startswith(OPERATOR_MADE):
        stores = sorted(store for store, scheduler in look.facts.evicting.items() if scheduler == name)
        return Seen("shown", f"{name} is there{' for ' + ', '.join(stores) if stores else ''}", value=name)
    return ABSENT


def scheduler_missing(look: Look, entity: str) -> Seen:
    """A scheduler that every cluster has is not there."""
    name = entity.removeprefix("scheduler:")
    if look.facts.schedulers is None or leader_is_new(look):
        return unknown("PD's schedulers could not be read, or its leader is new and has not started them all")
    if name in DEFAULT_SCHEDULERS and name not in look.facts.schedulers:
        return Seen("shown", f"{name} is not running", value=name)
    return ABSENT


def scheduler_paused(look: Look, entity: str) -> Seen:
    """It is paused."""
    name = entity.removeprefix("scheduler:")
    if look.facts.paused_schedulers is None:
        return unknown("PD does not say which schedulers are paused")
    return Seen("shown", f"{name} is paused", value=name) if name in look.facts.paused_schedulers else ABSENT


SETTINGS = (SignRule("bad_setting", "its value switches off what keeps the cluster well", bad_setting),)
SCHEDULERS = (
    SignRule(
        "scheduler_left_behind", "it was added by hand and left behind", scheduler_left_behind, metrics=("leaders",)
    ),
    SignRule("scheduler_missing", "it is missing", scheduler_missing, metrics=("leaders",)),
    SignRule("scheduler_paused", "it is paused", scheduler_paused, metrics=("leaders",)),
)
