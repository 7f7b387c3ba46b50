"""PD's defaults that matter when scheduling does not do what one expects, and what differs from them. Pure.

Read from pkg/schedule/config/config.go and server/config/config.go (before v7.5 the latter alone), compared at v6.5.11,
v7.1.5, v7.5.6, v8.1.2, v8.4.0, v8.5.4 and master of August 2026.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from opsai_subjects.model import Scalar

Version = tuple[int, int, int]


@dataclass(frozen=True)
class Default:
    """One setting's default: the value and the version since which it holds, oldest first."""

    values: tuple[tuple[Version, Scalar], ...]

    def at(self, version: Version | None) -> tuple[Scalar, ...]:
        """Return what counts as the default in that version; of an unknown one, every value it ever had."""
        if version is None:
            return tuple(value for _, value in self.values)
        held = [value for since, value in self.values if since <= version]
        return (held[-1] if held else self.values[0][1],)


def _always(value: Scalar) -> Default:
    return Default((((0, 0, 0), value),))


DEFAULTS: Mapping[str, Default] = {
    "schedule.leader-schedule-limit": _always(4),
    "schedule.region-schedule-limit": _always(2048),
    "schedule.replica-schedule-limit": _always(64),
    "schedule.merge-schedule-limit": _always(8),
    "schedule.hot-region-schedule-limit": _always(4),
    "schedule.max-snapshot-count": _always(64),
    "schedule.max-pending-peer-count": _always(64),
    "schedule.max-merge-region-size": Default((((0, 0, 0), 20), ((8, 4, 0), 54))),
    "schedule.max-store-down-time": _always("30m0s"),
    "schedule.patrol-region-interval": _always("10ms"),
    "schedule.low-space-ratio": _always(0.8),
    "schedule.high-space-ratio": _always(0.7),
    "schedule.leader-schedule-policy": _always("count"),
    "schedule.store-limit-version": _always("v1"),
    "schedule.scheduler-max-waiting-operator": _always(5),
    "schedule.enable-joint-consensus": _always(True),
    "schedule.enable-remove-down-replica": _always(True),
    "schedule.enable-replace-offline-replica": _always(True),
    "schedule.enable-make-up-replica": _always(True),
    "schedule.enable-remove-extra-replica": _always(True),
    "schedule.enable-location-replacement": _always(True),
    "schedule.enable-cross-table-merge": _always(True),
    "schedule.enable-tikv-split-region": _always(True),
    "schedule.halt-scheduling": _always(False),
    "replication.max-replicas": _always(3),
    "replication.strictly-match-label": _always(False),
    "replication.enable-placement-rules": _always(True),
    "replication.isolation-level": _always(""),
    "lease": Default((((0, 0, 0), 3), ((8, 5, 2), 5))),
    "tso-update-physical-interval": _always("50ms"),
    "quota-backend-bytes": _always("8GiB"),
}
_OWN = re.compile(
    r"(?:name|.*urls|data-dir|join|initial-cluster.*|force-new-cluster|log\..*|log-.*|metric\..*|security\..*|labels(?:\..*)?"
    r"|schedule\..*|replication\..*|replication-mode\..*|pd-server\..*|cluster-version|dashboard\..*|Warning.*|WarningMsgs.*)"
)
"""What may differ between members: what names and places each, and what the leader keeps for all (a follower tells its own
copy, read at its start)."""


def version_of(text: str) -> Version | None:
    """Read `v8.5.4`, `8.5.4-nightly`; None when it is no version."""
    found = re.match(r"v?(\d{1,4})\.(\d{1,4})\.(\d{1,4})", text)
    return (int(found[1]), int(found[2]), int(found[3])) if found else None


def changed(config: Mapping[str, Scalar], version: Version | None) -> dict[str, str]:
    """Return the settings that are not as a new cluster of that version has them: `1m0s (default 30m0s)`."""
    found: dict[str, str] = {}
    for name, default in DEFAULTS.items():
        usual = default.at(version)
        if name in config and config[name] not in usual:
            found[name] = f"{_said(config[name])} (default {' or '.join(_said(value) for value in usual)})"
    return found


def differing(configs: Mapping[str, Mapping[str, Scalar]]) -> dict[str, str]:
    """Return the settings in which members differ that should be one for all: `5 on pd-1, pd-2; 3 on pd-3`."""
    found: dict[str, str] = {}
    names = sorted({name for config in configs.values() for name in config if not _OWN.fullmatch(name)})
    for name in names:
        holders: dict[str, list[str]] = {}
        for member, config in configs.items():
            if name in config:
                holders.setdefault(_said(config[name]), []).append(member)
        if len(holders) > 1:
            found[name] = "; ".join(f"{value} on {', '.join(members)}" for value, members in holders.items())
    return found


def _said(value: Scalar) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "empty" if value == "" else str(value)
