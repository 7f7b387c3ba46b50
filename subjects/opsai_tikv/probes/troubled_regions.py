"""Regions that are not well: counted by cause and by store, and one cause's regions."""

from collections.abc import Sequence

from opsai_subjects.attempts import Attempts
from opsai_subjects.errors import UnknownName
from opsai_subjects.reply import Answer, Rows, unread_rows, without_empty
from opsai_tikv.facts import StoreFacts, TikvFacts
from opsai_tikv.keys import owner_of_range
from opsai_tikv.pd.client import REGIONS_LISTED_AT_MOST, Pd, RegionCheck
from opsai_tikv.pd.values import Region, Rule
from opsai_tikv.regions.health import region_health
from opsai_tikv.regions.majority import is_gone, is_heard, without_majority
from opsai_tikv.regions.troubled import CHECKS, HARM, MEANINGS, Troubled, by_store, leaderless, read_troubled, suspects
from opsai_tikv.wording import counted, lasting, named, plural, tally

ROWS = 12
SUCH_AS = 2
MANY_STORES = 6
SPREAD_AT_MOST = 2
COLUMNS = ("region", "holds", "leader", "voters", "why")


async def troubled_regions(pd: Pd, facts: TikvFacts) -> Answer:
    """Count what is not well by cause and by store. Never raises for what cannot be read."""
    tries = Attempts()
    found = await read_troubled(pd, tries, facts)
    gone = frozenset(store.id for store in facts.data_stores if is_gone(store))
    listed = {region.id: region for regions in found.listed.values() for region in regions}
    everything = found.every if found.every is not None else tuple(listed.values())
    lost = without_majority(everything, gone, lagging=False) if facts.stores_known else ()
    rows = await _rows(pd, tries, lost, facts)
    causes = [_cause(check, found, facts) for check in HARM if found.counts.get(check)]
    value: dict[str, object] = {
        "regions": facts.region_count,
        "says": _headline(found, facts, lost),
        "counts": dict(found.counts),
        "without_majority": len(lost) if facts.stores_known else None,
        "majority": _majority(found, facts, lost),
        "causes": causes,
        "harmless": {check: found.counts[check] for check in MEANINGS if check not in HARM and check in found.counts},
        "not_counted": [check for check in CHECKS if check not in found.counts],
        "silent_stores": _silent(facts),
        "regions_without_majority": rows,
    }
    shown = without_empty(
        {name: part for name, part in value.items() if name not in ("counts", "regions_without_majority")}
    )
    if lost:
        narrow = "all by evidence(id, path='/regions_without_majority')"
        shown["columns"] = COLUMNS
        shown["regions_without_majority"] = Rows(rows[:ROWS], len(rows), narrow)
    return Answer(at=facts.at, value=value | {"unread": tries.unread}, shown=shown | unread_rows(tries.unread))


def _headline(found: Troubled, facts: TikvFacts, lost: Sequence[Region]) -> str:
    if not found.counts and not lost:
        return "Unknown: PD could not be asked, and only a leader's metrics count regions."
    total = f"{facts.region_count:,} regions" if facts.region_count is not None else "an unknown number of regions"
    bad = {check: count for check, count in found.counts.items() if check in HARM and count}
    missing = [check for check in HARM if check not in found.counts]
    unknown = f" Not counted: {named(missing)}." if missing else ""
    if lost:
        return f"{plural(len(lost), 'region')} of {total} without a majority: they serve nothing.{unknown}"
    if not bad:
        return (f"Unknown for {total}." if missing else f"All {total} have the replicas they should.") + unknown
    worst = ", ".join(f"{count:,} {check}" for check, count in bad.items())
    return f"Of {total}: {worst}.{unknown}"


def _majority(found: Troubled, facts: TikvFacts, lost: Sequence[Region]) -> str:
    """Say whether any region may have lost its majority, and how that is known."""
    if lost:
        return f"{plural(len(lost), 'region')} known without a majority"
    if not facts.stores_known:
        return "unknown: PD could not list the stores"
    quiet = [store for store in facts.data_stores if not is_heard(store)]
    running = [store.entity for store in quiet if not is_gone(store)]
    if running:
        return f"unknown: PD does not hear {named(running)}, whose process answers here: regions there may well serve"
    if found.every is not None:
        return f"each of {len(found.every)} regions has a majority of voters on stores that serve"
    return _by_leaders(facts, quiet)


def _by_leaders(facts: TikvFacts, quiet: Sequence[StoreFacts]) -> str:
    """Tell it by what silent stores still lead, where there are too many regions to look at each."""
    led = leaderless(facts)
    if led:
        of = f"{plural(sum(led.values()), 'region')} still led by silent stores in PD's books ({counted(led)})"
        return f"{of}: nobody else reports them, so they have no leader, most likely no majority"
    if not quiet:
        return "no store is silent, so none can have lost it by a lost store"
    if any((store.heartbeat_age_seconds or 0.0) <= 60.0 for store in quiet):
        return "unknown for a moment: a store fell silent within the last minute"
    return "silent stores lead no region any more: what they led has elected others, which takes a majority"


def _cause(check: RegionCheck, found: Troubled, facts: TikvFacts) -> dict[str, object]:
    row: dict[str, object] = {"cause": check, "regions": found.counts[check], "means": MEANINGS[check]}
    listed = found.listed.get(check)
    if listed is None:
        likely = suspects(check, facts)
        too_many = f"not listed: over {REGIONS_LISTED_AT_MOST}"
        row["stores"] = f"{too_many}; peers on those it must lie with: {counted(likely)}" if likely else too_many
        return row
    row["stores"] = _where(by_store(check, listed, facts))
    row["such_as"] = named([f"region:{region.id}" for region in listed], SUCH_AS)
    return without_empty(row)


def _where(stores: dict[str, int]) -> str:
    """Name the stores, unless nothing sets one apart."""
    if len(stores) > MANY_STORES and max(stores.values()) <= SPREAD_AT_MOST:
        return f"spread over {len(stores)} stores"
    return counted(stores)


def _silent(facts: TikvFacts) -> list[str]:
    return [
        f"{store.entity} {store.state}, silent for {lasting(store.heartbeat_age_seconds)}, {store.region_count or 0:,} peers, "
        f"{store.leader_count or 0:,} leaders{_answers(store)}"
        for store in facts.data_stores
        if not is_heard(store) and store.heartbeat_age_seconds is not None
    ][:ROWS]


def _answers(store: StoreFacts) -> str:
    return "; its process answers here, so it may be cut off from PD alone" if store.status_port == "answered" else ""


async def one_cause(pd: Pd, facts: TikvFacts, asked: str) -> Answer:
    """List the regions of one cause. Raises UnknownName for a cause there is none of."""
    known: dict[str, RegionCheck] = {name: check for check in CHECKS for name in (check, check.rpartition("-")[0])}
    check = known.get(asked)
    if check is None:
        raise UnknownName("cause", asked, (*CHECKS, "hot"))
    tries = Attempts()
    found = await read_troubled(pd, tries, facts, (check,))
    count, listed = found.counts.get(check), found.listed.get(check)
    value: dict[str, object] = {
        "cause": check,
        "means": MEANINGS[check],
        "regions": count,
        "says": _told(count, listed),
    }
    if listed is None:
        value["stores"] = counted(suspects(check, facts))
        shown = without_empty(value)
    else:
        value["stores"] = counted(by_store(check, listed, facts))
        value["tables"] = counted(tally(owner_of_range(one.start_key, one.end_key).sentence for one in listed))
        rows = await _rows(pd, tries, listed, facts)
        shown = without_empty(value) | {"columns": COLUMNS}
        shown["listed"] = Rows(rows[:ROWS], len(rows), "all by evidence(id, path='/listed'), one by region='ID'")
        value["listed"] = rows
    return Answer(at=facts.at, value=value | {"unread": tries.unread}, shown=shown | unread_rows(tries.unread))


def _told(count: int | None, listed: Sequence[Region] | None) -> str:
    if count is None:
        return "unknown: neither a metric (pd_regions_status) nor PD could count them"
    if listed is None:
        return f"about {count:,} by PD's metric, a minute late or so; too many to be listed without harm to PD"
    return f"{plural(count, 'region')}"


async def _rows(pd: Pd, tries: Attempts, regions: Sequence[Region], facts: TikvFacts) -> list[list[object]]:
    """Return a row for each region, judged by the placement rules."""
    rules = await tries.of("pd", "config/rules", pd.rules()) if regions else None
    return [_row(region, facts, rules) for region in regions]


def _row(region: Region, facts: TikvFacts, rules: Sequence[Rule] | None) -> list[object]:
    return [
        f"region:{region.id}",
        owner_of_range(region.start_key, region.end_key).sentence,
        f"store:{region.leader_store_id}" if region.leader_store_id else "none known",
        " ".join(peer.store_id for peer in region.voters),
        region_health(region, facts, rules).why[0],
    ]
