"""Stores that placement lets only follow, and TiFlash, are asked for no leaders and are nobody's peers in that."""

import pytest
from pydantic import JsonValue

from opsai_tikv.invariants import judge
from opsai_tikv.pd.client import V1
from opsai_tikv.pd.values import Constraint, Rule
from opsai_tikv.roles import may_lead
from opsai_tikv.seen import Look
from tests.tikv.cluster import healthy, store, subject

pytestmark = pytest.mark.anyio


def placed(role: str, *constraints: str) -> Rule:
    asked = [text.split(" ") for text in constraints]
    told = tuple(Constraint(key=key, op=op, values=tuple(values)) for key, op, *values in asked)
    return Rule(group_id="pd", id=role, role=role, count=3, constraints=told)


VOTERS_IN_A = placed("voter", "zone in a b")
FOLLOWERS_IN_C = placed("follower", "zone in c")


@pytest.mark.parametrize(
    ("labels", "rules", "leads"),
    [
        ({}, None, True),
        ({}, (), True),
        ({}, (placed("voter"),), True),
        ({"zone": "a"}, (VOTERS_IN_A, FOLLOWERS_IN_C), True),
        ({"zone": "c"}, (VOTERS_IN_A, FOLLOWERS_IN_C), False),
        ({}, (VOTERS_IN_A,), False),
        ({"zone": "c"}, (placed("leader", "zone notIn a"),), True),
        ({"disk": "ssd"}, (placed("voter", "disk exists"),), True),
        ({"disk": "ssd"}, (placed("voter", "disk notExists"),), False),
        ({"$own": "x"}, (placed("voter"),), False),
        ({"$own": "x"}, (placed("voter", "$own in x"),), True),
        ({"zone": "a"}, (placed("learner"),), False),
    ],
)
def test_a_store_may_lead_where_a_rule_lets_it(
    labels: dict[str, str], rules: tuple[Rule, ...] | None, leads: bool
) -> None:
    assert may_lead(labels, rules, {}) is leads


def test_a_label_property_rejects_leaders() -> None:
    config = {"label-property.reject-leader.0.key": "zone", "label-property.reject-leader.0.value": "c"}

    assert may_lead({"zone": "c"}, None, config) is False
    assert may_lead({"zone": "a"}, None, config) is True


async def test_stores_that_only_follow_take_no_share_of_the_leaders() -> None:
    def of(number: str, leaders: int, **labels: str) -> JsonValue:
        told = store(number, leader_count=leaders)
        meta = told["store"]
        assert isinstance(meta, dict)
        meta["labels"] = [{"key": key, "value": value} for key, value in labels.items()]
        return told

    listed: list[JsonValue] = [
        of("1", 45, zone="a"),
        of("4", 45, zone="a"),
        of("5", 0, zone="c"),
        of("9", 0, engine="tiflash"),
    ]
    rules: list[JsonValue] = [
        {"group_id": "pd", "id": role, "role": role, "count": 2, "label_constraints": [constraint]}
        for role, constraint in (
            ("voter", {"key": "zone", "op": "in", "values": ["a"]}),
            ("follower", {"key": "zone", "op": "in", "values": ["c"]}),
        )
    ]
    answers = {f"{V1}/stores": {"count": 4, "stores": listed}, f"{V1}/config/rules": rules}
    async with subject(healthy(**answers)) as found:
        facts = await found.facts()

    assert {one.entity: one.may_lead for one in facts.data_stores} == {
        "store:1": True,
        "store:4": True,
        "store:5": False,
    }
    states = {one.entity: one.state for one in judge(facts) if one.invariant == "leaders_spread"}
    assert states == {"store:1": "held", "store:4": "held", "store:5": "held"}
    assert Look(facts).peers_of("store:1") == ("store:4",)
    assert Look(facts).peers_of("store:5") == ()
