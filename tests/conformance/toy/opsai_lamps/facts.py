"""What is known of the lamps at one instant, and what of it must hold. Pure."""

from opsai_subjects.fault import FaultKind, Sign, SignSpec
from opsai_subjects.invariant import Invariant, Verdict
from opsai_subjects.model import Value
from opsai_subjects.subject import Facts, Risk

LIT = Invariant(
    id="lamp_lit",
    says="Every lamp is lit.",
    why="Under a dark lamp nobody sees the kerb.",
    severity="critical",
    grade="cause",
    for_seconds=0,
    source="/lamps: `lit`",
    unknown_means="Nobody could say whether it is lit; it may be.",
)
COOL = Invariant(
    id="lamp_cool",
    says="No lamp is hotter than its glass bears.",
    why="The glass cracks, and the lamp goes out.",
    severity="warning",
    grade="symptom",
    for_seconds=60,
    unit="°C",
    limit=90.0,
    source="/lamps: `celsius`; the maker's sheet",
    unknown_means="Nobody measured it.",
)
DARK = SignSpec(id="dark", says="it gives no light")
OUT = FaultKind(
    id="lamp_out",
    says="The bulb is gone.",
    on="lamp",
    must_show=("dark",),
    do="Change the bulb.",
    because="A bulb that is gone does not come back.",
    verify="lamp_lit is held for it.",
    touches="resources",
)


class Lamp(Value):
    """One lamp, as the first one tells of it; None: it did not say."""

    entity: str
    address: str
    lit: bool | None = None
    celsius: float | None = None


class StreetFacts(Facts):
    """The street at one instant."""

    lamps: tuple[Lamp, ...]


def judge(facts: StreetFacts, hottest: float) -> tuple[Verdict, ...]:
    """Judge both invariants on every lamp."""
    return tuple(verdict for lamp in facts.lamps for verdict in (_lit(lamp), _cool(lamp, hottest)))


def _lit(lamp: Lamp) -> Verdict:
    state = "unknown" if lamp.lit is None else "held" if lamp.lit else "violated"
    says = {"unknown": "nobody says whether it is lit", "held": "it is lit", "violated": "it is dark"}[state]
    return Verdict(invariant=LIT.id, entity=lamp.entity, state=state, says=says, source="/lamps")


def _cool(lamp: Lamp, hottest: float) -> Verdict:
    if lamp.celsius is None:
        return Verdict(
            invariant=COOL.id, entity=lamp.entity, state="unknown", says="nobody measured it", unit=COOL.unit
        )
    state = "held" if lamp.celsius <= hottest else "violated"
    return Verdict(
        invariant=COOL.id,
        entity=lamp.entity,
        state=state,
        says=f"it has {lamp.celsius:g} °C",
        value=lamp.celsius,
        limit=hottest,
        unit=COOL.unit,
        source="/lamps",
    )


def signs(facts: StreetFacts) -> tuple[Sign, ...]:
    """Say of every lamp whether it gives light."""
    return tuple(
        Sign(
            id=DARK.id,
            entity=lamp.entity,
            state="unknown" if lamp.lit is None else "absent" if lamp.lit else "shown",
            says="nobody says whether it is lit"
            if lamp.lit is None
            else "it is lit"
            if lamp.lit
            else "it gives no light",
            source="/lamps",
        )
        for lamp in facts.lamps
    )


def stop_risk(facts: StreetFacts, entity: str) -> Risk:
    """A lamp may be taken down where every other one is lit."""
    others = [lamp.lit for lamp in facts.lamps if lamp.entity != entity]
    if not others or None in others:
        return Risk(state="unknown", says="not every other lamp is known to be lit")
    return Risk(
        state="safe" if all(others) else "at_risk", says=f"{sum(map(bool, others))} of {len(others)} others are lit"
    )
