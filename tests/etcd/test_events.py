"""What happened, as the lines of real members (3.4.23) tell it."""

from datetime import datetime

from opsai_etcd.events.lines import leader_events, read_lines
from opsai_etcd.logs.lines import parse_log
from opsai_subjects.model import LogLine

IDS = {"a1": "etcd1", "b2": "etcd2", "c3": "etcd3"}
NODES = {name: name for name in ("etcd1", "etcd2", "etcd3")}


def line(node: str, second: float, message: str, **fields: str) -> LogLine:
    more = "".join(f',"{name.replace("_", "-")}":"{value}"' for name, value in fields.items())
    text = f'{{"level":"info","ts":"2026-11-24T11:00:{second:06.3f}Z","caller":"a.go:1","msg":"{message}"{more}}}'
    read = parse_log(text)
    assert read is not None
    return LogLine(node, read.at, read.level, read.message, read.fields, text)


def at(second: int) -> datetime:
    return line("etcd1", second, "x").at


def test_a_change_of_leader_is_told_once_with_from_to_and_term() -> None:
    lines = [
        line(node, second, f"raft.node: {who} {what} at term 23")
        for node, who in (("etcd1", "a1"), ("etcd3", "c3"))
        for second, what in ((1.0, "lost leader b2"), (1.2, "elected leader c3"))
    ]

    (event,) = leader_events(lines, IDS)

    assert (event.kind, event.entity, event.says) == (
        "leader_change",
        "etcd3",
        "the leadership passed from etcd2 to etcd3 (term 23)",
    )


def test_a_leadership_that_is_handed_over_is_a_change_too() -> None:
    # the line as raft/node.go of 3.4 words it, made by hand
    (event,) = leader_events([line("etcd1", 1, "raft.node: a1 changed leader from b2 to c3 at term 7")], IDS)

    assert event.says == "the leadership passed from etcd2 to etcd3 (term 7)"


def test_starts_are_told_from_restarts_in_order_and_after_a_death() -> None:
    lines = [
        line("etcd1", 0, "starting an etcd server"),
        line("etcd1", 10, "received signal; shutting down", signal="terminated"),
        line("etcd1", 20, "starting an etcd server"),
        line("etcd1", 30, "starting an etcd server"),
    ]

    found = read_lines(lines, NODES, IDS)

    assert [(event.kind, event.at) for event in found] == [
        ("start", at(0)),
        ("stop", at(10)),
        ("orderly_restart", at(20)),
        ("crash_restart", at(30)),
    ]


def test_a_lost_peer_is_named_and_told_once_for_both_of_its_streams() -> None:
    lines = [
        line("etcd1", 1.0, "peer became inactive (message send to peer failed)", peer_id="c3"),
        line("etcd1", 1.1, "peer became inactive (message send to peer failed)", peer_id="c3"),
        line("etcd1", 30.0, "peer became active", peer_id="c3"),
    ]

    found = read_lines(lines, NODES, IDS)

    assert [(event.kind, event.says) for event in found] == [
        ("peer_inactive", "etcd1: it lost a peer (etcd3)"),
        ("peer_active", "etcd1: it has a peer again (etcd3)"),
    ]


def test_members_that_a_starting_member_reads_from_its_log_were_not_added_now() -> None:
    lines = [
        line("etcd1", 0, "starting an etcd server"),
        line("etcd1", 1, "added member", added_peer_id="b2"),
        line("etcd1", 40, "added member", added_peer_id="c3"),
    ]

    added = [event for event in read_lines(lines, NODES, IDS) if event.kind == "member_added"]

    assert [event.at for event in added] == [at(40)]


def test_an_alarm_is_told_with_its_member() -> None:
    text = line("etcd1", 1, "alarm raised", alarm="NOSPACE")
    raised = LogLine(text.node, text.at, text.level, text.message, {**text.fields, "from": "c3"}, text.text)

    (event,) = read_lines([raised], NODES, IDS)

    assert (event.kind, event.says) == ("alarm_raised", "etcd1: an alarm was raised: NOSPACE for etcd3")


def test_many_slow_requests_are_one_event_with_their_number() -> None:
    lines = [line("etcd1", second, "apply request took too long", took="400ms") for second in range(12)]

    (event,) = read_lines(lines, NODES, IDS)

    assert (event.kind, event.count) == ("slow_apply_burst", 12)
