"""A peer gets its rate over any time, a burst at once, and nobody else's share."""

from hypothesis import given
from hypothesis import strategies as st

from opsai_server.rate_limit import BURST_SECONDS, MAX_PEERS, RateLimit


@given(
    st.floats(0.1, 100.0),
    st.lists(st.floats(0.0, 5.0), max_size=200),
)
def test_no_peer_gets_more_than_its_burst_and_its_rate(per_second: float, pauses: list[float]) -> None:
    now = [0.0]
    limit = RateLimit(per_second, monotonic=lambda: now[0])
    given_out = 0
    for pause in pauses:
        now[0] += pause
        given_out += limit.wait_seconds("a") == 0

    assert given_out <= max(1.0, per_second * BURST_SECONDS) + per_second * now[0] + 1e-6


def test_after_the_time_it_was_told_to_wait_a_peer_is_let_in() -> None:
    now = [0.0]
    limit = RateLimit(2.0, monotonic=lambda: now[0])
    at_once = [limit.wait_seconds("a") for _ in range(5)]
    now[0] += at_once[-1]

    assert at_once == [0, 0, 0, 0, 0.5]
    assert limit.wait_seconds("a") == 0


def test_peers_do_not_share_and_only_so_many_are_remembered() -> None:
    limit = RateLimit(0.5, monotonic=lambda: 0.0)
    first = [limit.wait_seconds("a"), limit.wait_seconds("a"), limit.wait_seconds("b")]
    for n in range(MAX_PEERS):
        limit.wait_seconds(f"peer {n}")

    assert first == [0, 2.0, 0]
    assert limit.wait_seconds("a") == 0
