"""Operators as PD prints them, in the formats of five years."""

from datetime import UTC, datetime

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from opsai_tikv.pd.operators import read_operator, read_operators

NEW = (
    "balance-region {mv peer: store [1] to [6]} (kind:region, region:482091(1021, 5), createAt:2026-08-22 10:00:01.123456789 "
    "+0800 CST m=+86400.123, startAt:2026-08-22 10:00:01.5 +0800 CST m=+86400.5, currentStep:1, size:97, "
    "steps:[0:{add learner peer 990001 on store 6}, 1:{use joint consensus, promote learner peer 990001 on store 6 to voter, "
    "demote voter peer 482092 on store 1 to learner}, 2:{remove peer on store 1}], timeout:[13m0s])"
)
FULL_WIDTH = (
    "admin-add-peer {add peer: store [3]} (kind:admin,region, region:1(1, 1), createAt:2023-06-26 16:30:54.516444 +0800 CST "
    "m=+3.298, startAt:2023-06-26 16:30:54.516797 +0800 CST m=+3.298, currentStep:0, size:1, "
    "steps:[add learner peer 1 on store 3, promote learner peer 1 on store 3 to voter]，timeout:[11m0s])"
)
OLD = (
    "balance-region {mv peer: store [3] to [1]} (kind:region, region:2094(83,101), createAt:2021-09-15 10:46:32.004309623 "
    "+0000 UTC m=+7263.3, startAt:2021-09-15 10:46:32.1 +0000 UTC m=+7263.4, currentStep:0, "
    "steps:[add learner peer 6008 on store 1, use joint consensus, remove peer on store 3])"
)


@pytest.mark.parametrize(
    ("text", "region", "steps", "timeout", "created"),
    [
        (NEW, "482091", 3, 780.0, datetime(2026, 8, 22, 2, 0, 1, 123456, UTC)),
        (FULL_WIDTH, "1", 2, 660.0, datetime(2023, 6, 26, 8, 30, 54, 516444, UTC)),
        (OLD, "2094", 3, None, datetime(2021, 9, 15, 10, 46, 32, 4309, UTC)),
    ],
)
def test_the_formats_of_all_versions_are_read(
    text: str, region: str, steps: int, timeout: float | None, created: datetime
) -> None:
    found = read_operator(text)

    assert (found.region_id, len(found.steps), found.timeout_seconds) == (region, steps, timeout)
    assert found.created_at == created
    assert "region" in found.kinds
    assert found.outcome == "running"
    assert found.text == text


def test_a_step_keeps_its_commas() -> None:
    assert read_operator(NEW).steps[1].startswith("use joint consensus, promote learner peer 990001")


@pytest.mark.parametrize(
    ("end", "outcome"),
    [("finished", "finished"), ("timeout", "timeout"), ("canceled", "canceled"), ("success", "finished")],
)
def test_a_record_tells_its_end(end: str, outcome: str) -> None:
    text = f"{NEW} {end} (finishAt:2026-08-22 10:00:03.25 +0800 CST m=+86402.2, duration:2.126543211s)"
    found = read_operator(text)

    assert (found.outcome, found.duration_seconds) == (outcome, 2.126543211)
    assert found.finished_at == datetime(2026, 8, 22, 2, 0, 3, 250000, UTC)


def test_operators_come_as_objects_too() -> None:
    (found,) = read_operators(
        [
            {
                "desc": "balance-leader",
                "brief": "transfer leader: store 1 to 4",
                "region_id": 7,
                "timeout": "1m0s",
                "status": 1,
            }
        ]
    )

    assert (found.description, found.region_id, found.timeout_seconds, found.outcome) == (
        "balance-leader",
        "7",
        60.0,
        "running",
    )


@given(st.text())
@example("rule-split... ")
@example("x {y} (kind:, region:99999999999999999999999(1,1)")
@example("a {b} (kind:c, region:1(1, 1), createAt:9999-99-99 99:99:99.9 +9999 UTC, steps:[[[[")
def test_any_text_is_kept_and_none_is_refused(text: str) -> None:
    assert read_operator(text).text == text


@given(
    st.from_regex(r"[a-z-]{3,20}", fullmatch=True),
    st.integers(1, 2**63),
    st.lists(st.from_regex(r"[a-z ]{3,30}[0-9]{1,4}", fullmatch=True), min_size=1, max_size=6),
    st.integers(1, 100),
)
@settings(max_examples=50, deadline=None)
def test_an_operator_printed_by_pd_s_format_is_read_back(
    name: str, region: int, steps: list[str], minutes: int
) -> None:
    numbered = ", ".join(f"{number}:{{{step}}}" for number, step in enumerate(steps))
    text = (
        f"{name} {{{steps[0]}}} (kind:leader, region:{region}(3, 4), createAt:2026-01-02 03:04:05.6 +0000 UTC m=+1.0, "
        f"startAt:2026-01-02 03:04:05.7 +0000 UTC m=+1.1, currentStep:0, size:9, steps:[{numbered}], timeout:[{minutes}m0s])"
    )
    found = read_operator(text)

    assert (found.description, found.region_id, found.steps) == (name, str(region), tuple(steps))
    assert found.timeout_seconds == minutes * 60
