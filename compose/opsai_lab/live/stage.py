"""A local cluster made ready for a live run: opened, with a store and a settings file of the run's own."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import tomli_w

from opsai_lab.chaos.journal import Journal
from opsai_lab.live.haste import Haste
from opsai_lab.targets.folder import write_whole
from opsai_lab.targets.target import Target
from opsai_server.tickets.store import Store, open_store
from opsai_subjects.config import ClusterSettings, WatchSettings, WebLimits
from opsai_subjects.opening import Cluster, open_cluster
from opsai_subjects.registry import subject_kind

LIMITS = WebLimits(connect_seconds=1.0, read_seconds=2.0)
"""The nodes are on this machine: one that does not answer within two seconds hangs."""
CONFIG, STORE = "opsai.toml", "tickets.sqlite"


@dataclass(frozen=True)
class Stage:
    """Where a live run happens."""

    target: Target
    journal: Journal
    haste: Haste
    settings: ClusterSettings
    """With the haste in it."""
    cluster: Cluster
    store: Store
    config: Path
    """The settings file of this run: the agent, `opsai-mcp` and a person look at it by this one."""

    @property
    def name(self) -> str:
        """The cluster's name."""
        return self.target.place.name

    @property
    def watch(self) -> WatchSettings:
        """The watcher's settings."""
        return self.haste.watch


@asynccontextmanager
async def open_stage(target: Target, haste: Haste, home: Path) -> AsyncGenerator[Stage]:
    """Open a cluster that is up; `home` gets the settings file and the store. Raises LabError, OpsaiError."""
    place = target.place
    endpoints = await target.endpoints()
    kind = subject_kind(endpoints.cluster.subject)
    settings = haste.applied(endpoints.cluster, kind.invariants)
    config, store_path = home / CONFIG, home / STORE
    write_whole(config, _settings_text(place.name, settings, haste.watch))
    async with open_store(store_path) as store, open_cluster(place.name, settings, LIMITS) as cluster:
        yield Stage(target, Journal(place.folder), haste, settings, cluster, store, config)


def _settings_text(name: str, cluster: ClusterSettings, watch: WatchSettings) -> str:
    told = cluster.model_dump(mode="json", exclude_defaults=True, exclude_none=True)
    return tomli_w.dumps(
        {
            "store": STORE,
            "web": LIMITS.model_dump(mode="json", exclude_defaults=True),
            "watch": watch.model_dump(mode="json", exclude_defaults=True),
            "clusters": {name: {"subject": cluster.subject, **told}},
        }
    )
