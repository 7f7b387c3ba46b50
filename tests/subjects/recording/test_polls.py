"""What a recorded node answers as of a moment, alive, dying, hanging, dead and back."""

import pytest

from opsai_subjects.recording.polls import Failed, Key, Poll, Polls, key_of

PD = tuple(key_of(f"/pd/{name}", local=False) for name in ("ping", "members", "stores", "config", "schedulers"))
PING, MEMBERS, STORES, CONFIG, SCHEDULERS = PD
REFUSED, HUNG = "ConnectionRefusedError: [Errno 111] Connection refused", "TimeoutError: timed out"


def polled(*rounds: tuple[float, str]) -> Polls:
    """Make a node's polls: each round begins at a second and says for each path of PD, in order, how it went.

    `o` is an answer, `r` refused, `t` timed out, `d` disconnected, `-` not due; the paths beyond were not asked.
    """
    polls = Polls()
    for start, outcomes in rounds:
        for place, outcome in enumerate(outcomes):
            at = start + place / 10
            error = {"r": REFUSED, "t": HUNG, "d": "RemoteDisconnected: Remote end closed"}.get(outcome, "")
            if outcome != "-":
                polls.add(
                    "pd1", at, PD[place], 0 if error else 200, "" if error else f"{PD[place].path}@{start:g}", error
                )
    return polls


def seen(polls: Polls, key: Key, at: float) -> str:
    """Say what is answered: the body, the failure, or nothing."""
    found = polls.answer("pd1", key, at)
    if isinstance(found, Poll):
        return found.sha
    return found.failure if isinstance(found, Failed) else "not recorded"


def test_a_path_answers_with_its_own_newest_poll_and_knows_nothing_of_later_ones() -> None:
    polls = polled((0, "ooooo"), (5, "ooo"), (10, "ooo"))

    assert [seen(polls, STORES, at) for at in (0.1, 0.2, 5.1, 5.2, 12)] == [
        "not recorded",
        "/pd/stores@0",
        "/pd/stores@0",
        "/pd/stores@5",
        "/pd/stores@10",
    ]


def test_a_path_that_is_polled_less_often_keeps_its_last_answer() -> None:
    polls = polled((0, "ooooo"), *((at, "oo-o") for at in range(5, 60, 5)))

    assert seen(polls, STORES, 59) == "/pd/stores@0"
    assert seen(polls, SCHEDULERS, 59) == "/pd/schedulers@0"
    assert seen(polls, CONFIG, 59) == "/pd/config@55"


def test_what_was_never_asked_is_not_recorded_and_neither_is_a_node_before_its_first_poll() -> None:
    polls = polled((10, "oo"))

    assert seen(polls, key_of("/pd/other", local=False), 11) == "not recorded"
    assert seen(polls, key_of("/pd/ping", local=True), 11) == "not recorded"
    assert seen(polls, PING, 9) == "not recorded"
    assert polls.answer("pd9", PING, 11) is None


def test_a_node_that_nobody_polled_for_long_times_out() -> None:
    polls = polled((0, "ooooo"))

    assert seen(polls, PING, 15.4) == "/pd/ping@0"
    assert seen(polls, PING, 15.5) == "timed_out"
    assert seen(polls, key_of("/pd/other", local=False), 15.5) == "timed_out"


def test_a_dead_node_refuses_every_path_also_those_nobody_asked_since() -> None:
    polls = polled((0, "ooooo"), (5, "dr"), (10, "rr"), (15, "rr"))

    assert seen(polls, MEMBERS, 4.9) == "/pd/members@0"
    assert seen(polls, CONFIG, 5.0) == "disconnected"
    for key in (*PD, key_of("/pd/other", local=True)):
        assert [seen(polls, key, at) for at in (5.1, 10, 16)] == ["unreachable"] * 3


def test_a_hung_node_times_out_on_every_path_between_its_slow_errors_too() -> None:
    polls = polled((0, "ooooo"), (5, "t"), (8, "-t"), (11, "t"), (14, "-t"))

    assert {seen(polls, key, at) for key in PD for at in (5, 7.9, 9, 12.5, 20)} == {"timed_out"}


def test_a_node_that_is_back_answers_with_what_it_says_now_and_not_yet_with_what_it_was_not_asked() -> None:
    polls = polled((0, "ooooo"), (5, "rr"), (10, "oo---"), (15, "oooo"), (20, "ooooo"))

    assert seen(polls, PING, 10.0) == "/pd/ping@10"
    assert seen(polls, STORES, 10.0) == "unreachable"
    assert seen(polls, STORES, 16) == "/pd/stores@15"
    assert seen(polls, SCHEDULERS, 16) == "/pd/schedulers@0"
    assert seen(polls, SCHEDULERS, 21) == "/pd/schedulers@20"


def test_one_error_among_answers_is_that_paths_own() -> None:
    polls = polled((0, "ooooo"), (5, "otooo"), (10, "o"))

    assert seen(polls, MEMBERS, 9) == "timed_out"
    assert seen(polls, MEMBERS, 10) == "timed_out"
    assert seen(polls, STORES, 10) == "/pd/stores@5"


def test_a_round_that_was_broken_off_leaves_what_it_never_reached_with_its_error() -> None:
    polls = polled((0, "ooooo"), (5, "ott"), (10, "ott"), (15, "o"))

    assert seen(polls, PING, 12) == "/pd/ping@10"
    assert seen(polls, CONFIG, 5.0) == "/pd/config@0"
    assert seen(polls, CONFIG, 5.1) == "/pd/config@0"
    assert [seen(polls, CONFIG, at) for at in (5.2, 9, 12, 15)] == ["timed_out"] * 4
    assert seen(polls, PING, 15) == "/pd/ping@15"


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (REFUSED, "unreachable"),
        ("OSError: [Errno 113] No route to host", "unreachable"),
        ("OSError: timed out", "timed_out"),
        (HUNG, "timed_out"),
        ("ConnectTimeoutError: x", "timed_out"),
        ("RemoteDisconnected: Remote end closed connection without response", "disconnected"),
        ("ConnectionResetError: [Errno 104] Connection reset by peer", "disconnected"),
        ("IncompleteRead: IncompleteRead(10 bytes read)", "disconnected"),
    ],
)
def test_every_recorded_error_has_its_class(error: str, failure: str) -> None:
    polls = Polls()
    polls.add("pd1", 0, PING, 0, "", error)

    assert polls.answer("pd1", PING, 1) == Failed(failure, error)  # type: ignore[arg-type]


def test_a_querys_order_does_not_matter_and_its_values_do() -> None:
    assert key_of("/x?b=2&a=1&a=0&c=", local=False) == key_of("/x?a=0&a=1&c=&b=2", local=False)
    assert key_of("/x?a=0", local=False) != key_of("/x?a=1", local=False)
    assert key_of("/x", local=False) != key_of("/x", local=True)
