"""A toy incident to conclude on: what is so, what is claimed, what comes of it."""

from collections.abc import Iterable

from opsai_server.concluding import Refusal, check_claims, conclude
from opsai_server.evidence import signs_value, verdicts_value
from opsai_server.grounds import Grounds
from opsai_server.tickets.diagnosis import Action, Claim, Conclusion, Outcome, RootCause, Submission
from opsai_subjects.differential import rank
from opsai_subjects.fault import FaultKind
from opsai_subjects.model import Unread
from opsai_subjects.subject import Risk
from tests.server.toy import KIND, ToyFacts, ToySubject, ToyWorld, toy_cluster

DOWN = Claim(says="part:a is gone", evidence_id="E-1", path="/signs/part:a/gone/state", op="==", value="shown")
WRONG = Claim(says="part:a is full", evidence_id="E-1", path="/signs/part:a/full/state", op="==", value="shown")
NOTHING = Action(do="Wait.", because="It is over.", verify="It stays so.", touches="nothing")
LOOK = Action(do="Look at its log.", because="It says why.", verify="It is read.", touches="nothing")


def down_world() -> ToyWorld:
    world = ToyWorld()
    world.parts["a"].up = False
    return world


def cause(kind: str = "toy_down", entity: str = "part:a") -> RootCause:
    return RootCause(kind=kind, entity=entity, explanation="It is gone.")


def submission(
    verdict: Outcome = "fault",
    *,
    causes: Iterable[RootCause] = (),
    claims: Iterable[Claim] = (DOWN,),
    action: Action = LOOK,
) -> Submission:
    return Submission(
        verdict=verdict, summary="It is so.", root_causes=tuple(causes), claims=tuple(claims), action=action
    )


async def facts_of(world: ToyWorld) -> tuple[ToySubject, ToyFacts]:
    subject = toy_cluster(world).subject
    assert isinstance(subject, ToySubject)
    return subject, await subject.facts()


async def judged(
    world: ToyWorld,
    handed_in: Submission,
    *,
    kinds: tuple[FaultKind, ...] = KIND.faults,
    over: bool = False,
    unread: tuple[Unread, ...] = (),
    risk: Risk | None = None,
) -> Conclusion | Refusal:
    """Conclude on what the world shows; `over`: all that is shown was so a while ago and is no more."""
    subject, facts = await facts_of(world)
    signs = subject.signs(facts)
    if over:
        signs = tuple(sign.model_copy(update={"active": sign.state != "shown"}) for sign in signs)
    verdicts = subject.judge(facts)
    groups = subject.groups(facts)
    grounds = Grounds(
        kinds={kind.id: kind for kind in kinds},
        invariants={invariant.id: invariant for invariant in KIND.invariants},
        groups=groups,
        signs=signs,
        differential=rank(kinds, signs, groups),
        verdicts=() if over else verdicts,
        unread=(*facts.unread, *unread),
        evidence_ids=frozenset({"E-1"}),
        same_entity=lambda name: subject.same_entity(facts, name),
        stop_risk=lambda entity: risk or subject.stop_risk(facts, entity),
    )
    evidence = {"E-1": {"signs": signs_value(signs), "verdicts": verdicts_value(verdicts)}}
    return conclude(handed_in, check_claims(handed_in, evidence), grounds)


async def accepted(world: ToyWorld, handed_in: Submission, **how: object) -> Conclusion:
    found = await judged(world, handed_in, **how)  # type: ignore[arg-type]  # passed on as they are
    assert isinstance(found, Conclusion), found
    return found


async def refused(world: ToyWorld, handed_in: Submission, **how: object) -> tuple[str, ...]:
    found = await judged(world, handed_in, **how)  # type: ignore[arg-type]  # passed on as they are
    assert isinstance(found, Refusal), found
    return found.corrections
