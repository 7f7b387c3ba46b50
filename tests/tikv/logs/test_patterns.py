"""Decisive messages are known by their text, in any version, and nothing else is."""

from datetime import UTC, datetime

import pytest

from opsai_subjects.model import ParsedLine
from opsai_tikv.logs.every import PATTERNS, by_id, classify, texts
from opsai_tikv.logs.lines import parse_log


def line(rest: str, level: str = "INFO") -> ParsedLine:
    found = parse_log(f"[2026/08/20 10:00:00.123 +08:00] [{level}] [any.rs:1] {rest}")
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("rest", "expected"),
    [
        ('["Welcome to TiKV"]', ("welcome",)),
        ('["Welcome to Placement Driver (PD)"]', ("welcome",)),
        ('["receive signal 15, stopping server..."]', ("signal_stop",)),
        ('["receive signal 15, starting graceful shutdown..."]', ("signal_stop",)),
        ('["starting a new election"] [term=8]', ("election_start",)),
        ('["became pre-candidate at term 8"]', ("election_timeout",)),
        ('["became leader at term 9"]', ("became_leader",)),
        ('["[term 9] starts to transfer leadership to 12"]', ("transfer_leader",)),
        ('["stepped down to follower since quorum is not active"]', ("quorum_inactive",)),
        ('["[logterm: 4] ignored vote from 30 [logterm: 4]: lease is not expired"]', ("vote_ignored",)),
        ('["connection abort"] [addr=a:1]', ("connection_aborted",)),
        ('["connection aborted"] [addr=a:1]', ("connection_aborted",)),
        ('["wait connect timeout"] [store_id=4]', ("connect_timeout",)),
        ('["failed to connect to PD member"] [endpoints=http://a:1]', ("pd_connect_failed",)),
        ('["connect failed"] [endpoints=http://a:1]', ("pd_connect_failed",)),
        ('["subchannel 0x1: connect failed (UNAVAILABLE)"]', ()),
        ('["request failed, retry"] [err="Grpc(..)"]', ("pd_request_failed",)),
        ('["[store 4] async write too slow, write_kv: 0.2s"]', ("slow_async_write",)),
        ('["disk usage Normal->AlmostFull (raft engine usage: Normal)"]', ("disk_usage_changed",)),
        ('["reported disk usage changes Normal -> AlmostFull"]', ("disk_usage_reported",)),
        ('["logger encounter error, TiKV cannot continue working"] [err="No space left on device (os error 28)"]', ("no_space",)),
        ('["start to campaign PD leader"]', ("campaign",)),
        ('["start to campaign pd leader"]', ("campaign",)),
        ('["PD leader is ready to serve"] [leader-name=a]', ("pd_leader_ready",)),
        ('["PD cluster leader is ready to serve"]', ("pd_leader_ready",)),
        ('["no longer a leader because lease has expired, pd leader will step down"]', ("lease_expired", "pd_leader_resigned")),
        ('["slow fdatasync"] [took=4.1s]', ("slow_fdatasync",)),
        ('["leader failed to send out heartbeat on time; took too long, leader is overloaded likely from slow disk"]', ("heartbeat_overload",)),
        ('["raft.node: ab lost leader cd at term 3"]', ("etcd_leader_lost",)),
        ('["add scheduler successfully"] [scheduler-name=evict-leader-scheduler]', ("scheduler_added",)),
        ('["scheduler has been stopped"] [scheduler-name=x]', ("scheduler_removed",)),
        ('["schedule config is updated"] [new="{}"]', ("config_changed",)),
        ('["scheduler config is updated"]', ()),
        ('["operator timeout"] [region-id=1]', ("operator_timeout",)),
        ('["leader changed"] [region-id=1] [from=1] [to=4]', ("region_leader_changed",)),
        ('["pd leader has changed, try to re-campaign a pd leader"]', ()),
        ('["system time jumped back, 5.1 -> 4.9"]', ("clock_jump",)),
        ('["system time jumps backward"]', ("clock_jump",)),
        ('["monotonic time jumped back, 5.1 -> 4.9"]', ()),
        ('["TiKV started"]', ()),
    ],
)  # fmt: skip
def test_a_message_is_known_by_its_text(rest: str, expected: tuple[str, ...]) -> None:
    assert classify(line(rest)) == expected
    assert classify(line(rest, "WARN")) == expected, "the level differs between versions"


def test_a_fatal_line_is_one_whatever_it_says() -> None:
    assert classify(line('["to_commit 9 is out of range [last_index 7]"]', "FATAL")) == ("panic", "fatal")
    assert classify(line('["never seen before"]', "FATAL")) == ("fatal",)


def test_every_pattern_can_be_searched_for_and_told() -> None:
    ids = [pattern.id for pattern in PATTERNS]

    assert len(ids) == len(set(ids))
    for pattern in PATTERNS:
        assert by_id(pattern.id) is pattern
        assert pattern.contains or pattern.id == "fatal"
        assert all("\\" not in text and '"' not in text for text in pattern.contains), "they stand so in a raw line"
    assert set(texts(["welcome"])) == {"Welcome to TiKV", "Welcome to Placement Driver"}
    assert set(texts()) >= set(texts(["slow_fdatasync", "campaign"]))


def test_a_line_without_a_decisive_text_is_of_no_pattern() -> None:
    assert classify(ParsedLine(datetime(2026, 1, 1, tzinfo=UTC), "INFO", "", "", {})) == ()
