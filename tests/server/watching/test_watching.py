"""From violation to ticket and back, on one key."""

from opsai_server.watching import PENDING_GAP_SECONDS
from tests.server.watching.looking import ALL, DOWN, Looks, steps

KEY = ("down", "n1")


def test_a_violation_is_raised_when_it_has_lasted_and_not_before() -> None:
    looks = Looks()
    assert steps(looks.look(0, {KEY: "violated"})) == []
    assert steps(looks.look(29, {KEY: "violated"})) == []
    assert steps(looks.look(1, {KEY: "violated"})) == [("T-1", "created")]
    ticket = looks.of(*KEY)
    assert (ticket.raised_at - ticket.violated_at).total_seconds() == 30


def test_an_invariant_that_may_not_last_at_all_is_raised_at_first_sight() -> None:
    looks = Looks()
    assert steps(looks.look(0, {("late", "n1"): "violated"})) == [("T-1", "created")]


def test_a_held_verdict_between_makes_a_violation_begin_anew() -> None:
    looks = Looks()
    looks.look(0, {KEY: "violated"})
    looks.look(30, {KEY: "held"})
    assert steps(looks.look(30, {KEY: "violated"})) == []
    assert steps(looks.look(30, {KEY: "violated"})) == [("T-1", "created")]


def test_an_unknown_verdict_neither_ends_a_pending_violation_nor_ripens_it() -> None:
    looks = Looks()
    looks.look(0, {KEY: "violated"})
    assert steps(looks.look(60, {KEY: "unknown"})) == []
    assert steps(looks.look(30, {KEY: "violated"})) == [("T-1", "created")]
    ticket = looks.of(*KEY)
    assert (ticket.raised_at - ticket.violated_at).total_seconds() == 90


def test_a_violation_that_nobody_looked_at_for_long_begins_anew() -> None:
    looks = Looks()
    looks.look(0, {KEY: "violated"})
    assert steps(looks.look(PENDING_GAP_SECONDS + 1, {KEY: "violated"})) == []


def test_a_violation_that_goes_on_refreshes_its_ticket_and_makes_no_second_one() -> None:
    looks = Looks()
    looks.raised(KEY)
    changes = looks.look(30, {KEY: "violated"})
    assert (steps(changes), changes.raised) == ([], ())
    (ticket,) = looks.tickets.values()
    assert ticket.last_violated_at == looks.at


def test_a_ticket_is_resolved_after_it_was_held_for_the_hold_time() -> None:
    looks = Looks()
    looks.raised(KEY)
    assert steps(looks.look(30, {KEY: "held"})) == []
    assert steps(looks.look(30, {KEY: "held"})) == []
    assert steps(looks.look(30, {KEY: "held"})) == [("T-1", "resolved")]
    assert looks.of(*KEY).resolved_at == looks.at


def test_an_unknown_verdict_starts_the_hold_time_anew_and_never_resolves() -> None:
    looks = Looks()
    looks.raised(KEY)
    looks.repeat(2, {KEY: "held"})
    looks.repeat(20, {KEY: "unknown"})
    assert looks.of(*KEY).status == "created"
    assert [steps(changes) for changes in looks.repeat(3, {KEY: "held"})] == [[], [], [("T-1", "resolved")]]


def test_no_verdict_at_all_never_resolves() -> None:
    looks = Looks()
    looks.raised(KEY)
    looks.repeat(20, {})
    assert looks.of(*KEY).status == "created"


def test_an_entity_that_was_taken_out_resolves_its_ticket_while_the_others_are_held() -> None:
    looks = Looks()
    looks.raised(KEY)
    looks.nodes = ("n2", "n3")
    changes = looks.repeat(3, {("down", "n2"): "held"})
    assert steps(changes[-1]) == [("T-1", "resolved")]
    assert "n1 is no longer there" in looks.of(*KEY).history[-1].says


def test_an_entity_missing_from_verdicts_and_nodes_keeps_its_ticket_while_the_others_are_unknown() -> None:
    looks = Looks()
    looks.raised(KEY)
    looks.nodes = ()
    looks.repeat(20, {("down", "n2"): "unknown"})
    assert looks.of(*KEY).status == "created"


def test_a_ticket_of_an_invariant_that_is_gone_is_resolved_with_that_reason() -> None:
    looks = Looks()
    looks.raised(KEY)
    looks.invariants = tuple(invariant for invariant in ALL if invariant is not DOWN)
    looks.repeat(3, {})
    assert "no longer judged" in looks.of(*KEY).history[-1].says


def test_a_violation_soon_after_the_resolution_reopens_the_ticket() -> None:
    looks = Looks()
    looks.raised(KEY)
    looks.repeat(3, {KEY: "held"})
    looks.look(600, {KEY: "violated"})
    changes = looks.look(30, {KEY: "violated"})
    assert (steps(changes), changes.raised) == ([("T-1", "reopened")], ("T-1",))
    ticket = looks.of(*KEY)
    assert (ticket.status, ticket.resolved_at, ticket.held_since) == ("created", None, None)


def test_a_violation_long_after_the_resolution_is_a_new_ticket_that_names_the_old_one() -> None:
    looks = Looks()
    looks.raised(KEY)
    looks.repeat(3, {KEY: "held"})
    looks.look(1801, {KEY: "violated"})
    assert steps(looks.look(30, {KEY: "violated"})) == [("T-2", "created")]
    assert looks.of(*KEY).recurs == "T-1"


def test_a_reopened_ticket_still_needs_the_violation_to_last() -> None:
    looks = Looks()
    looks.raised(KEY)
    looks.repeat(3, {KEY: "held"})
    assert steps(looks.look(30, {KEY: "violated"})) == []


def test_a_clock_set_back_delays_nothing() -> None:
    looks = Looks()
    looks.look(0, {KEY: "violated"})
    looks.look(-3600, {KEY: "violated"})
    assert steps(looks.look(30, {KEY: "violated"})) == [("T-1", "created")]
    looks.look(30, {KEY: "held"})
    looks.look(-3600, {KEY: "held"})
    assert steps(looks.look(60, {KEY: "held"})) == [("T-1", "resolved")]


def test_two_verdicts_for_one_key_count_as_the_worse_one() -> None:
    looks = Looks()
    looks.raised(KEY)
    for _ in range(4):
        looks.look(30, {KEY: "held"}, {KEY: "unknown"})
        looks.look(30, {KEY: "violated"}, {KEY: "held"})
    assert looks.of(*KEY).held_since is None


def test_the_title_names_the_entity_also_where_the_verdict_does_not() -> None:
    looks = Looks()
    ticket = looks.raised(KEY)[0]
    assert ticket.title == ticket.headline == "down is violated on n1"
