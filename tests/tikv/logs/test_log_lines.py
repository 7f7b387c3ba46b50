"""Log lines of TiKV and PD, as their grammar allows and as life damages them."""

import gzip
import json
import re
import time
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from opsai_subjects.sources.logs import Entry, Joiner
from opsai_tikv.kind import KIND
from opsai_tikv.logs.lines import parse_log

INCIDENTS = Path(__file__).parents[3] / "compose" / "incidents"
AT = datetime(2026, 8, 20, 2, 0, 0, 123000, tzinfo=UTC)


def test_a_line_is_read_into_its_parts() -> None:
    line = (
        '[2026/08/20 10:00:00.123 +08:00] [WARN] [raft_client.rs:606] ["connection aborted"] [addr=10.1.0.3:20160] '
        '["receiver err"="Some(RpcFailure { code: 14, message: \\"reset by peer\\" })"] [additional-info=] [] [thread_id=64]'
    )
    found = parse_log(line)

    assert found is not None
    assert (found.at, found.level, found.source, found.message) == (
        AT,
        "WARN",
        "raft_client.rs:606",
        "connection aborted",
    )
    assert found.fields == {
        "addr": "10.1.0.3:20160",
        "receiver err": 'Some(RpcFailure { code: 14, message: "reset by peer" })',
        "additional-info": "",
        "thread_id": "64",
    }


def test_a_message_may_hold_brackets_and_equals_signs() -> None:
    line = (
        '[2026/08/20 10:00:00.123 +08:00] [INFO] [raft.rs:1354] ["[logterm: 4, index: 7, vote: 0] ignored vote from 9 [logterm: 4] '
        'x=y: lease is not expired"] ["msg type"=MsgRequestPreVote] [region_id=94]'
    )
    found = parse_log(line)

    assert found is not None
    assert found.message == "[logterm: 4, index: 7, vote: 0] ignored vote from 9 [logterm: 4] x=y: lease is not expired"
    assert found.fields == {"msg type": "MsgRequestPreVote", "region_id": "94"}


@pytest.mark.parametrize(
    ("line", "level", "source", "message"),
    [
        ('[2026/08/20 10:00:00.123 +08:00] [INFO] [raft] [zap_raft.go:77] ["became leader"]', "INFO", "zap_raft.go:77", "became leader"),
        ('[2026/08/20 10:00:00.123 +08:00] [INFO] [<unknown>] ["New connected subchannel"]', "INFO", "<unknown>", "New connected subchannel"),
        ("[2026/08/20 10:00:00.123 +08:00] [INFO] [lib.rs:84] []", "INFO", "lib.rs:84", ""),
        ("[2026/08/20 10:00:00.123 +08:00] [WARN] [kv.go:9] [cost=1s]", "WARN", "kv.go:9", ""),
        ("[2026/08/20 10:00:00.123 +08:00] [PANIC] [a.go:1] [bare]", "FATAL", "a.go:1", "bare"),
        ("[2026/08/20 10:00:00.123 +08:00][12][INFO] [db/x.cc:1] Compacting 4@0, score 1.0", "INFO", "", "[db/x.cc:1] Compacting 4@0, score 1.0"),
        ('2026-08-20T02:00:00Z stderr F [2026/08/20 10:00:00.123 +08:00] [INFO] [a.rs:1] ["x"]', "INFO", "a.rs:1", "x"),
        ("2026/08/20 02:00:00.123 tikv-server.rs:121: [INFO] old text", "INFO", "tikv-server.rs:121", "old text"),
        ("2026/08/20 02:00:00.123 ERRO panic_hook.rs:104: thread 'x' panicked", "ERROR", "panic_hook.rs:104", "thread 'x' panicked"),
        ("2026/08/20 02:00:00.123 raft.go:1113: [warning] pd text", "WARN", "raft.go:1113", "pd text"),
        ('2026/08/20 10:00:00.123 +08:00] [INFO] [a.rs:1] ["without its first bracket"]', "INFO", "a.rs:1", "without its first bracket"),
        ('{"time":"2026/08/20 10:00:00.123 +08:00","level":"INFO","caller":"a.rs:1","message":"in JSON"}', "INFO", "a.rs:1", "in JSON"),
        ('[2026/08/20 10:00:00.123 +08:00] [ERROR] [a.rs:1] ["cut in the mid', "ERROR", "a.rs:1", '["cut in the mid'),
    ],
)  # fmt: skip
def test_other_layouts_are_read_too(line: str, level: str, source: str, message: str) -> None:
    found = parse_log(line)

    assert found is not None
    assert (found.at, found.level, found.source, found.message) == (AT, level, source, message)


def test_a_line_of_2017_has_no_fraction_of_a_second() -> None:
    found = parse_log("2017/04/24 21:54:43 util.go:55: [info] Welcome to Placement Driver (PD).")

    assert found is not None
    assert (found.at, found.message) == (
        datetime(2017, 4, 24, 21, 54, 43, tzinfo=UTC),
        "Welcome to Placement Driver (PD).",
    )


@pytest.mark.parametrize(
    "line",
    [
        "",
        "   0: backtrace::capture",
        "thread 'main' panicked at src/x.rs",
        '20:23:53.423 +08:00] [INFO] [raft_client.rs:668] ["its date was cut off"]',
        '[2026/13/45 99:00:00.123 +08:00] [INFO] [a.rs:1] ["no such day"]',
        '{"time":"yesterday","level":"INFO"}',
        '{"level":"INFO"}',
        "{",
    ],
)
def test_what_begins_no_entry_continues_the_one_before(line: str) -> None:
    assert parse_log(line) is None


def test_the_adapter_reads_lines_by_this_grammar() -> None:
    assert KIND.parse_log('[2026/08/20 10:00:00.123 +08:00] [INFO] [a.rs:1] ["x"]') is not None


_NEEDS_QUOTES = re.compile(r'[\x00-\x20"=\[\]]')
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


def as_tikv(text: str) -> str:
    """Write a text as TiKV's `need_json_encode` does: a backslash alone needs no quotes."""
    return json.dumps(text, ensure_ascii=False) if _NEEDS_QUOTES.search(text) else text


def as_go(text: str) -> str:
    """Write a text as pingcap/log does: a backslash needs quotes too."""
    return json.dumps(text, ensure_ascii=False) if _NEEDS_QUOTES.search(text) or "\\" in text else text


@given(
    message=texts.filter(lambda text: text != "" and not re.fullmatch(r"[A-Za-z0-9._/-]+:\d+|<unknown>(:\d+)?", text)),
    fields=st.dictionaries(texts, texts, max_size=5),
    at=st.datetimes(min_value=datetime(1971, 1, 2), max_value=datetime(2199, 1, 1)),  # noqa: DTZ001 - given its zone below
    ahead=st.integers(-12 * 60, 14 * 60),
    go=st.booleans(),
)
@settings(max_examples=300, deadline=None)
def test_a_line_written_by_either_encoder_is_read_back(
    message: str, fields: dict[str, str], at: datetime, ahead: int, go: bool
) -> None:
    encode = as_go if go else as_tikv
    at = at.replace(microsecond=at.microsecond // 1000 * 1000, tzinfo=timezone(timedelta(minutes=ahead)))
    zone = f"{'-' if ahead < 0 else '+'}{abs(ahead) // 60:02d}:{abs(ahead) % 60:02d}"
    header = f"[{at:%Y/%m/%d %H:%M:%S}.{at.microsecond // 1000:03d} {zone}] [INFO] [a_b-c.rs:12]"
    line = " ".join([header, f"[{encode(message)}]", *(f"[{encode(k)}={encode(v)}]" for k, v in fields.items())])

    found = parse_log(line)

    assert found is not None
    assert (found.at, found.source, found.message, found.fields) == (at.astimezone(UTC), "a_b-c.rs:12", message, fields)


@given(st.text(max_size=200))
@example('[2026/08/20 10:00:00.123 +08:00] [INFO] [a.rs:1] ["\\ud800"]')
@example('[2026/08/20 10:00:00.123 +08:00] [INFO] [a.rs:1] ["\\x"] [a="\\')
@example("[0001/01/01 00:00:00.000 +14:00] [INFO] [a.rs:1] [x]")
@example('{"time":[],"level":{}}')
def test_no_line_is_too_strange(line: str) -> None:
    parse_log(line)
    parse_log(f"[2026/08/20 10:00:00.123 +08:00] [INFO] {line}")


REAL = Path(__file__).resolve().parents[4] / "shared" / "tikv" / "real_logs.txt"
"""Lines of TiKV and PD of versions 1 to 8.5 as people pasted them: other people's text, which does not ship."""
with_real_lines = pytest.mark.skipif(
    not REAL.is_file(), reason="the collection of real lines is not beside the checkout"
)


def real_lines() -> list[str]:
    text = REAL.read_text(encoding="utf-8")
    return [line for line in text.split("\n") if line and not line.startswith("# ")]


def joined(lines: list[str]) -> list[Entry]:
    joiner = Joiner(parse_log)
    ended = [joiner.feed(line) for line in lines]
    return [entry for entry in (*ended, joiner.flush()) if entry is not None]


@with_real_lines
def test_real_lines_become_entries_and_none_is_lost() -> None:
    lines = real_lines()
    entries = joined(lines)

    assert (len(lines), len(entries)) == (392, 338)
    assert "\n".join(entry.text for entry in entries) == "\n".join(lines)
    assert all(entry.parsed.at.year in range(2017, 2027) for entry in entries)
    assert {entry.parsed.level for entry in entries} == {"FATAL", "ERROR", "WARN", "INFO", "DEBUG"}
    assert sum(not entry.parsed.message and not entry.parsed.fields for entry in entries) <= 9, "banner lines are empty"


@with_real_lines
def test_a_real_panic_is_one_entry_with_its_backtrace() -> None:
    (panic,) = [entry for entry in joined(real_lines()) if "fallocate" in entry.text]

    assert panic.parsed.level == "FATAL"
    assert panic.parsed.message.startswith("store 14038: store-writer-0 failed to write to raft engine")
    assert panic.text.count("\n") >= 6
    assert "__rust_end_short_backtrace" in panic.text


def test_a_time_that_somebody_put_before_the_line_s_own_is_passed_over() -> None:
    found = parse_log("2018/10/22 下午8:28:522018/10/22 20:28:52.871 scheduler.rs:1306: [ERROR] get snapshot failed")

    assert found is not None
    assert (found.at, found.level) == (datetime(2018, 10, 22, 20, 28, 52, 871000, tzinfo=UTC), "ERROR")


@given(st.sampled_from(real_lines()), st.integers(0, 400), st.integers(0, 400), st.text(max_size=20))
def test_a_real_line_damaged_anywhere_is_read_or_not_and_raises_nothing(
    line: str, begin: int, end: int, text: str
) -> None:
    found = parse_log(line[:begin] + text + line[end:])

    assert found is None or (found.message, found.fields) is not None


def recorded() -> list[str]:
    files = sorted(INCIDENTS.glob("*/logs/*.log.gz"))
    return [line for file in files for line in gzip.open(file, "rt", errors="replace").read().split("\n") if line]


def test_recorded_logs_are_read_nearly_whole_and_quickly() -> None:
    lines = recorded()
    assert len(lines) > 10_000
    began = time.process_time()
    read = [(found, found.message) if (found := parse_log(line)) else None for line in lines]
    seconds = time.process_time() - began

    assert sum(found is None for found in read) <= len(lines) / 1000
    assert all(found[0].source for found in read if found is not None)
    # About 10 µs a line where it was measured; the bound leaves room for a slow machine.
    assert seconds / len(lines) < 100e-6
