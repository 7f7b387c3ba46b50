"""What `opsai check` says of the watcher and of sources."""

from datetime import UTC, datetime, timedelta

from opsai_lab.checking import Checked, checked_text, watcher_sight
from opsai_server.tickets.ticket import Heartbeat
from opsai_subjects.subject import Sight

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


def beat(seconds_ago: float, *, stopped: bool = False) -> Heartbeat:
    return Heartbeat(
        cluster="c",
        watcher="host:1",
        at=NOW - timedelta(seconds=seconds_ago),
        tick_seconds=0.2,
        interval_seconds=30,
        stopped=stopped,
    )


def test_a_watcher_that_looked_lately_is_alive() -> None:
    assert watcher_sight(beat(40), NOW).state == "ok"


def test_no_watcher_a_silent_one_and_a_stopped_one_are_each_said_with_what_to_do() -> None:
    for sight, says in (
        (watcher_sight(None, NOW), "none has ever looked"),
        (watcher_sight(beat(91), NOW), "its last look was 91 s ago"),
        (watcher_sight(beat(5, stopped=True), NOW), "it was stopped 5 s ago"),
    ):
        assert sight.state == "partial"
        assert says in sight.says
        assert "opsai-watch" in sight.advice


def test_a_blind_source_is_named_with_what_it_costs_and_what_to_set() -> None:
    ok = Sight(source="pd", state="ok", identity="v8.5", says="three members answer")
    blind = Sight(source="prometheus", state="blind", says="no URL is set", advice="--prometheus URL")
    checked = Checked("prod", (ok, blind))

    text = checked_text(checked)

    assert checked.blind
    assert "BLIND  prometheus" in text
    assert "try: --prometheus URL" in text
    assert text.endswith("Blind: prometheus. What depends on it is unknown, never healthy.")
    assert not Checked("prod", (ok,)).blind
