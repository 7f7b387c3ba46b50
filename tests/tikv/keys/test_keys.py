"""A region's bounds tell whose keys it holds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsai_tikv.keys import Owner, owner_of, owner_of_range

IDS = st.integers(1, 2**48 - 1)
KEYSPACES = st.none() | st.integers(0, 2**24 - 1)
TAILS = st.binary(max_size=40)


def encoded(key: bytes) -> str:
    """Write a key as PD does: groups of eight, padded with zeroes, each with its marker; upper-case hex."""
    groups = [key[at : at + 8] for at in range(0, len(key) + 1, 8)]
    return b"".join(group.ljust(8, b"\0") + bytes([0xFF - 8 + len(group)]) for group in groups).hex().upper()


def number(value: int) -> bytes:
    return (value + 2**63).to_bytes(8)


def prefix(keyspace: int | None) -> bytes:
    return b"" if keyspace is None else b"x" + keyspace.to_bytes(3)


def table(table_id: int, keyspace: int | None = None) -> bytes:
    return prefix(keyspace) + b"t" + number(table_id)


def index(table_id: int, index_id: int, keyspace: int | None = None) -> bytes:
    return table(table_id, keyspace) + b"_i" + number(index_id)


def said(start: bytes, end: bytes) -> str:
    return owner_of_range(encoded(start), encoded(end)).sentence


@given(KEYSPACES, IDS, IDS, TAILS)
def test_an_index_key_names_its_keyspace_table_and_index(keyspace, table_id, index_id, values) -> None:
    found = owner_of(encoded(index(table_id, index_id, keyspace) + values))
    assert (found.kind, found.keyspace_id, found.table_id, found.index_id) == ("index", keyspace, table_id, index_id)


@given(KEYSPACES, IDS, TAILS)
def test_a_row_key_names_its_table_and_never_its_handle(keyspace, table_id, handle) -> None:
    found = owner_of(encoded(table(table_id, keyspace) + b"_r" + handle))
    where = "" if keyspace is None else f"keyspace {keyspace} "
    assert found == Owner(
        kind="rows", keyspace_id=keyspace, table_id=table_id, sentence=f"{where}table {table_id} rows"
    )


@given(st.integers(0, 2**24 - 1), st.sampled_from(("raw", "txn")))
def test_a_keyspace_bound_names_keyspace_and_mode(keyspace, mode) -> None:
    found = owner_of(encoded((b"r" if mode == "raw" else b"x") + keyspace.to_bytes(3)))
    assert found == Owner(kind=mode, keyspace_id=keyspace, sentence=f"keyspace {keyspace} {mode}")


@given(IDS, IDS, TAILS, TAILS)
def test_a_range_inside_one_index_is_that_index_whatever_its_values(table_id, index_id, one, two) -> None:
    start, end = sorted((one, two))
    key = index(table_id, index_id)
    assert owner_of_range(encoded(key + start), encoded(key + end)) == owner_of(encoded(key))


@given(st.text(max_size=60) | st.binary(max_size=60).map(bytes.hex), st.text("0123456789ABCDEFabcdef ", max_size=60))
def test_no_text_raises(start, end) -> None:
    for found in (owner_of(start), owner_of_range(start, end), owner_of_range(end, start)):
        assert found.sentence


@given(KEYSPACES, IDS, IDS, TAILS, st.data())
def test_a_key_cut_short_anywhere_never_names_another_owner(keyspace, table_id, index_id, values, data) -> None:
    whole = encoded(index(table_id, index_id, keyspace) + values)
    found = owner_of(whole[: data.draw(st.integers(0, len(whole)))])
    assert found.table_id in (None, table_id)
    assert found.index_id in (None, index_id)


def test_a_range_is_named_by_the_narrowest_owner_that_holds_all_of_it() -> None:
    assert said(index(57, 2) + b"a", index(57, 3)) == "table 57 index 2"
    assert said(index(57, 2), table(57) + b"_r") == "table 57"
    assert said(table(57) + b"_r" + number(9), table(58)) == "table 57 rows"
    assert said(table(57), table(58)) == "table 57"
    assert said(table(57, 3), prefix(4)) == "keyspace 3 txn"


def test_a_range_over_two_owners_says_the_first_and_how_far_it_goes() -> None:
    last_of_a_table = owner_of_range(encoded(table(57) + b"_r" + number(9)), encoded(table(60)))
    assert last_of_a_table.sentence == "table 57 rows, up to table 60"
    assert (last_of_a_table.kind, last_of_a_table.table_id) == ("several", 57)
    assert owner_of_range(encoded(table(57)), "").sentence == "table 57, up to the last key"


def test_the_schema_of_tidb_is_told() -> None:
    key = b"m" + bytes.fromhex(encoded(b"DB:1")) + b"\0" * 7 + b"h"
    assert owner_of(encoded(key)).sentence == "TiDB's schema"
    assert owner_of(encoded(prefix(3) + b"m")).sentence == "keyspace 3 TiDB's schema"
    assert said(b"m", table(1)) == "TiDB's schema, up to table 1"


def test_an_index_that_is_being_added_keeps_its_number() -> None:
    assert owner_of(encoded(index(57, 0x7FFF << 48 | 2))).sentence == "table 57 index being added, 2"


@pytest.mark.parametrize("key", [b"xavier", b"rosemary", b"mykey", b"table:00000001", b"t", b"user:1", b"t" + bytes(8)])
def test_keys_of_a_program_of_its_own_are_no_table_and_no_keyspace(key: bytes) -> None:
    for text in (encoded(key), key.hex()):  # API V1: transactions encode their keys, raw clients do not
        assert owner_of(text).kind == "client"
        assert not owner_of(text).named


def test_what_is_no_hex_names_nothing() -> None:
    assert owner_of("74800000000000000").kind == "client"
    assert owner_of_range("usertable", "").kind == "client"


def test_a_key_cut_inside_its_table_id_is_not_taken_for_another_table() -> None:
    whole = encoded(table(57) + b"_r" + number(9))
    assert owner_of(whole[:18]).table_id is None


@pytest.mark.parametrize(
    ("start", "end", "sentence"),
    [
        # a cluster under go-ycsb, API V1: PD draws the bounds of keyspace 0 all the same
        ("", "7200000000000000FB", "keys up to keyspace 0 raw"),
        ("7200000000000000FB", "7200000100000000FB", "keyspace 0 raw"),
        (
            "7200000100000000FB",
            "757365727461626CFF653A757365723030FF3030303033363437FF0000000000000000F7",
            "keys that name no table or keyspace",
        ),
        (
            "757365727461626CFF653A757365723030FF3030323935343739FF0000000000000000F7",
            "7800000000000000FB",
            "keys that name no table or keyspace",
        ),
        ("7800000100000000FB", "", "keys from keyspace 1 txn on"),
        # PD's own simulator
        ("7200000100000000FB", "7480000000000000FF015F728000000000FF000000FF00000000FB", "keys up to table 1 rows"),
        (
            "7480000000000000FF015F728000000000FF000000FF00000000FB",
            "7480000000000000FF015F728000000000FF000001FF00000000FB",
            "table 1 rows",
        ),
        (
            "7480000000000000FF295F728000000000FF00000FFF00000000FB",
            "7800000000000000FB",
            "table 41 rows, up to keyspace 0 txn",
        ),
        # pd pkg/codec and TiDB's documentation
        ("7480000000000000FF6E00000000000000F8", "7480000000000000FF6F00000000000000F8", "table 110"),
    ],
)
def test_bounds_seen_in_real_clusters_are_told(start: str, end: str, sentence: str) -> None:
    assert owner_of_range(start, end).sentence == sentence
