"""Whether nodes can be stopped now, told."""

from opsai_subjects.attempts import Attempts
from opsai_subjects.model import MetricsSource
from opsai_subjects.reply import Answer, Rows, unread_rows, without_empty
from opsai_tikv.facts import TikvFacts
from opsai_tikv.pd.client import Pd
from opsai_tikv.pd.values import Region
from opsai_tikv.regions.health import down_after_seconds
from opsai_tikv.regions.majority import is_heard, rules_unread
from opsai_tikv.regions.troubled import HARM, read_troubled
from opsai_tikv.scope import Scope, scope_of
from opsai_tikv.stopping import LACKING, Closer, Judged, judge
from opsai_tikv.wording import lasting, named, plural

ISOLATION = "max by (type) (pd_regions_label_level)"
LOSING = 15
_HEADLINES = {
    "safe": "Yes: no quorum would be lost as far as everything needed could be seen.",
    "at_risk": "No: a quorum would be lost, or it cannot be ruled out.",
    "unknown": "Unknown: not everything needed could be seen.",
}


async def stop_answer(pd: Pd, facts: TikvFacts, asked: str, metrics: MetricsSource | None) -> Answer:
    """Answer whether these nodes can be stopped. Raises UnknownName for what names none."""
    tries = Attempts()
    scope = scope_of(facts, asked, await _labels(pd, tries, facts) if "=" in asked else None)
    closer = await _closer(pd, tries, facts, metrics) if scope.stores and facts.stores_known else Closer()
    judged = judge(facts, scope, closer)
    says = without_empty(
        {
            "asked": asked,
            "state": judged.state,
            "says": _HEADLINES[judged.state],
            "why": judged.reasons,
            "would_stop": _takes(scope),
            "then": _afterwards(facts, scope, judged),
        }
    )
    losing = [_row(region) for region in judged.losing]
    part = {**says, "regions": losing}
    narrow = "all by evidence(id, path='/stop/regions')"
    named_ones = {"regions_losing_majority": Rows(losing[:LOSING], len(losing), narrow)} if losing else {}
    value = {"stop": part, "unread": tries.unread}
    shown: dict[str, object] = {"stop": {**says, **named_ones}}
    return Answer(at=facts.at, value=value, shown=shown | unread_rows(tries.unread))


def _row(region: Region) -> list[object]:
    return [f"region:{region.id}", named([f"store:{peer.store_id}" for peer in region.voters])]


def _takes(scope: Scope) -> str:
    stores = [store.entity for store in scope.stores]
    members = [member.entity for member in scope.members]
    told = [
        f"{plural(len(stores), 'store')} ({named(stores)})" if stores else "",
        f"{plural(len(members), 'PD member')} ({named(members)})" if members else "",
    ]
    return "; ".join(part for part in told if part)


def _afterwards(facts: TikvFacts, scope: Scope, judged: Judged) -> list[str]:
    found: list[str] = []
    leaders = sum(store.leader_count or 0 for store in scope.stores if is_heard(store))
    if leaders:
        found.append(
            f"{plural(leaders, 'region')} led there would choose a new leader (10 to 20 s without service each, "
            "unless the leaders are moved away first)."
        )
    if any(member.is_leader for member in scope.members):
        found.append("The PD leader is among them: PD's leadership moves, timestamps pause for a few seconds.")
    limit = down_after_seconds(facts)
    if scope.stores and limit is not None and judged.state == "safe":
        found.append(f"After {lasting(limit)} (max-store-down-time) PD begins to replace what was there.")
    return found


async def _labels(pd: Pd, tries: Attempts, facts: TikvFacts) -> dict[str, dict[str, str]]:
    """Return each PD member's own labels, where it has any."""
    found: dict[str, dict[str, str]] = {}
    for member in facts.members:
        if member.client_port != "answered":
            continue
        config = await tries.of(f"pd:{member.entity}", "config", pd.config_of(member.entity))
        if config is not None:
            prefix = "labels."
            own = {key.removeprefix(prefix): str(one) for key, one in config.values.items() if key.startswith(prefix)}
            found[member.entity] = own
    return found


async def _closer(pd: Pd, tries: Attempts, facts: TikvFacts, metrics: MetricsSource | None) -> Closer:
    troubled = await read_troubled(pd, tries, facts, (check for check in HARM if check in LACKING))
    isolation: dict[str, int] | None = None
    if metrics is not None and troubled.every is None:
        reply = await tries.of("prometheus", ISOLATION, metrics.instant(ISOLATION))
        if reply is not None:
            isolation = {one.labels.get("type", ""): int(one.last) for one in reply.series if one.last == one.last}
    rules = await tries.of("pd", "config/rules", pd.rules())
    return Closer(
        regions=troubled.every,
        lacking={check: regions for check, regions in troubled.listed.items() if check in LACKING},
        isolation=isolation,
        rules=rules,
        rules_unread=rules_unread(facts, rules),
    )
