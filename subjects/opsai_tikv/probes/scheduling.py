"""The tool `scheduling`: what PD does about placement, what blocks it, and when it will end."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated

from pydantic import Field

from opsai_subjects.attempts import Attempts
from opsai_subjects.errors import UnknownName
from opsai_subjects.reply import Answer, Rows, unread_rows, without_empty
from opsai_subjects.subject import Visit
from opsai_tikv.facts import TikvFacts, same_entity
from opsai_tikv.probes.place import facts_of, subject_of
from opsai_tikv.regions.majority import is_heard
from opsai_tikv.scheduling.alike import uneven
from opsai_tikv.scheduling.blocking import blocking
from opsai_tikv.scheduling.defaults import changed, differing, version_of
from opsai_tikv.scheduling.ending import ending
from opsai_tikv.scheduling.operating import COLUMNS, ended, oldest_first, operator_row, touches, working
from opsai_tikv.scheduling.placing import alike_rules, rule_line
from opsai_tikv.scheduling.round import read_scheduling
from opsai_tikv.scheduling.schedulers import limit_lines, scheduler_lines, store_limits
from opsai_tikv.scheduling.values import Scheduling
from opsai_tikv.scheduling.versions import gc_lines, version_lines

ROWS = 5
LINES = 8


async def scheduling(
    visit: Visit,
    of: Annotated[str, Field(description="Only operators of it: 'store:4', 'region:45'.")] = "",
) -> Answer:
    """Say what PD moves and repairs, what blocks it and why, and when it will end.

    Use it when a store stays down, leaves, joins or is uneven, or peers lack and nothing happens; which peers: regions. Returns
    operators with what each waits for, schedulers paused or added by hand, placement rules against labels, limits, settings that
    differ from defaults or between members, GC, versions. Claim paths: /blocked/0, /operators/running.
    """
    facts, pd = await facts_of(visit), subject_of(visit).ask_pd()
    entity = _entity(facts, of) if of else ""
    tries = Attempts()
    found = await read_scheduling(pd, tries, facts)
    lists = _lists(facts, found, entity)
    says = _says(facts, found, lists["blocked"])
    about = _about(facts, found)
    work, rows = _work(facts, found, entity)
    value = {"says": says, **lists, **about, "operators": {**work, "rows": rows}, "unread": tries.unread}
    shown: dict[str, object] = {"says": says, **_shown_lists(lists), "operators": _shown_work(work, rows)}
    if entity:  # a question about one node: what concerns all is left to the general one
        shown.pop("rules", None)
    else:
        shown |= about
    shown = without_empty(shown)
    return Answer(at=facts.at, value=value, shown=shown | unread_rows(tries.unread))


def _entity(facts: TikvFacts, name: str) -> str:
    entity = same_entity(facts, name)
    if entity is None or not entity.startswith(("store:", "region:")):
        raise UnknownName("store or region", name, tuple(store.entity for store in facts.stores))
    return entity


def _lists(facts: TikvFacts, found: Scheduling, entity: str) -> dict[str, list[str]]:
    rules = alike_rules(found.rules or (), facts)
    return {
        "blocked": blocking(facts, found),
        "ends": _ends(facts, found, entity),
        "rules": [rule_line(alike) for alike in rules],
    }


def _shown_lists(lists: Mapping[str, list[str]]) -> dict[str, object]:
    return {
        name: Rows(lines[:LINES], len(lines), f"all by evidence(id, path='/{name}')")
        for name, lines in lists.items()
        if lines
    }


def _about(facts: TikvFacts, found: Scheduling) -> dict[str, object]:
    alive = [store.entity for store in facts.stores if is_heard(store)]
    config = facts.config or {}
    return {
        "schedulers": scheduler_lines(facts, found),
        "store_limits": limit_lines(store_limits(config), alive),
        "uneven": uneven(facts, found.rules or ()),
        "settings_not_default": changed(config, version_of(found.cluster_version or "")),
        "settings_members_differ": differing({name: own.values for name, own in found.members.items()}),
        "gc": gc_lines(facts, found),
        "versions": version_lines(facts, found),
    }


def _work(facts: TikvFacts, found: Scheduling, entity: str) -> tuple[dict[str, object], list[list[object]]]:
    """Return the operators counted, and each as a row, the oldest first."""
    operators = [one for one in found.operators or () if not entity or touches(one, entity)]
    records = [one for one in found.records or () if not entity or touches(one, entity)]
    counts: dict[str, object] = {
        "running": None if found.operators is None else len(operators),
        "by_kind": working(operators, facts),
        "recent": None if found.records is None else ended(records),
    }
    return counts, [operator_row(one, facts) for one in oldest_first(operators, facts.at)]


def _shown_work(work: dict[str, object], rows: list[list[object]]) -> dict[str, object]:
    part = without_empty(work)
    if rows:
        narrow = "narrow with of='store:4', all by evidence(id, path='/operators/rows')"
        part |= {"columns": COLUMNS, "oldest": Rows(rows[:ROWS], len(rows), narrow)}
    return part


def _says(facts: TikvFacts, found: Scheduling, blocked: list[str]) -> str:
    if facts.leader is None:
        return blocked[0]
    if found.operators is None or facts.config is None:
        return "Unknown in part: PD's operators or settings could not be read."
    running = f"{len(found.operators):,} operators under way" if found.operators else "No operator under way"
    if not blocked:
        return f"{running}; nothing blocks scheduling as far as PD shows."
    return (
        f"{running}; {len(blocked)} {'thing limits' if len(blocked) == 1 else 'things limit'} scheduling, see blocked."
    )


def _ends(facts: TikvFacts, found: Scheduling, entity: str) -> list[str]:
    """Return when what is under way ends, of one store or region where one is asked for."""
    if not entity:
        return ending(facts, found)
    own = facts.model_copy(update={"stores": tuple(store for store in facts.stores if store.entity == entity)})
    return ending(own, replace(found, operators=tuple(one for one in found.operators or () if touches(one, entity))))
