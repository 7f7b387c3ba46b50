"""Which member may be stopped, and by which names a member is known. The facts are made by hand."""

from typing import Any

import pytest

from opsai_etcd.facts import same_entity
from opsai_etcd.stopping import stop_risk
from opsai_etcd.strangers import foreign
from tests.etcd.scene import ALONE, CUT, REFUSED, facts


@pytest.mark.parametrize(
    ("members", "entity", "state"),
    [
        ({}, "etcd3", "safe"),
        ({}, "etcd1", "safe"),
        ({"etcd2": REFUSED}, "etcd3", "at_risk"),
        ({"etcd2": REFUSED}, "etcd2", "safe"),
        ({"etcd2": ALONE}, "etcd3", "at_risk"),
        ({"etcd2": CUT}, "etcd3", "at_risk"),
        ({"etcd2": {"port": "unknown"}}, "etcd3", "unknown"),
        ({"etcd4": {"is_learner": True}}, "etcd4", "safe"),
        ({"etcd4": {"started": False, "port": "unknown"}, "etcd2": REFUSED}, "etcd3", "at_risk"),
        ({}, "cluster", "at_risk"),
        ({}, "etcd9", "unknown"),
    ],
)
def test_a_stop_is_safe_only_where_a_majority_is_left_that_is_known_to_be_well(
    members: dict[str, dict[str, Any]], entity: str, state: str
) -> None:
    assert stop_risk(facts(members), entity).state == state


def test_nothing_is_safe_where_nobody_lists_the_members() -> None:
    assert stop_risk(facts(members_known=False), "etcd3").state == "unknown"


@pytest.mark.parametrize(
    "name",
    [
        "etcd3",
        "10.0.0.3:2379",
        "10.0.0.3:2380",
        "http://10.0.0.3:2379",
        "https://10.0.0.3:2380/",
        "c3",
        "195",
        "10.0.0.3",
    ],
)
def test_a_member_is_known_by_its_name_its_addresses_and_its_id(name: str) -> None:
    assert same_entity(facts(), name) == "etcd3"


@pytest.mark.parametrize("name", ["", "etcd", "10.0.0.9:2379", "http://", "ffff"])
def test_a_name_of_nobody_names_nobody(name: str) -> None:
    assert same_entity(facts(), name) is None


def test_series_of_another_cluster_are_told_by_their_instance_and_by_ids() -> None:
    ours = foreign(facts(), {"prom-etcd3": "etcd3"}, frozenset({"etcd_server_has_leader"}))

    assert ours({"instance": "10.0.0.1:2379"}) == ours({"instance": "prom-etcd3"}) == ""
    assert ours({"instance": "10.9.9.9:2379"}) == "instance 10.9.9.9:2379"
    assert ours({"instance": "10.0.0.1:2379", "Remote": "dead"}) == "Remote dead"
    assert foreign(facts(), {}, frozenset({"up"}))({"instance": "10.9.9.9:9100"}) == ""
    assert foreign(facts(members_known=False), {}, frozenset({"etcd_server_id"}))({"instance": "x"}) == ""
