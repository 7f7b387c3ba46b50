"""Answers of real members (3.4.23, recorded in `answers/`), and what is not an answer of etcd."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsai_etcd.api.shapes import read_health, read_members, read_status, read_version
from opsai_subjects.errors import SourceMalformed
from opsai_subjects.sources.web import WebReply

ANSWERS = Path(__file__).parent / "answers"


def reply(body: bytes, status: int = 200) -> WebReply:
    return WebReply(status, body, "application/json", 0.01, "/a/path", "etcd 10.0.0.1:2379")


def recorded(name: str) -> WebReply:
    return reply((ANSWERS / f"{name}.json").read_bytes())


def test_members_are_read_with_ids_as_the_logs_write_them() -> None:
    members = {member.name: member for member in read_members(recorded("members"))}

    listed = {one["name"]: one for one in json.loads(recorded("members").text)["members"]}
    assert sorted(members) == ["etcd1", "etcd2", "etcd3"]
    for name, member in members.items():
        assert int(member.id, 16) == int(listed[name]["ID"])
        assert list(member.client_urls) == listed[name]["clientURLs"]
        assert not member.is_learner


def test_a_member_that_was_added_and_never_started_has_no_name_and_no_client_url() -> None:
    added = [member for member in read_members(recorded("members_learner")) if not member.name]

    assert [(one.client_urls, one.is_learner) for one in added] == [((), True)]


def test_a_leaders_status_names_itself() -> None:
    status = read_status(recorded("status_leader"))

    assert status.leader_id == status.member_id != ""
    assert (status.version, status.alarms, status.errors, status.is_learner) == ("3.4.23", (), (), False)
    assert status.raft_index == status.applied_index


def test_without_a_majority_a_status_names_no_leader_and_keeps_the_alarms() -> None:
    status = read_status(recorded("status_no_leader"))

    assert status.leader_id == ""
    assert status.errors == ("“etcdserver: no leader”",)
    assert {alarm.kind for alarm in status.alarms} == {"NOSPACE"}


def test_alarms_are_read_with_the_member_they_are_of() -> None:
    members = {member.id for member in read_members(recorded("members"))}

    alarms = read_status(recorded("status_nospace")).alarms

    assert len(alarms) == 2
    assert {alarm.member_id for alarm in alarms} < members


def test_a_learner_says_that_it_is_one() -> None:
    assert read_status(recorded("status_learner")).is_learner


@pytest.mark.parametrize(
    ("name", "healthy"), [("health", True), ("health_nospace", False), ("health_no_leader", False)]
)
def test_health_is_read_as_true_or_false(name: str, healthy: bool) -> None:
    assert read_health(recorded(name))[0] is healthy


def test_the_health_of_newer_versions_brings_its_reason() -> None:
    body = b'{"health":"false","reason":"RAFT NO LEADER"}'  # made by hand after etcdhttp/health.go, 3.5

    assert read_health(reply(body)) == (False, "“RAFT NO LEADER”")


def test_versions_are_read() -> None:
    assert read_version(recorded("version")) == ("3.4.23", "3.4.0")


@pytest.mark.parametrize(
    "body", [b"", b"<html>login</html>", b"[]", b"{}", b'{"status":"ok"}', b'{"header":3}', b'{"header":{}', b"null"]
)
def test_what_is_no_answer_of_etcd_is_told_with_who_was_asked_for_what(body: bytes) -> None:
    for read in (read_members, read_version):
        with pytest.raises(SourceMalformed, match=r"Asked etcd 10\.0\.0\.1:2379 for /a/path"):
            read(reply(body))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["header", "members", "errors", "leader", "ID", "name", "member_id", "health", "dbSize"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(JSON)
def test_any_json_is_read_or_refused_as_malformed(value: object) -> None:
    for read in (read_members, read_status, read_version, read_health):
        try:
            read(reply(json.dumps(value).encode()))
        except SourceMalformed:
            continue
