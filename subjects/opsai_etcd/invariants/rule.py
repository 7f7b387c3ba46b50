"""InvariantRule: one invariant, the entities it applies to, and its pure judge."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from opsai_etcd.limits import LIMITS
from opsai_etcd.seen import Look, Seen, figure
from opsai_subjects.invariant import Invariant, Verdict

Group = Literal["member", "cluster"]
NEEDS_METRICS = "No metric tells: set `prometheus`, or leave `scrape` on and wait for two scrapes."
NEEDS_MEMBERS = "No member answers from here: set `endpoints`, and map advertised addresses in `addresses`."


@dataclass(frozen=True)
class InvariantRule:
    """An invariant with its judge. A judge looks for the violation: seen is violated, absent is held."""

    invariant: Invariant
    group: Group
    look: Callable[[Look, str], Seen]

    def judge(self, look: Look, entity: str) -> Verdict:
        """Judge it on one entity. What was seen and is over is held again: signs keep the past, verdicts the present."""
        seen = self.look(look, entity)
        if seen.state == "unknown":
            state: Literal["held", "violated", "unknown"] = "unknown"
        else:
            state = "violated" if seen.state == "shown" and seen.active else "held"
        says = {
            "violated": seen.says or f"not so: {self.invariant.says}",
            "held": self.invariant.says,
            "unknown": seen.says,
        }[state]
        known = None if self.invariant.limit is None else look.limit(self.invariant.id)
        return Verdict(
            invariant=self.invariant.id,
            entity=entity,
            state=state,
            says=says,
            value=seen.value if state == "violated" else None,
            limit=seen.limit if state == "violated" and seen.limit is not None else known,
            unit=self.invariant.unit,
            source=self.invariant.source,
            since=seen.since if state == "violated" else None,
        )


def rule(
    group: Group,
    invariant_id: str,
    says: str,
    why: str,
    look: Callable[[Look, str], Seen],
    source: str,
    **more: Any,
) -> InvariantRule:
    """Return the rule of an invariant; its limit is the one of LIMITS."""
    base: dict[str, Any] = {
        "severity": "warning",
        "grade": "cause",
        "for_seconds": 20.0,
        "unknown_means": NEEDS_METRICS,
        "limit": LIMITS.get(invariant_id),
    }
    return InvariantRule(Invariant(id=invariant_id, says=says, why=why, source=source, **(base | more)), group, look)


def either(*looks: Callable[[Look, str], Seen]) -> Callable[[Look, str], Seen]:
    """Return a look that is shown when one of these is, unknown when none is and one is unknown."""

    def look(at: Look, entity: str) -> Seen:
        found = [one(at, entity) for one in looks]
        shown = next((seen for seen in found if seen.state == "shown" and seen.active), None)
        return shown or next((seen for seen in found if seen.state == "unknown"), found[0])

    return look


def above(invariant: str, signal: str, of: str, *, at_least: int = 3) -> Callable[[Look, str], Seen]:
    """Return a look for a signal that stands above the invariant's limit at so many points in a row; `of` is its unit."""

    def look(at: Look, entity: str) -> Seen:
        limit = at.limit(invariant)
        seen = at.when(signal, entity, lambda _, value: value > limit, at_least)
        if seen.state != "shown" or not isinstance(seen.value, float):
            return seen
        return Seen("shown", f"{signal} {figure(seen.value)}{of}", seen.active, round(seen.value, 4), limit, seen.since)

    return look
