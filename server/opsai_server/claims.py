"""Claims: a statement re-checked against stored evidence. Pure, and never raises, whatever it is given."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from difflib import get_close_matches

from pydantic import JsonValue

from opsai_server.tickets.diagnosis import CheckedClaim, Claim, Op
from opsai_subjects.model import Scalar

FOUND_CHARS = 200
KEYS_SHOWN = 12
_KEYS_COMPARED = 500

_NUMBER = re.compile(r"[+-]?(\d{1,40}(\.\d{0,40})?|\.\d{1,40})([eE][+-]?\d{1,3})?|[+-]?Infinity|NaN", re.ASCII)
_INDEX = re.compile(r"0|[1-9]\d{0,17}", re.ASCII)
_BAD_ESCAPE = re.compile(r"~(?![01])")


def check(claim: Claim, value: JsonValue) -> CheckedClaim:
    """Re-check a claim against the full value of the evidence it cites.

    Numbers compare as numbers, also where one is written as a string; ISO times compare as moments. `contains` means a part
    of a string, an element of a list, or a key of an object. Nothing but `absent` holds where there is nothing, and `absent`
    only where what would hold it is there. The reason of one that does not hold says what stands there instead.
    """
    if claim.path and not claim.path.startswith("/"):
        return _failed(claim, f"the path {_cut(claim.path)!r} is no JSON Pointer: it begins with '/', or is empty")
    if _BAD_ESCAPE.search(claim.path):
        return _failed(claim, f"the path {_cut(claim.path)!r} has a bare '~': write '~0' for '~' and '~1' for '/'")
    here = value
    tokens = claim.path.split("/")[1:]
    for place, token in enumerate(tokens):
        below = _below(here, token.replace("~1", "/").replace("~0", "~"))
        if below is None:
            return _missing(claim, here, "/".join(["", *tokens[:place]]), tokens[place:])
        (here,) = below
    return _there(claim, here)


def no_evidence(claim: Claim) -> CheckedClaim:
    """Return the claim as one whose evidence is not in the store."""
    return _failed(claim, f"there is no evidence {claim.evidence_id!r}")


def _below(here: JsonValue, token: str) -> tuple[JsonValue] | None:
    if isinstance(here, dict):
        return (here[token],) if token in here else None
    if isinstance(here, list) and _INDEX.fullmatch(token) and int(token) < len(here):
        return (here[int(token)],)
    return None


def _missing(claim: Claim, here: JsonValue, prefix: str, rest: Sequence[str]) -> CheckedClaim:
    if claim.op == "absent" and len(rest) == 1 and isinstance(here, dict | list):
        return CheckedClaim(claim=claim, held=True)
    where = f"{_cut(prefix)!r}" if prefix else "the evidence"
    near = ""
    if isinstance(here, dict):
        keys = [_cut(_token(key)) for key in list(here)[:_KEYS_COMPARED]]
        # A key with a slash in it, written without ~1, reads as two tokens.
        written = (_cut(rest[0]), *(_cut("~1".join(rest[:count])) for count in (2, 3) if len(rest) >= count))
        close = [match for text in written for match in get_close_matches(text, keys, n=1)]
        near = f"; did you mean {close[0]!r}?" if close else ""
    return _failed(claim, f"nothing is at {_cut(claim.path)!r}: {where} holds {_described(here)}{near}")


def _there(claim: Claim, found: JsonValue) -> CheckedClaim:
    if claim.op == "exists":
        return CheckedClaim(claim=claim, held=True, found=_shown(found))
    if claim.op == "absent":
        return _failed(claim, f"it is there: {_described(found)}", found)
    if claim.op == "contains":
        return _contains(claim, found)
    if isinstance(found, dict | list):
        return _failed(claim, f"{claim.op} compares one value, and there is {_described(found)}: go deeper", found)
    held = _compare(claim.op, found, claim.value)
    if held is None:
        why = f"{_described(found)} and {_described(claim.value)} have no order: {claim.op} compares numbers or times"
        return _failed(claim, why, found)
    if not held:
        return _failed(claim, f"there stands {_described(found)}", found)
    return CheckedClaim(claim=claim, held=True, found=_shown(found))


def _contains(claim: Claim, found: JsonValue) -> CheckedClaim:
    wanted = claim.value
    if wanted is None or wanted == "":
        return _failed(claim, "contains needs a value to look for", found)
    if isinstance(found, str):
        held = _text(wanted) in found
    elif isinstance(found, list):
        held = any(not isinstance(one, dict | list) and _equal(one, wanted) for one in found)
    elif isinstance(found, dict):
        held = _text(wanted) in found
    else:
        return _failed(
            claim, f"contains looks into a string, a list or an object, and there is {_described(found)}", found
        )
    if held:
        return CheckedClaim(claim=claim, held=True, found=_shown(found))
    return _failed(claim, f"not in {_described(found)}", found)


def _compare(op: Op, found: Scalar, wanted: Scalar) -> bool | None:
    if op in ("==", "!="):
        return _equal(found, wanted) == (op == "==")
    sides = _numbers(found, wanted) or _moments(found, wanted)
    if sides is None:
        return None
    left, right = sides
    if op == "<":
        return left < right
    if op == "<=":
        return left <= right
    return left > right if op == ">" else left >= right


def _equal(found: Scalar, wanted: Scalar) -> bool:
    if isinstance(found, bool) or isinstance(wanted, bool):
        return _text(found).lower() == _text(wanted).lower()
    if found == wanted:
        return True
    numbers = _numbers(found, wanted)
    if numbers is not None:
        return numbers[0] == numbers[1]
    moments = _moments(found, wanted)
    return moments is not None and moments[0] == moments[1]


def _numbers(found: Scalar, wanted: Scalar) -> tuple[float, float] | None:
    left, right = _number(found), _number(wanted)
    return None if left is None or right is None else (left, right)


def _number(value: Scalar) -> float | None:
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        return value
    text = value.strip()
    if not _NUMBER.fullmatch(text):
        return None
    return int(text) if text.lstrip("+-").isdigit() else float(text)


def _moments(found: Scalar, wanted: Scalar) -> tuple[float, float] | None:
    if not isinstance(found, str) or not isinstance(wanted, str):
        return None
    left, right = _moment(found), _moment(wanted)
    return None if left is None or right is None else (left, right)


def _moment(text: str) -> float | None:
    try:
        moment = datetime.fromisoformat(text.strip())
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def _failed(claim: Claim, why: str, found: JsonValue = None) -> CheckedClaim:
    return CheckedClaim(claim=claim, held=False, found=_shown(found), why=why)


def _shown(found: JsonValue) -> Scalar:
    if isinstance(found, dict | list):
        return _described(found)
    return _cut(found) if isinstance(found, str) else found


def _described(value: JsonValue) -> str:
    if isinstance(value, dict):
        keys = list(value)
        more = f" … ({len(keys) - KEYS_SHOWN} more)" if len(keys) > KEYS_SHOWN else ""
        listed = ", ".join(_cut(_token(key)) for key in keys[:KEYS_SHOWN])
        return f"an object with {len(keys)} keys: {listed}{more}" if keys else "an empty object"
    if isinstance(value, list):
        return f"a list of {len(value)}, 0 to {len(value) - 1}" if value else "an empty list"
    return repr(_cut(value)) if isinstance(value, str) else _text(value)


def _token(key: str) -> str:
    """Return a key as a pointer writes it."""
    return key.replace("~", "~0").replace("/", "~1")


def _text(value: Scalar) -> str:
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else _digits(value)


def _digits(value: str | float) -> str:
    try:
        return str(value)
    except ValueError:  # Python writes no integer of more than 4,300 digits
        return "a number of thousands of digits"


def _cut(text: str) -> str:
    return text if len(text) <= FOUND_CHARS else f"{text[: FOUND_CHARS - 1]}…"
