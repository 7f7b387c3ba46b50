"""Whatever is seen in whatever order, the tickets stay in order."""

from collections.abc import Mapping

from hypothesis import given, settings
from hypothesis import strategies as st

from opsai_server.grouping import GRADES, SEVERITIES
from opsai_server.tickets.tick import Changes, Key
from tests.server.watching.looking import ALL, Looks

ENTITIES = ("n1", "n2", "n3", "elsewhere")
KEYS = [(invariant.id, entity) for invariant in ALL for entity in ENTITIES]

verdicts = st.dictionaries(
    st.sampled_from(KEYS), st.sampled_from(("held", "violated", "violated", "unknown")), max_size=len(KEYS)
)
seconds = st.sampled_from((0.0, 1.0, 30.0, 30.0, 30.0, 61.0, 700.0, 2000.0, -100.0))
nodes = st.sampled_from((ENTITIES[:3], ENTITIES[:3], ENTITIES[:2], ()))
looks_of = st.lists(st.tuples(seconds, verdicts, nodes), max_size=25)


@settings(max_examples=150, deadline=None)
@given(looks_of)
def test_the_tickets_stay_in_order_whatever_is_seen(seen: list[tuple[float, dict[Key, str], tuple[str, ...]]]) -> None:
    looks = Looks()
    for after, states, present in seen:
        before = dict(looks.tickets)
        looks.nodes = present
        changes = looks.look(after, states)
        check_keys_and_ids(looks, set(before))
        check_families(looks)
        check_transitions(looks, changes)
        for ident, ticket in looks.tickets.items():
            was_open = ident in before and before[ident].status != "resolved"
            if was_open and ticket.status == "resolved":
                check_may_resolve((ticket.invariant, ticket.entity), states, present)


@settings(max_examples=50, deadline=None)
@given(looks_of)
def test_the_same_looks_give_the_same_tickets(
    seen: list[tuple[float, dict[Key, str], tuple[str, ...]]],
) -> None:
    first, second = Looks(), Looks()
    for after, states, present in seen:
        first.nodes = second.nodes = present
        assert first.look(after, states) == second.look(after, dict(reversed(states.items())))


@settings(max_examples=50, deadline=None)
@given(looks_of)
def test_once_everything_is_held_everything_is_resolved(
    seen: list[tuple[float, dict[Key, str], tuple[str, ...]]],
) -> None:
    looks = Looks()
    for after, states, present in seen:
        looks.nodes = present
        looks.look(after, states)
    looks.repeat(4, dict.fromkeys(KEYS, "held"), every_seconds=40)
    assert (looks.open(), looks.pending) == ([], ())


def check_keys_and_ids(looks: Looks, before: set[str]) -> None:
    keys = [(ticket.invariant, ticket.entity) for ticket in looks.open()]
    assert len(keys) == len(set(keys)), "two open tickets with one key"
    assert not {(one.invariant, one.entity) for one in looks.pending} & set(keys), "pending and open at once"
    assert set(looks.tickets) == {f"T-{number}" for number in range(1, len(looks.tickets) + 1)}
    assert before <= set(looks.tickets)


def check_families(looks: Looks) -> None:
    for ticket in looks.tickets.values():
        if ticket.parent is None:
            family = [ticket, *(other for other in looks.tickets.values() if other.parent == ticket.id)]
            lead = looks.tickets[ticket.lead or ticket.id]
            assert lead in family, "led by a stranger"
            assert ticket.headline == lead.title
            assert GRADES.index(lead.grade) == min(GRADES.index(member.grade) for member in family)
            assert ticket.severity == min((member.severity for member in family), key=SEVERITIES.index)
        else:
            parent = looks.tickets[ticket.parent]
            assert parent.parent is None, "a child of a child"
            assert ticket.lead is None
            assert ticket.status == "resolved" or parent.status != "resolved", "an open child of a resolved parent"


def check_transitions(looks: Looks, changes: Changes) -> None:
    for ident, transition in changes.steps:
        assert transition in looks.tickets[ident].history
    for ticket in looks.tickets.values():
        assert ticket.history[0].step == "created"
        last = [step.step for step in ticket.history if step.step in ("created", "resolved", "reopened")][-1]
        assert (ticket.status == "resolved") == (last == "resolved")
        assert (ticket.status == "resolved") == (ticket.resolved_at is not None)


def check_may_resolve(key: Key, states: Mapping[Key, str], present: tuple[str, ...]) -> None:
    if key in states:
        assert states[key] == "held"
        return
    assert key[1] not in present
    assert any(state == "held" for other, state in states.items() if other[0] == key[0])
