"""The rule-based investigator, on hand-made replies: it knows no subject, only what the replies say."""

from pathlib import Path

import pytest

from opsai_agent.backend import SUBMIT
from opsai_agent.budget import Limits
from opsai_agent.rules import NAME
from tests.agent.works import CAUSE, KIND, PLACE, SIGNS, WELL, Works, asked, submitted

pytestmark = pytest.mark.anyio


async def test_the_causes_are_the_differentials(tmp_path: Path) -> None:
    outcome = await asked(Works(), tmp_path)

    found = submitted(outcome)
    assert outcome.by == NAME == "rules (no model)"
    assert found.verdict == "fault"
    assert [(cause.kind, cause.entity) for cause in found.root_causes] == [("valve_stuck", WELL)]
    assert found.root_causes[0].explanation == "The valve is stuck. It is stuck. Its flow is 0.5 l/s."


async def test_claims_are_the_tickets_verdict_then_each_sign_with_its_figure(tmp_path: Path) -> None:
    found = submitted(await asked(Works(), tmp_path))

    assert [(c.evidence_id, c.path, c.op, c.value) for c in found.claims] == [
        ("E-check_invariants", "/verdicts/flows/pump:2~1a~0b/state", "==", "violated"),
        ("E-differential", f"{PLACE}/stuck/state", "==", "shown"),
        ("E-differential", f"{PLACE}/dry/state", "==", "shown"),
        ("E-differential", f"{PLACE}/dry/value", "<", 2.0),
        ("E-differential", f"{PLACE}/noise/state", "==", "shown"),
        ("E-differential", f"{PLACE}/noise/value", ">=", 60.0),
    ]


async def test_each_rival_is_named_with_what_contradicts_it(tmp_path: Path) -> None:
    other = {"kind": "flood", "entity": "pump:1", "standing": "contradicted", "contradiction": ["wet"]}

    found = submitted(await asked(Works(candidates=[other]), tmp_path))

    assert [(other.kind, other.entity, other.against) for other in found.alternatives] == [
        ("no_power", WELL, "it has power."),
        ("leak", WELL, "Nothing that was read contradicts it; unknown: puddle."),
        ("flood", "pump:1", "Contradicted by wet."),
    ]
    assert [(c.path, c.value) for c in found.alternatives[0].claims] == [(f"{PLACE}/power/state", "shown")]


async def test_other_entities_of_a_cause_that_befalls_several_are_no_alternatives(tmp_path: Path) -> None:
    same = {"kind": "valve_stuck", "entity": "pump:1", "standing": "fits"}
    consequence = {"kind": "dry_town", "entity": "town", "standing": "fits"}
    open_one = {"kind": "frost", "entity": "town", "standing": "possible", "unknown": ["cold"]}
    works = Works(candidates=[same, consequence, open_one], kind={**KIND, "collective": True})

    found = submitted(await asked(works, tmp_path))

    assert [(other.kind, other.against) for other in found.alternatives[2:]] == [
        ("dry_town", "It fits as well, and valve_stuck explains it."),
        ("frost", "Nothing that was read contradicts it; unknown: cold."),
    ]


async def test_what_moved_with_it_is_told_with_figures_and_times(tmp_path: Path) -> None:
    found = submitted(await asked(Works(), tmp_path))

    assert [(m.metric, m.entity, m.says) for m in found.correlated_metrics] == [
        (
            "flow",
            WELL,
            "first 5 l/s, min 0.5 l/s, max 5.123 l/s, last 0.5 l/s; changed at 2026-11-23T22:59:59Z by -4.5 l/s.",
        )
    ]
    assert "2026-11-23T22:59:58Z: The valve was turned." in found.summary
    assert 'New in its log since 22:59:58: 3 times "valve # jammed" [E-search_logs].' in found.summary
    assert "T-7: raised" not in found.summary
    assert "Another pump" not in found.summary


async def test_it_looks_at_the_time_around_the_tickets_onset(tmp_path: Path) -> None:
    works = Works()

    await asked(works, tmp_path)

    window = {"start": "2026-11-23T22:57:00+00:00", "end": "2026-11-23T23:07:00+00:00"}
    assert ("timeline", window) in works.asked


async def test_the_onset_is_that_of_the_earliest_sign_and_what_was_before_it_is_left_out(tmp_path: Path) -> None:
    late = {**SIGNS["stuck"], "since": "2026-11-23T23:01:40Z"}
    works = Works(signs={**SIGNS, "stuck": late})

    found = submitted(await asked(works, tmp_path))

    assert ("timeline", {"start": "2026-11-23T22:58:40+00:00", "end": "2026-11-23T23:08:40+00:00"}) in works.asked
    lines = next(arguments for name, arguments in works.asked if name == "search_logs")
    assert lines["start"] == "2026-11-23T23:01:10+00:00"
    assert "The valve was turned." not in found.summary


async def test_without_a_ticket_it_looks_at_the_last_minutes_and_claims_no_ticket(tmp_path: Path) -> None:
    works = Works()

    found = submitted(await asked(works, tmp_path, ticket=None))

    assert ("timeline", {"minutes": 10.0}) in works.asked
    assert ("differential", {}) in works.asked
    assert not any(claim.path.startswith("/verdicts") for claim in found.claims)
    assert found.verdict == "fault"


async def test_signs_that_come_in_pages_are_read_to_their_end(tmp_path: Path) -> None:
    works = Works(page=4)

    found = submitted(await asked(works, tmp_path))

    assert [a["offset"] for n, a in works.asked if n == "evidence" and "offset" in a] == [4]
    assert len(found.claims) == 6
    assert found.alternatives[0].claims


async def test_what_is_over_is_recovered_and_its_ticket_is_claimed_by_the_evidence_of_its_raising(
    tmp_path: Path,
) -> None:
    works = Works(causes=[{**CAUSE, "active": False}], violated=[])

    found = submitted(await asked(works, tmp_path))

    assert found.verdict == "recovered"
    assert found.claims[0].evidence_id == "E-raised"
    assert found.claims[0].says == "no flow"
    assert found.action.do == "It is over; to keep it from coming back: Open the valve by hand."


async def test_nothing_violated_and_no_cause_is_healthy(tmp_path: Path) -> None:
    found = submitted(await asked(Works(causes=[], violated=[]), tmp_path, ticket=None))

    assert found.verdict == "healthy"
    assert found.root_causes == ()
    assert found.action.touches == "nothing"


async def test_something_violated_that_no_kind_explains_is_inconclusive_and_names_what_to_read(tmp_path: Path) -> None:
    possible = {"kind": "leak", "entity": WELL, "standing": "possible"}

    found = submitted(await asked(Works(causes=[], candidates=[possible]), tmp_path))

    assert found.verdict == "inconclusive"
    assert "flows on pump:2/a~b: its flow is 0.5 l/s, below 2." in found.summary
    assert "leak on pump:2/a~b" in found.summary
    assert found.action.do == "Read what is unknown about leak on pump:2/a~b next."


async def test_trouble_of_the_monitoring_alone_is_none_of_the_cluster(tmp_path: Path) -> None:
    blind = {"invariant": "seen", "entity": WELL, "grade": "sight", "says": "its meter cannot be read"}

    found = submitted(await asked(Works(causes=[], violated=[blind]), tmp_path))

    assert found.verdict == "healthy"
    assert "seen on pump:2/a~b: its meter cannot be read." in found.summary
    assert found.action.do.startswith("Restore our sight of pump:2/a~b")


async def test_what_is_mostly_unknown_is_not_called_healthy(tmp_path: Path) -> None:
    blind = {"invariant": "seen", "entity": WELL, "grade": "sight", "says": "its meter cannot be read"}
    counts = {"held": 3, "violated": 1, "unknown": 4}

    found = submitted(await asked(Works(causes=[], violated=[blind], counts=counts), tmp_path))

    assert found.verdict == "inconclusive"
    assert "Most cannot be seen: 4 verdicts are unknown and 3 held." in found.summary
    assert found.action.do.startswith("Restore our sight of pump:2/a~b")


@pytest.mark.parametrize("tool", ["check_invariants", "differential"])
async def test_what_could_not_be_judged_is_not_called_healthy(tmp_path: Path, tool: str) -> None:
    found = submitted(await asked(Works(causes=[], violated=[], fails=(tool,)), tmp_path, ticket=None))

    assert found.verdict == "inconclusive"
    assert f"{tool} could not be read" in found.summary


async def test_tools_that_only_add_may_fail(tmp_path: Path) -> None:
    works = Works(fails=("overview", "tickets", "timeline", "query_metrics", "search_logs", "knowledge"))

    found = submitted(await asked(works, tmp_path))

    assert found.verdict == "fault"
    assert found.correlated_metrics == ()


async def test_tools_that_are_not_offered_are_not_called(tmp_path: Path) -> None:
    works = Works(names=("overview", "tickets", "check_invariants", "differential", "evidence", SUBMIT))

    await asked(works, tmp_path)

    assert {name for name, _ in works.asked} <= set(works.names)


async def test_an_action_refused_for_a_quorum_becomes_one_that_only_watches_and_says_why(tmp_path: Path) -> None:
    works = Works(kind={**KIND, "touches": "restart", "do": "Restart it."}, quorum_at_risk=True)

    found = submitted(await asked(works, tmp_path))

    assert found.action.touches == "nothing"
    assert found.action.do == (
        "Leave pump:2/a~b as it is for now and keep watching it until every quorum is known to be safe."
    )
    assert "To restart it would put a quorum at risk now." in found.action.because
    assert found.verdict == "fault"


async def test_a_safe_restart_is_recommended_as_it_is(tmp_path: Path) -> None:
    works = Works(kind={**KIND, "touches": "restart", "do": "Restart it."})

    found = submitted(await asked(works, tmp_path))

    assert (found.action.touches, found.action.do, found.action.entity) == ("restart", "Restart it.", WELL)


async def test_refused_twice_it_claims_less(tmp_path: Path) -> None:
    outcome = await asked(Works(refuses=2), tmp_path)

    assert submitted(outcome).claims == ()
    assert outcome.concluded_by_loop == ""


async def test_told_to_submit_early_it_submits_what_it_has(tmp_path: Path) -> None:
    outcome = await asked(Works(), tmp_path, limits=Limits(steps=4))

    assert outcome.concluded_by_loop == ""
    assert submitted(outcome).verdict == "fault"


async def test_what_the_stored_differential_does_not_give_is_taken_from_its_reply(tmp_path: Path) -> None:
    found = submitted(await asked(Works(fails=("evidence",)), tmp_path))

    assert [claim.path for claim in found.claims[1:]] == [f"{PLACE}/stuck/state", f"{PLACE}/dry/state"]
    assert found.action.do == "Open the valve."
    assert found.alternatives[0].against == "Contradicted by power."


async def test_two_causes_are_both_named_and_claimed(tmp_path: Path) -> None:
    second = {"kind": "valve_stuck", "entity": "pump:1", "standing": "fits", "active": False}

    found = submitted(await asked(Works(causes=[CAUSE, second]), tmp_path))

    assert [cause.entity for cause in found.root_causes] == [WELL, "pump:1"]
    assert found.verdict == "fault"


async def test_the_same_replies_give_the_same_submission(tmp_path: Path) -> None:
    first = submitted(await asked(Works(), tmp_path))

    assert submitted(await asked(Works(), tmp_path)) == first
