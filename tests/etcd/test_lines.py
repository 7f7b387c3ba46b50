"""Log lines of etcd in all its grammars. Those of 3.4.23 are real; the one in zap's console form is made by hand."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsai_etcd.logs.lines import parse_log
from opsai_etcd.logs.patterns import PATTERNS, classify, texts

ZAP_LOST = (
    '{"level":"warn","ts":"2026-11-24T11:57:15.296Z","caller":"rafthttp/peer_status.go:68","msg":"peer became inactive '
    '(message send to peer failed)","peer-id":"f4dfb329261d9980","error":"failed to read f4dfb329261d9980 on stream Message '
    '(unexpected EOF)"}'
)
ZAP_RAFT_LOST = (
    '{"level":"info","ts":"2026-11-24T11:59:00.799Z","caller":"raft/node.go:333","msg":"raft.node: 9dcf267dceb56a1a lost '
    'leader f68052df4bdb98c8 at term 23"}'
)
CAPNS_LOST = (
    "2026-11-24 12:10:07.969101 I | rafthttp: peer f4dfb329261d9980 became inactive (message send to peer failed)"
)
CAPNS_HEALTH = "2026-11-24 11:58:33.142242 W | etcdserver/api/etcdhttp: /health error; no leader (status code 503)"
RAFT_LOST = "raft2026/11/24 12:10:07 INFO: raft.node: 9dcf267dceb56a1a lost leader f4dfb329261d9980 at term 3"
CONSOLE = (
    '2026-11-24T11:57:15.296Z\twarn\trafthttp/peer_status.go:68\tpeer became inactive\t{"peer-id": "f4dfb329261d9980"}'
)
ALARM = (
    '{"level":"warn","ts":"2026-11-24T11:59:18.434Z","caller":"etcdserver/apply.go:636","msg":"alarm raised",'
    '"alarm":"NOSPACE","from":"f4dfb329261d9980"}'
)
OFFSET = '{"level":"info","ts":"2026-11-24T13:57:15.296+0200","caller":"a.go:1","msg":"ready to serve client requests"}'


@pytest.mark.parametrize(
    ("line", "at", "level", "source", "pattern", "about"),
    [
        (ZAP_LOST, "11:57:15.296", "WARN", "rafthttp/peer_status.go:68", "peer_inactive", "f4dfb329261d9980"),
        (ZAP_RAFT_LOST, "11:59:00.799", "INFO", "raft/node.go:333", "leader_lost", "f68052df4bdb98c8"),
        (CAPNS_LOST, "12:10:07.969101", "INFO", "rafthttp", "peer_inactive", "f4dfb329261d9980"),
        (CAPNS_HEALTH, "11:58:33.142242", "WARN", "etcdserver/api/etcdhttp", None, None),
        (RAFT_LOST, "12:10:07", "INFO", "raft", "leader_lost", "f4dfb329261d9980"),
        (CONSOLE, "11:57:15.296", "WARN", "rafthttp/peer_status.go:68", "peer_inactive", "f4dfb329261d9980"),
        (ALARM, "11:59:18.434", "WARN", "etcdserver/apply.go:636", "alarm_raised", "f4dfb329261d9980"),
        (OFFSET, "11:57:15.296", "INFO", "a.go:1", None, None),
        (
            f"Nov 24 11:57:15 host etcd[12]: {ZAP_LOST}",
            "11:57:15.296",
            "WARN",
            "rafthttp/peer_status.go:68",
            "peer_inactive",
            "f4dfb329261d9980",
        ),
    ],
)
def test_a_line_is_read_with_its_time_and_what_it_says(
    line: str, at: str, level: str, source: str, pattern: str | None, about: str | None
) -> None:
    read = parse_log(line)

    assert read is not None
    assert read.at == datetime.fromisoformat(f"2026-11-24T{at}").replace(tzinfo=UTC)
    assert (read.level, read.source) == (level, source)
    assert classify(read) == ({} if pattern is None else {pattern: about})


@pytest.mark.parametrize(
    "line",
    [
        "",
        "goroutine 1 [running]:",
        "\tmain.main()",
        "[WARNING] Deprecated '--logger=capnslog' flag is set",
        '{"a":1}',
        "{",
    ],
)
def test_a_line_that_begins_no_entry_continues_the_one_before(line: str) -> None:
    assert parse_log(line) is None


def test_a_line_that_is_cut_off_keeps_its_time_and_its_text() -> None:
    read = parse_log(ZAP_LOST[:150])

    assert read is not None
    assert (read.level, read.fields) == ("WARN", {})
    assert "peer became inactive" in read.message


@given(
    st.one_of(
        st.text(),
        st.sampled_from([ZAP_LOST, CAPNS_LOST, RAFT_LOST, CONSOLE]).flatmap(
            lambda line: st.integers(0, len(line)).map(lambda cut: line[:cut] + "�{" + line[cut + 1 :])
        ),
    )
)
def test_no_line_is_too_wild(line: str) -> None:
    read = parse_log(line)

    if read is not None:
        assert read.at.tzinfo is not None
        classify(read)


def test_every_pattern_has_texts_to_search_for() -> None:
    assert all(one.texts and all(text in texts() for text in one.texts) for one in PATTERNS)
    assert len({one.id for one in PATTERNS}) == len(PATTERNS)
