"""One region: its peers, the states of their stores, and why it is not well."""

from opsai_subjects.attempts import Attempts
from opsai_subjects.errors import NotRecorded, UnknownName
from opsai_subjects.reply import Answer, unread_rows, without_empty
from opsai_tikv.facts import TikvFacts
from opsai_tikv.keyed import key_bytes
from opsai_tikv.keys import owner_of_range
from opsai_tikv.pd.client import Pd
from opsai_tikv.pd.values import Operator, Region
from opsai_tikv.regions.health import peer_rows, region_health
from opsai_tikv.scheduling.operating import step_of

COLUMNS = ("peer", "store", "role", "state of its store")


async def one_region(pd: Pd, facts: TikvFacts, asked: str) -> Answer:
    """Return what is known of the region of this id or key. Raises UnknownName, ArgumentInvalid or SourceError."""
    found = await _found(pd, facts, asked.strip())
    tries = Attempts()
    rules = await tries.of("pd", "config/rules", pd.rules())
    operators = await tries.of("pd", "operators", pd.operators()) or ()
    health = region_health(found, facts, rules)
    working = [operator for operator in operators if operator.region_id == found.id]
    value: dict[str, object] = {
        "region": f"region:{found.id}",
        "well": health.well,
        "has_majority": health.has_majority,
        "why": health.why,
        "holds": owner_of_range(found.start_key, found.end_key).sentence,
        "leader": f"store:{found.leader_store_id}" if found.leader_store_id else "none known",
        "size_mib": found.size_mib,
        "keys": found.keys,
        "written_bytes_last_minute": found.written_bytes,
        "read_bytes_last_minute": found.read_bytes,
        "columns": COLUMNS,
        "peers": peer_rows(found, facts),
        "operators": [_told(operator) for operator in working],
    }
    shown = without_empty(value)
    return Answer(at=facts.at, value=value | {"unread": tries.unread}, shown=shown | unread_rows(tries.unread))


def _told(operator: Operator) -> str:
    step = step_of(operator)
    return f"{operator.description}: {operator.brief}" + (f"; now: {step}" if step else "")


async def _found(pd: Pd, facts: TikvFacts, asked: str) -> Region:
    text = asked.removeprefix("region:").strip()
    by_id = text.isascii() and text.isdigit() and len(text) <= 20
    try:
        found = await pd.region(text) if by_id else await pd.region_of(key_bytes(text))
    except NotRecorded:
        found = await _listed(pd, text, by_id=by_id)
    if found is None:
        raise UnknownName("region", asked, (), advice=_advice(facts, by_id=by_id))
    return found


async def _listed(pd: Pd, text: str, *, by_id: bool) -> Region | None:
    """Look among all regions: a recording of a small cluster holds their list. Raises NotRecorded or SourceTooLarge."""
    regions = await pd.every_region()
    if by_id:
        return next((region for region in regions if region.id == text), None)
    key = key_bytes(text)
    return next((region for region in regions if region.holds(key)), None)


def _advice(facts: TikvFacts, *, by_id: bool) -> str:
    return (
        "It was merged or never there: ask by a key, or see regions() for those that are not well."
        if by_id
        else f"PD knows no region over this key (it has {facts.region_count or 'an unknown number of'} regions)."
    )
