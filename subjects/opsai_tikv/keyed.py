"""A key as people paste it, read into the bytes PD looks regions up by. Pure.

PD and pd-ctl print hexadecimal, TiKV's logs hexadecimal or escaped text, TiDB mostly what comes before the memcomparable
encoding: that is added where it is missing (pd pkg/codec/codec.go).
"""

import re

from opsai_subjects.errors import ArgumentInvalid
from opsai_tikv.keys import owner_of

_HEX = re.compile(r"(?:0x)?((?:[0-9a-fA-F]{2})+)")
_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|([0-7]{3})|(.))", re.DOTALL)
_SHORT = {"n": b"\n", "r": b"\r", "t": b"\t", "0": b"\0", "a": b"\a", "b": b"\b", "f": b"\f", "v": b"\v"}
_GROUP = 8
_OF_TIDB = (b"t\x80", b"m")
MOST_BYTES = 1000


def key_bytes(text: str) -> bytes:
    """Return the key that the text means. Raises ArgumentInvalid where it means none."""
    pasted = text.removeprefix("key:").strip()
    whole_hex = _HEX.fullmatch(pasted)
    try:
        found = bytes.fromhex(whole_hex[1]) if whole_hex else _unescaped(pasted)
    except ValueError as error:
        raise _no_key(text) from error
    if not found or len(found) > MOST_BYTES:
        raise _no_key(text)
    return _encoded(found) if found.startswith(_OF_TIDB) and not owner_of(found.hex()).named else found


def _no_key(text: str) -> ArgumentInvalid:
    return ArgumentInvalid(
        "region",
        text[:80],
        "it is no region's id and no key",
        "an id (45), a key in hex (7480…FB) or escaped (t\\x80…)",
    )


def _unescaped(text: str) -> bytes:
    found, at = bytearray(), 0
    for escape in _ESCAPE.finditer(text):
        found += text[at : escape.start()].encode()
        hexadecimal, octal, other = escape.groups()
        if hexadecimal or octal:
            found.append(int(hexadecimal, 16) if hexadecimal else int(octal, 8))  # ValueError above 255
        else:
            found += _SHORT.get(other, other.encode())
        at = escape.end()
    return bytes(found + text[at:].encode())


def _encoded(key: bytes) -> bytes:
    groups = [key[at : at + _GROUP] for at in range(0, len(key) + 1, _GROUP)]
    return b"".join(group.ljust(_GROUP, b"\0") + bytes([0xFF - (_GROUP - len(group))]) for group in groups)
