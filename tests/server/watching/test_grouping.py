"""One parent for one cause: what joins, what leads, what stays apart."""

from tests.server.watching.looking import Looks, steps


def test_a_symptom_elsewhere_joins_the_open_cause() -> None:
    looks = Looks()
    looks.raised(("down", "n1"))
    looks.look(30, {("down", "n1"): "violated", ("slow", "n2"): "violated"})
    changes = looks.look(30, {("down", "n1"): "violated", ("slow", "n2"): "violated"})
    assert steps(changes) == [("T-2", "created"), ("T-2", "joined")]
    assert looks.of("slow", "n2").parent == "T-1"


def test_of_one_tick_the_cause_is_raised_first_and_the_rest_joins_it() -> None:
    looks = Looks()
    looks.raised(("blind", "n1"), ("slow", "n2"), ("down", "n1"))
    assert [(ticket.id, ticket.invariant, ticket.parent) for ticket in looks.tickets.values()] == [
        ("T-1", "down", None),
        ("T-2", "slow", "T-1"),
        ("T-3", "blind", "T-1"),
    ]


def test_a_cause_that_ripens_after_its_symptom_joins_it_and_leads() -> None:
    looks = Looks()
    looks.look(0, {("late", "n2"): "violated"})
    looks.look(30, {("late", "n2"): "violated", ("down", "n1"): "violated"})
    changes = looks.look(30, {("late", "n2"): "violated", ("down", "n1"): "violated"})
    assert steps(changes) == [("T-2", "created"), ("T-2", "joined"), ("T-1", "escalated")]
    parent = looks.of("late", "n2")
    assert (parent.parent, parent.lead, parent.headline, parent.severity) == (
        None,
        "T-2",
        "down is violated on n1",
        "critical",
    )
    assert parent.title == "late is violated on n2"


def test_a_second_cause_on_another_node_is_an_incident_of_its_own() -> None:
    looks = Looks()
    looks.raised(("down", "n1"), ("down", "n2"))
    assert [ticket.parent for ticket in looks.tickets.values()] == [None, None]


def test_a_second_cause_on_the_same_node_joins() -> None:
    looks = Looks()
    looks.raised(("full", "n1"))
    looks.repeat(2, {("full", "n1"): "violated", ("down", "n1"): "violated"})
    assert looks.of("down", "n1").parent == "T-1"
    assert looks.of("full", "n1").headline == "down is violated on n1"


def test_a_cause_explained_by_an_open_one_joins_it_from_another_node() -> None:
    looks = Looks()
    looks.raised(("down", "n1"))
    looks.repeat(2, {("down", "n1"): "violated", ("full", "n2"): "violated"})
    assert looks.of("full", "n2").parent == "T-1"
    assert looks.of("down", "n1").lead is None


def test_consequences_that_ripened_first_become_one_incident_with_what_explains_them() -> None:
    looks = Looks()
    looks.raised(("full", "n2"), ("full", "n3"))
    assert [ticket.parent for ticket in looks.open()] == [None, None]
    looks.repeat(2, {("full", "n2"): "violated", ("full", "n3"): "violated", ("down", "n1"): "violated"})
    parents = [ticket for ticket in looks.open() if ticket.parent is None]
    assert [(parent.id, parent.headline) for parent in parents] == [("T-1", "down is violated on n1")]
    assert {ticket.parent for ticket in looks.open()} == {None, "T-1"}
    assert looks.of("full", "n3").history[-1].says == "joined T-1: T-3 explains both"


def test_a_symptom_joins_the_incident_that_explains_it_best() -> None:
    looks = Looks()
    looks.raised(("down", "n1"), ("down", "n2"))
    both = {("down", "n1"): "violated", ("down", "n2"): "violated"}
    looks.repeat(2, {**both, ("slow", "n1"): "violated", ("slow", "n3"): "violated"})
    assert looks.of("slow", "n1").parent == looks.of("down", "n1").id
    assert looks.of("slow", "n3").parent == looks.of("down", "n2").id


def test_what_is_about_our_own_sight_does_not_join_another_nodes_incident() -> None:
    looks = Looks()
    looks.raised(("down", "n1"), ("blind", "n2"))
    assert looks.of("blind", "n2").parent is None


def test_a_cause_elsewhere_does_not_join_what_is_about_our_own_sight() -> None:
    looks = Looks()
    looks.raised(("blind", "n2"))
    looks.repeat(2, {("blind", "n2"): "violated", ("down", "n1"): "violated", ("slow", "n3"): "violated"})
    assert looks.of("down", "n1").parent is None
    assert looks.of("slow", "n3").parent == looks.of("down", "n1").id


def test_a_symptom_long_after_its_incident_was_last_violated_is_one_of_its_own() -> None:
    looks = Looks()
    looks.raised(("down", "n1"))
    looks.repeat(21, {("down", "n1"): "unknown"})
    looks.repeat(2, {("down", "n1"): "unknown", ("slow", "n2"): "violated"})
    assert looks.of("slow", "n2").parent is None


def test_a_parent_is_resolved_only_when_all_of_its_family_is() -> None:
    looks = Looks()
    looks.raised(("down", "n1"), ("slow", "n2"))
    looks.repeat(5, {("down", "n1"): "held", ("slow", "n2"): "violated"})
    assert looks.of("down", "n1").status == "created"
    changes = looks.repeat(3, {("down", "n1"): "held", ("slow", "n2"): "held"})
    assert steps(changes[-1]) == [("T-2", "resolved"), ("T-1", "resolved")]


def test_a_child_that_is_violated_again_reopens_its_incident_with_it() -> None:
    looks = Looks()
    looks.raised(("down", "n1"), ("slow", "n2"))
    looks.repeat(3, {("down", "n1"): "held", ("slow", "n2"): "held"})
    changes = looks.repeat(2, {("down", "n1"): "held", ("slow", "n2"): "violated"})
    assert steps(changes[-1]) == [("T-2", "reopened"), ("T-1", "reopened")]
    assert changes[-1].raised == ("T-2",)


def test_a_child_that_is_violated_again_while_another_incident_is_open_belongs_to_that_one() -> None:
    looks = Looks()
    looks.raised(("down", "n1"), ("slow", "n2"))
    looks.repeat(3, {("down", "n1"): "held", ("slow", "n2"): "held"})
    looks.raised(("down", "n3"))
    looks.repeat(2, {("down", "n3"): "violated", ("slow", "n2"): "violated"})
    again = looks.of("slow", "n2")
    assert (again.id, again.parent, again.recurs) == ("T-4", "T-3", "T-2")
    assert looks.of("down", "n1").status == "resolved"


def test_a_worse_symptom_makes_the_incident_worse_and_does_not_lead_it() -> None:
    looks = Looks()
    looks.raised(("full", "n1"))
    changes = looks.repeat(2, {("full", "n1"): "violated", ("slow", "n2"): "violated"})[-1]
    assert steps(changes)[-1] == ("T-1", "escalated")
    parent = looks.of("full", "n1")
    assert (parent.severity, parent.headline) == ("critical", "full is violated on n1")
