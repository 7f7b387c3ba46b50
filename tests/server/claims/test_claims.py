"""A claim against the evidence: what holds, and what its author reads when it does not."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import JsonValue

from opsai_server.claims import FOUND_CHARS, check, no_evidence
from opsai_server.tickets.diagnosis import CheckedClaim, Claim, Op
from opsai_subjects.model import Scalar

EVIDENCE: JsonValue = {
    "verdicts": {
        "store_up": {
            "store:4": {"state": "violated", "value": 12.5, "since": "2026-05-01T12:00:30Z", "says": "store:4 is down"},
            "store:5": {"state": "held", "value": "0.5", "since": None},
        }
    },
    "signs": {"a/b": {"m~n": True}},
    "causes": [{"kind": "tikv_down"}, {"kind": "tikv_hang"}],
    "nodes": ["pd-1", "store:4", 7],
    "cluster_id": "7300000000000000001",
    "big": 7300000000000000001,
    "inf": "Infinity",
    "empty": "",
}
STATE = "/verdicts/store_up/store:4/state"
VALUE = "/verdicts/store_up/store:4/value"


def checked(path: str, op: Op, value: Scalar = None) -> CheckedClaim:
    return check(Claim(says="so it is", evidence_id="E-1", path=path, op=op, value=value), EVIDENCE)


@pytest.mark.parametrize(
    ("path", "op", "value"),
    [
        (STATE, "==", "violated"),
        (STATE, "!=", "held"),
        (VALUE, "==", 12.5),
        (VALUE, "==", "12.5"),
        (VALUE, ">", 12),
        (VALUE, ">=", "12.5"),
        (VALUE, "<", 13),
        (VALUE, "<=", 12.5),
        ("/verdicts/store_up/store:5/value", "<", 1),
        ("/verdicts/store_up/store:4/since", ">", "2026-05-01T12:00:00+00:00"),
        ("/verdicts/store_up/store:4/since", "==", "2026-05-01T14:00:30+02:00"),
        ("/verdicts/store_up/store:4/since", "<", "2026-05-01T12:01:00"),
        ("/verdicts/store_up/store:5/since", "==", None),
        ("/verdicts/store_up/store:5/since", "exists", None),
        ("/verdicts/store_up/store:4/says", "contains", "down"),
        ("/verdicts/store_up", "contains", "store:4"),
        ("/nodes", "contains", "pd-1"),
        ("/nodes", "contains", 7),
        ("/nodes", "contains", "7"),
        ("/nodes/1", "==", "store:4"),
        ("/causes/1/kind", "==", "tikv_hang"),
        ("/causes/2", "absent", None),
        ("/verdicts/store_up/store:9", "absent", None),
        ("/signs/a~1b/m~0n", "==", True),
        ("/signs/a~1b/m~0n", "==", "true"),
        ("/cluster_id", "==", 7300000000000000001),
        ("/big", "==", "7300000000000000001"),
        ("/big", "!=", 7300000000000000002),
        ("/inf", ">", 1e308),
        ("/empty", "==", ""),
        ("", "exists", None),
        ("", "contains", "verdicts"),
    ],
)
def test_what_stands_in_the_evidence_holds(path: str, op: Op, value: Scalar) -> None:
    result = checked(path, op, value)
    assert (result.held, result.why) == (True, "")


@pytest.mark.parametrize(
    ("path", "op", "value", "why"),
    [
        (STATE, "==", "held", "there stands 'violated'"),
        (VALUE, "<", 12.5, "there stands 12.5"),
        (STATE, "<", 3, "'violated' and 3 have no order: < compares numbers or times"),
        (STATE, ">", "aaa", "have no order"),
        ("/signs/a~1b/m~0n", ">", 0, "true and 0 have no order"),
        ("/signs/a~1b/m~0n", "==", 1, "there stands true"),
        ("/verdicts/store_up/store:5/since", "==", "null", "there stands null"),
        ("/causes", "==", "tikv_down", "== compares one value, and there is a list of 2, 0 to 1: go deeper"),
        ("/verdicts", "!=", "x", "there is an object with 1 keys: store_up: go deeper"),
        ("/causes", "contains", "tikv_down", "not in a list of 2, 0 to 1"),
        (VALUE, "contains", 1, "contains looks into a string, a list or an object, and there is 12.5"),
        (STATE, "contains", None, "contains needs a value to look for"),
        (STATE, "contains", "", "contains needs a value to look for"),
        (STATE, "absent", None, "it is there: 'violated'"),
        ("/big", "==", 7300000000000000000, "there stands 7300000000000000001"),
    ],
)
def test_what_does_not_says_what_stands_there(path: str, op: Op, value: Scalar, why: str) -> None:
    result = checked(path, op, value)
    assert not result.held
    assert why in result.why


@pytest.mark.parametrize(
    ("path", "why"),
    [
        (
            "/verdicts/store_up/store:44/state",
            "'/verdicts/store_up' holds an object with 2 keys: store:4, store:5; did you mean 'store:4'?",
        ),
        ("/verdict", "the evidence holds an object with 8 keys: verdicts, signs, causes"),
        ("/causes/2/kind", "'/causes' holds a list of 2, 0 to 1"),
        ("/causes/-", "'/causes' holds a list of 2"),
        ("/causes/01", "'/causes' holds a list of 2"),
        ("/causes/٠", "'/causes' holds a list of 2"),
        (STATE + "/deeper", f"'{STATE}' holds 'violated'"),
        ("/signs/a/b", "'/signs' holds an object with 1 keys: a~1b; did you mean 'a~1b'?"),
        ("verdicts/store_up", "is no JSON Pointer: it begins with '/', or is empty"),
        ("/signs/~2", "has a bare '~'"),
    ],
)
@pytest.mark.parametrize("op", ["==", "exists", "contains", "<"])
def test_a_path_that_leads_nowhere_says_how_far_it_led(path: str, why: str, op: Op) -> None:
    result = checked(path, op, "x")
    assert not result.held
    assert why in result.why


@pytest.mark.parametrize("path", ["/verdicts/no_such/store:4", "/nonsense/path", STATE + "/deeper", "no pointer"])
def test_absence_holds_only_where_what_would_hold_it_is_there(path: str) -> None:
    assert not checked(path, "absent").held


def test_what_was_found_is_shown_and_cut() -> None:
    claim = Claim(says="-", evidence_id="E-1", path="/x", op="exists")
    assert check(claim, {"x": 3.5}).found == 3.5
    assert check(claim, {"x": {"a": 1}}).found == "an object with 1 keys: a"
    found = check(claim, {"x": "y" * 5000}).found
    assert isinstance(found, str)
    assert len(found) == FOUND_CHARS


def test_a_claim_without_evidence_says_which_is_missing() -> None:
    result = no_evidence(Claim(says="-", evidence_id="E-99", path="/x", op="exists"))
    assert (result.held, result.why) == (False, "there is no evidence 'E-99'")


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)
ops = st.sampled_from(("==", "!=", "<", "<=", ">", ">=", "contains", "exists", "absent"))
tokens = st.text(max_size=6) | st.sampled_from(("0", "1", "-", "~0", "~1", "~", "99999999999999999999", "٣"))
paths = st.lists(tokens, max_size=4).map(lambda parts: "".join(f"/{part}" for part in parts)) | st.text(max_size=20)


@given(values, paths, ops, scalars)
@example("1" * 5000, "", "==", 10**4400)
@example(10**4400, "", "<", 1.5)
@example(10**400, "", ">", 1.5)
@example("9999-12-31T23:59:59-23:59", "", "<", "0001-01-01T00:00:00+23:59")
@example({"a": "\ud800"}, "/a", "contains", "\ud800")
def test_nothing_makes_it_raise(value: JsonValue, path: str, op: Op, wanted: Scalar) -> None:
    result = check(Claim.model_construct(says="-", evidence_id="E-1", path=path, op=op, value=wanted), value)
    assert result.held or result.why


@given(st.dictionaries(st.text(max_size=8), values, min_size=1, max_size=4), st.data())
def test_every_key_can_be_pointed_at(value: dict[str, JsonValue], data: st.DataObject) -> None:
    key = data.draw(st.sampled_from(sorted(value)))
    path = "/" + key.replace("~", "~0").replace("/", "~1")
    assert check(Claim(says="-", evidence_id="E-1", path=path, op="exists"), value).held
