"""What PD says of placement: schedulers, settings, GC. Reads that fail are kept as unread."""

from dataclasses import dataclass, field
from datetime import datetime

from opsai_subjects.attempts import Attempts
from opsai_subjects.errors import NotRecorded, SourceError
from opsai_tikv.pd.client import Pd
from opsai_tikv.pd.values import Config, Rule

MOVERS = ("evict-leader-scheduler", "grant-leader-scheduler")
"""Schedulers that keep leaders away from stores, or on them; their settings name the stores."""


@dataclass
class Placement:
    """Schedulers and settings; None is what could not be read."""

    schedulers: tuple[str, ...] | None = None
    paused: tuple[str, ...] | None = None
    paused_checkers: tuple[str, ...] | None = None
    rules: tuple[Rule, ...] | None = None
    evicting: dict[str, str] = field(default_factory=dict[str, str])
    config: Config | None = None
    region_count: int | None = None


@dataclass(frozen=True)
class Gc:
    """How far GC may go."""

    known: bool = False
    age_seconds: float | None = None
    """None: GC is not used, or nobody could be asked."""
    blocker: str = ""


async def read_placement(pd: Pd, tries: Attempts) -> Placement:
    """Return the schedulers, whom they move leaders from, and the settings in force."""
    found = Placement(
        schedulers=await tries.of("pd", "/pd/api/v1/schedulers", pd.schedulers()),
        paused=await tries.of("pd", "/pd/api/v1/schedulers?status=paused", pd.paused_schedulers()),
        paused_checkers=await tries.of("pd", "/pd/api/v1/checker", pd.paused_checkers()),
        rules=await tries.of("pd", "/pd/api/v1/config/rules", pd.rules()),
        config=await tries.of("pd", "/pd/api/v1/config", pd.config()),
        region_count=await tries.of("pd", "/pd/api/v1/regions/count", pd.region_count()),
    )
    for name in MOVERS:
        if found.schedulers and name in found.schedulers:
            config = await tries.of("pd", f"scheduler-config/{name}", pd.scheduler_config(name))
            for key in config.values if config else ():
                if key.startswith("store-id-ranges."):
                    found.evicting[f"store:{key.split('.')[1]}"] = name
    return found


async def read_denied(pd: Pd, tries: Attempts) -> tuple[str, ...] | None:
    """Return the rules that keep PD from scheduling a range of keys; None when nobody can say."""
    try:
        return tuple(rule.id for rule in await pd.label_rules() if rule.labels.get("schedule") == "deny")
    except NotRecorded:
        return None
    except SourceError as error:
        tries.miss("pd", error.asked, error.came_back, error.advice)
        return None


async def read_gc(pd: Pd, tries: Attempts, now: datetime) -> Gc:
    """Return how old GC's safe point is and who holds it."""
    found = await tries.of("pd", "/pd/api/v1/gc/safepoint", pd.gc_safe_point())
    if found is None or found.gc_safe_point_at is None:
        return Gc(known=found is not None)
    held = [service for service in found.services if service.safe_point_at]
    oldest = min(held, key=lambda service: service.safe_point_at or now, default=None)
    age = (now - found.gc_safe_point_at).total_seconds()
    return Gc(known=True, age_seconds=age, blocker=oldest.service_id if oldest else "")
