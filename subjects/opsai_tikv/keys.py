"""Which table, index or keyspace a region's keys belong to. Ids are told, row handles and values never are. Pure.

PD writes a region's bounds as hex of memcomparable bytes: groups of 8, each with a marker of 0xFF less its padding
(pd pkg/codec/codec.go). Inside, API V2 puts `x` or `r` and 3 bytes of keyspace first (pd pkg/keyspace/util.go), then comes
what TiDB writes: `t`, the table's id with its sign flipped, `_r` and a row or `_i` and the index's id; `m` is its schema
(tidb pkg/tablecodec). Raw keys of API V1 are not encoded at all. Eight-byte prefixes of API V3 (client-go codec_v3.go, in
no release) read as a keyspace of V2.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from opsai_subjects.model import Value

Kind = Literal["rows", "index", "table", "meta", "raw", "txn", "client", "several"]
"""`table` is rows and indexes together; `raw` and `txn` are a keyspace's; `client` keys are a program's own,
or broken ones: the two cannot be told apart."""

_GROUP = 8
_FULL = 0xFF
_SIGN = 1 << 63
_TEMPORARY_INDEX = 0x7FFF << 48
_INDEX_ID = (1 << 48) - 1
"""An index that is being added has its id under this mask, with the prefix above (tidb TempIndexPrefix, IndexIDMask)."""
_TABLE = ord("t")
_MODES: dict[int, Literal["raw", "txn"]] = {ord("r"): "raw", ord("x"): "txn"}
_PREFIX = 4
_PRINTABLE = range(0x20, 0x7F)


class Owner(Value):
    """Whose keys they are. A table's id is that of the partition where it is partitioned."""

    kind: Kind
    keyspace_id: int | None = None
    table_id: int | None = None
    index_id: int | None = None
    sentence: str
    """`table 57 index 2`, `keyspace 3 raw`; with two owners, the first and how far it goes."""

    @property
    def named(self) -> bool:
        """Whether it names a table, TiDB's schema or a keyspace."""
        return self.kind != "client"


@dataclass(frozen=True)
class _Scope:
    """All keys with one prefix, and whose they are."""

    prefix: bytes
    owner: Owner
    last_of: bytes = b""
    """What it is the last part of: nothing lies between its end and the end of all keys with this prefix."""

    def reaches(self, end: bytes) -> bool:
        """Say whether a range that begins here and ends before `end` stays inside."""
        after = _after(self.last_of or self.prefix)
        return after is None or (bool(end) and end <= after)


_CLIENT = Owner(kind="client", sentence="keys that name no table or keyspace")


def owner_of_range(start_key: str, end_key: str) -> Owner:
    """Say whose keys a region holds. Both as PD writes them, hex; empty is the first (the last) key of all. Never raises."""
    start, end = _key(start_key), _key(end_key)
    if start is None or end is None:
        return _CLIENT
    scopes = _scopes(start)
    for scope in scopes:
        if scope.reaches(end):
            return scope.owner
    return _several(start, end, scopes[0].owner if scopes else _CLIENT)


def owner_of(key: str) -> Owner:
    """Say whose one key is. Never raises."""
    found = _key(key)
    if found is None:
        return _CLIENT
    scopes = _scopes(found)
    return scopes[0].owner if scopes else _CLIENT


def _several(start: bytes, end: bytes, first: Owner) -> Owner:
    """Name a range with more than one owner after its first, or after its end where PD merely drew a keyspace's bound."""
    last = (_scopes(end) or (_Scope(b"", _CLIENT),))[0].owner if end else None
    if start and first is not _CLIENT and not _is_bound(start):
        until = last.sentence if last else "the last key"
        ids = first.model_dump(include={"keyspace_id", "table_id", "index_id"})
        return Owner(kind="several", sentence=f"{first.sentence}, up to {until}", **ids)
    if last is None and _is_bound(start):
        return Owner(kind="several", sentence=f"keys from {first.sentence} on")
    if last is None or last is _CLIENT or (first is _CLIENT and start):
        return _CLIENT
    return Owner(kind="several", sentence=f"keys up to {last.sentence}")


def _is_bound(key: bytes) -> bool:
    return len(key) == _PREFIX and key[0] in _MODES


def _key(text: str) -> bytes | None:
    """Return the key that hex stands for; None when it is not memcomparable: a raw one of API V1, or broken."""
    try:
        encoded = bytes.fromhex(text)
    except ValueError:
        return None
    return _decoded(encoded) if encoded else b""


def _decoded(encoded: bytes) -> bytes | None:
    """Undo the memcomparable encoding; None when it is none. What follows the last group is a version, and left out."""
    groups: list[bytes] = []
    for at in range(0, len(encoded), _GROUP + 1):
        group = encoded[at : at + _GROUP + 1]
        padding = _FULL - group[-1]
        if len(group) <= _GROUP or padding > _GROUP or any(group[_GROUP - padding : _GROUP]):
            return None
        groups.append(group[: _GROUP - padding])
        if padding:
            return b"".join(groups)
    return None


def _scopes(key: bytes) -> tuple[_Scope, ...]:
    """Return what holds this key, the narrowest first; nothing for a key of a client of its own."""
    keyspace = key[:_PREFIX] if len(key) >= _PREFIX and key[0] in _MODES else b""
    inside = tuple(_tidb(key[len(keyspace) :], keyspace))
    if not keyspace or (not inside and _is_text(key)):
        return inside
    number, mode = int.from_bytes(keyspace[1:]), _MODES[key[0]]
    whole = Owner(kind=mode, keyspace_id=number, sentence=f"keyspace {number} {mode}")
    return (*inside, _Scope(keyspace, whole))


def _is_text(key: bytes) -> bool:
    """Say whether `xavier…` is a word: keyspaces are numbered from 0, one of printable bytes comes after two million."""
    return len(key) > _PREFIX and all(byte in _PRINTABLE for byte in key[:_PREFIX])


def _tidb(key: bytes, keyspace: bytes) -> Iterable[_Scope]:
    """Yield what TiDB keeps under this key, the narrowest first."""
    number = int.from_bytes(keyspace[1:]) if keyspace else None
    where = f"keyspace {number} " if keyspace else ""
    if key[:1] == b"m" and _is_meta(key):
        meta = Owner(kind="meta", keyspace_id=number, sentence=f"{where}TiDB's schema")
        yield _Scope(keyspace + b"m", meta)
    table_id = _table_id(key)
    if table_id is None:
        return
    table = f"{where}table {table_id}"
    if key[9:11] == b"_r":
        rows = Owner(kind="rows", keyspace_id=number, table_id=table_id, sentence=f"{table} rows")
        yield _Scope(keyspace + key[:11], rows, last_of=keyspace + key[:9])
    elif key[9:11] == b"_i" and len(key) >= 19:
        index_id, name = _index(key[11:19])
        one = Owner(
            kind="index",
            keyspace_id=number,
            table_id=table_id,
            index_id=index_id,
            sentence=f"{table} {name} {index_id}",
        )
        yield _Scope(keyspace + key[:19], one)
    whole = Owner(kind="table", keyspace_id=number, table_id=table_id, sentence=table)
    yield _Scope(keyspace + key[:9], whole)


def _table_id(key: bytes) -> int | None:
    """Return the id of a table key; None for what merely begins with a t: ids are above zero, `_r` or `_i` follows."""
    if len(key) < 9 or key[0] != _TABLE or not (b"_r".startswith(key[9:11]) or b"_i".startswith(key[9:11])):
        return None
    number = int.from_bytes(key[1:9]) - _SIGN
    return number if number > 0 else None


def _index(encoded: bytes) -> tuple[int, str]:
    number = int.from_bytes(encoded) - _SIGN
    if number & ~_INDEX_ID == _TEMPORARY_INDEX:
        return number & _INDEX_ID, "index being added,"
    return number, "index"


def _is_meta(key: bytes) -> bool:
    """Say whether memcomparable bytes follow, as TiDB writes them after its m."""
    return len(key) == 1 or (len(key) > _GROUP + 1 and key[_GROUP + 1] >= _FULL - _GROUP)


def _after(prefix: bytes) -> bytes | None:
    """Return the first key behind all that have this prefix; None when there is none."""
    trimmed = prefix.rstrip(b"\xff")
    return trimmed[:-1] + bytes([trimmed[-1] + 1]) if trimmed else None
