"""No key or value of a row passes, whatever it is written like; what an operator needs does."""

import base64
import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsai_subjects.model import LogLine, LogPage, LogQuery, utc
from opsai_subjects.redaction import MASK, Redaction
from opsai_subjects.sources.redaction import RedactedLogs, redact_line
from opsai_tikv.logs.lines import parse_log
from opsai_tikv.logs.rows import ROWS
from tests.subjects.sources.toy import window

HEADER = "[2026/08/20 10:00:00.123 +08:00] [INFO] [any.rs:1]"
TABLE_ROW = "7480000000000019FFB55F72BC000025D2FF45460C0000000000FA"


def said(rest: str) -> LogLine:
    text = f"{HEADER} {rest}"
    parsed = parse_log(text)
    assert parsed is not None
    return LogLine("kv1", parsed.at, parsed.level, parsed.message, parsed.fields, text)


@pytest.mark.parametrize(
    ("rest", "left"),
    [
        (f"[x] [key={TABLE_ROW}] [region_id=7]", f"[x] [key={MASK}] [region_id=7]"),
        ('[x] [raw_key="a b\\" c"] [n=1]', f'[x] [raw_key="{MASK}"] [n=1]'),
        ('[x] ["key sample"=7480ab] [keys=10000000]', f'[x] ["key sample"={MASK}] [keys=10000000]'),
        (f'["lock: Some({TABLE_ROW})"]', f'["lock: Some({MASK})"]'),
        ('[x] [region="id: 7 start_key: \\"t\\\\200\\\\000\\" end_key: \\"\\" peers { id: 8 }"]', f'[x] [region="id: 7 start_key: \\"{MASK}\\" end_key: \\"\\" peers {{ id: 8 }}"]'),
        (f'[x] [detail="StartKey Changed:{{{TABLE_ROW}}} -> {{{TABLE_ROW}}}, EndKey:{{}}"]', f'[x] [detail="StartKey Changed:{MASK}, EndKey:{MASK}"]'),
        ('[x] [cmd="prewrite mutations([Put key:7480 value:61626364 assertion:None]) primary(7480000000000000005F72) 3000"]', f'[x] [cmd="prewrite mutations([Put key:{MASK} value:{MASK} assertion:None]) primary({MASK}) 3000"]'),
        ("[x] [user=‹alice››s›] [region_id=7]", f"[x] [user={MASK}] [region_id=7]"),
        ('["Err(KeyIsLocked)"] [lock="primary_lock: 616263 lock_version: 4"]', f'["Err(KeyIsLocked)"] [lock="primary_lock: {MASK} lock_version: 4"]'),
        ('[x] [start_key="cut off in the middle of', f'[x] [start_key="{MASK}"'),
    ],
)  # fmt: skip
def test_keys_and_values_are_masked_where_logs_hold_them(rest: str, left: str) -> None:
    assert redact_line(said(rest), ROWS).text == f"{HEADER} {left}"


@pytest.mark.parametrize(
    "rest",
    [
        '["starting a new election"] [term=8] [raft_id=319306] [region_id=319305]',
        "[x] [store_id=4] [addr=10.0.0.21:20160] [safe_ts=443888117326544897] [table_id=51]",
        '["Git Commit Hash:   8565f99812d7375f4f0b18c304b6df13bb5c4865"]',
        '["raft.node: aa10f5ac15deb34e lost leader b7a58c96c777aa50 at term 2"]',
        '["kv gets too slow"] [request-key=/pd/7324144488088872732/member/leader] [cost=2.7s]',
        '["apply request took too long"] [request="key:\\"/pd/7711/leader\\" "] [took=2s]',
        '["called `Result::unwrap()` on an `Err` value: Other(StringError(\\"no cluster id\\"))"]',
        "[slow-query] [perf_stats.internal_key_skipped_count=135695] [total_keys=96392] [scan.processed_keys=7]",
        '["schedule config is updated"] [new="{\\"leader-schedule-limit\\":4,\\"key-type\\":\\"table\\"}"]',
        "[x] [snap_key=421278807_7_383754] [region_id=421278807]",
    ],
)  # fmt: skip
def test_what_an_operator_needs_stays(rest: str) -> None:
    assert redact_line(said(rest), ROWS) == said(rest)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("put key: /users/alice value: 42", f"put key: {MASK} value: {MASK}"),
        ("range [7A8B9C0D1E2F3A4B]", f"range [{MASK}]"),
        ("member 8e9e05c52164694d of 10.0.0.1:2380", "member 8e9e05c52164694d of 10.0.0.1:2380"),
        ("primary: 616263", "primary: 616263"),
    ],
)
def test_without_rules_of_its_own_a_system_has_its_keys_and_values_masked(text: str, left: str) -> None:
    assert Redaction().redacted(text) == left


KEYS = st.binary(min_size=6, max_size=40)
NAMES = st.sampled_from(
    ["key", "start_key", "end_key", "raw_key", "value", "split_key", "lock-key", "start-key", "EndKey", "primary_key"]
)


def escaped(key: bytes) -> str:
    """Write a key as Go's and Rust's text formats of protobuf do."""
    return "".join(chr(b) if 0x20 <= b < 0x7F and b not in b'"\\' else f"\\{b:03o}" for b in key)


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def shapes(name: str, key: bytes) -> list[tuple[str, str]]:
    """Return what a key looks like in each way that logs write it, and the part of a line that holds it."""
    upper, lower, octal, base = key.hex().upper(), key.hex(), escaped(key), base64.b64encode(key).decode()
    table = f"7480{lower}F{lower}"
    return [
        (upper, f"[{name}={upper}]"),
        (lower, f"[{name}={lower}]"),
        (upper, f'[region="id: 1 {name}: {upper} peers {{ id: 3 }}"]'),
        (octal, f"[{name}={quoted(octal)}]"),
        (octal, f"[region={quoted(f'id:1 {name}:{quoted(octal)} peers:<id:3 >')}]"),
        (base, f"[{name}={quoted(base)}]"),
        (lower, f"[op={quoted(json.dumps({name: lower, 'ts': 1}))}]"),
        (upper, f"[anything=‹{upper}›]"),
        (table, f'["found {table} here"]'),
    ]


@given(KEYS, NAMES, st.integers(0, 8), st.booleans())
def test_a_planted_key_never_passes(key: bytes, name: str, shape: int, cut: bool) -> None:
    planted, part = shapes(name, key)[shape]
    line = said(f'["told"] [region_id=7] {part} [thread_id=3]'[: -15 if cut else None])
    shown = redact_line(line, ROWS)

    assert planted.replace("\\", "\\\\") not in shown.text
    for text in (shown.text, shown.message, *shown.fields.values()):
        assert planted not in text
    assert redact_line(shown, ROWS) == shown, "what is masked stays masked"
    assert shown.fields["region_id"] == "7"


@given(st.text(max_size=300))
def test_any_text_is_redacted_and_what_is_redacted_stays(text: str) -> None:
    assert ROWS.redacted(ROWS.redacted(text)) == ROWS.redacted(text)


@pytest.mark.parametrize("text", ["x" * 60_000 + "\\", '\\"' * 30_000, "key" * 20_000, 'key:\\"' * 10_000, "‹" * 60_000, "A1" * 30_000 + "g", "\\123" * 15_000])  # fmt: skip
def test_a_text_made_to_be_slow_is_not(text: str) -> None:
    began = time.process_time()
    ROWS.redacted(text)

    assert time.process_time() - began < 1


class OneLine:
    """A source of one line."""

    async def nodes(self) -> tuple[str, ...]:
        return ("kv1",)

    async def search(self, query: LogQuery) -> LogPage:
        return LogPage((LogLine("kv1", utc(1), "INFO", "m", {"key": "a"}, "m [key=a]"),), 1, (), query.nodes)


@pytest.mark.anyio
async def test_lines_of_a_source_come_redacted_and_the_rest_of_the_page_as_it_is() -> None:
    logs = RedactedLogs(OneLine(), Redaction())
    page = await logs.search(LogQuery(window(0, 2), nodes=("kv1",)))

    assert await logs.nodes() == ("kv1",)
    assert page.lines == (LogLine("kv1", utc(1), "INFO", "m", {"key": MASK}, f"m [key={MASK}]"),)
    assert (page.matched, page.searched) == (1, ("kv1",))
