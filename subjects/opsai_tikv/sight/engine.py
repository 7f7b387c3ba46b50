"""What can be seen through the metrics engine: whether it knows this cluster, and how closely it looks."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

from opsai_subjects.errors import QueryInvalid, SourceError
from opsai_subjects.model import MetricsSource, Node, Series
from opsai_subjects.sources.scrape import KEPT_SECONDS, Scraper
from opsai_subjects.subject import Sight
from opsai_tikv.gathering.survey import Survey
from opsai_tikv.gathering.tracking import Finder
from opsai_tikv.wording import named

AHEAD_SECONDS = 2.0
AHEAD_LOOK_SECONDS = 60.0
_UP = 'max by (instance, job) (up{job=~".*(tikv|pd).*"})'
_NEWEST = 'max(timestamp(up{job=~".*(tikv|pd).*"}))'


async def prometheus(
    metrics: MetricsSource | None, nodes: Sequence[Node], now: datetime, survey: Survey
) -> list[Sight]:
    """Say whether the engine answers, has this cluster's targets and no others, scrapes them, and keeps the same time."""
    if metrics is None:
        says = "no metrics engine is set: whatever is judged by metrics is unknown"
        return [
            Sight(source="prometheus", state="blind", says=says, advice="give --prometheus URL, or set `prometheus`")
        ]
    try:
        reply = await metrics.instant(_UP)
        newest = _value((await metrics.instant(_NEWEST, now + timedelta(seconds=AHEAD_LOOK_SECONDS))).series)
    except (SourceError, QueryInvalid) as error:
        advice = error.advice if isinstance(error, SourceError) else ""
        blind = Sight(source="prometheus", state="blind", identity=metrics.about, says=str(error), advice=advice)
        return [*_scraping(metrics), blind]
    version = await _version(metrics)
    found = await survey.targets(nodes)
    interval = found.interval_seconds
    every = (
        "" if interval is None else f", scraped every {interval:g} s: rates are taken over {survey.range_text(found)}"
    )
    targets = _targets(metrics.about, version, reply.series, nodes, every)
    return [*_scraping(metrics), targets, *survey.sights(found), *_times(newest, now)]


def _scraping(metrics: MetricsSource) -> list[Sight]:
    """Say what opsai's own scraping does, where no engine is set."""
    if not isinstance(metrics, Scraper):
        return []
    found = metrics.state
    advice = "set `prometheus` to look further back, and for more than a few nodes; `scrape = false` turns this off"
    if found.refused:
        return [Sight(source="scraping", state="blind", says=f"it was given up: {found.refused}", advice=advice)]
    says = (
        f"no Prometheus is set: every {metrics.interval_seconds:g} s it reads /metrics of {found.targets} nodes itself and keeps "
        f"{KEPT_SECONDS / 60:g} minutes of {found.series:,} series; the last round read {found.body_bytes / 1e6:.1f} MB in "
        f"{found.round_seconds:.1f} s"
    )
    failed = [f"{instance} failed ({why})" for instance, why in found.failed]
    state: Literal["ok", "partial"] = "partial" if failed else "ok"
    return [Sight(source="scraping", state=state, says="; ".join((says, *failed[:3])), advice=advice if failed else "")]


async def _version(metrics: MetricsSource) -> str:
    try:
        return await metrics.version()
    except SourceError:
        return ""  # engines like it have no such page


def _value(series: Sequence[Series]) -> float | None:
    return series[0].last if series else None


def _targets(about: str, version: str, series: Sequence[Series], nodes: Sequence[Node], every: str) -> Sight:
    identity = f"{about} {version}".strip()
    finder = Finder(nodes)
    up: dict[str, float] = {}
    for one in series:
        role = "pd" if "pd" in one.labels.get("job", "") else "tikv"
        entity = finder.by_instance(one.labels.get("instance", ""), role)
        if entity is not None:
            up[entity] = one.last
    if not series:
        says = "it answers, but has no target whose job is named after tikv or pd"
        advice = (
            "point `prometheus` at the engine that scrapes this cluster, with jobs `tikv` and `pd` as tiup names them"
        )
        return Sight(source="prometheus", state="blind", identity=identity, says=says, advice=advice)
    missing = [node.name for node in nodes if node.entity not in up and node.state != "Tombstone"]
    down = [node.name for node in nodes if up.get(node.entity) == 0]
    says = f"it has targets for {len(up)} of {len(nodes)} nodes{every}"
    if down:
        says += f"; it cannot scrape {named(down)}"
    if not missing:
        return Sight(source="prometheus", state="partial" if down else "ok", identity=identity, says=says)
    advice = (
        "let it scrape them, with the address PD advertises as `instance`; a target under another name can be matched by "
        "`names`"
    )
    says += f"; none for {named(missing)}"
    return Sight(source="prometheus", state="partial" if up else "blind", identity=identity, says=says, advice=advice)


def _times(newest: float | None, now: datetime) -> list[Sight]:
    if newest is None:
        return []
    ahead = newest - now.timestamp()
    if ahead > AHEAD_SECONDS:
        says = f"its newest sample is {ahead:.0f} s in our future: this machine's clock is behind the engine's"
        advice = "set the clocks right (NTP), else the newest samples are not looked at"
        return [Sight(source="prometheus clock", state="partial", says=says, advice=advice)]
    says = f"its newest sample is {max(0.0, -ahead):.0f} s old"
    if ahead < -AHEAD_LOOK_SECONDS:
        advice = "see whether it still scrapes, and whether this machine's clock is ahead of the engine's"
        return [Sight(source="prometheus clock", state="partial", says=says, advice=advice)]
    return [Sight(source="prometheus clock", state="ok", says=says)]
