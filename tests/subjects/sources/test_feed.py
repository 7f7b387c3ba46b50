"""A container's output gives the same lines however the network cuts it, and no bytes end a search."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from opsai_subjects.model import LogQuery, utc
from opsai_subjects.sources.docker import Frames
from opsai_subjects.sources.feed import Feed, Sifting, moment
from opsai_subjects.sources.logs import Harvest, Sieve
from tests.subjects.sources.fake_docker import frame
from tests.subjects.sources.toy import parse, window

STREAM = b"".join(frame(n, f"{n}.0 INFO tick {n}") + frame(n, f"  goes on {n}", 2) for n in range(1, 20))
WHOLE = LogQuery(window(0, 15))


def sifting(harvest: Harvest) -> Sifting:
    return Sifting(parse, Sieve(WHOLE), harvest, utc(15))


def parts(data: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[a:b] for a, b in pairwise(places)]


def read(pieces: list[bytes]) -> tuple[list[str], str, str]:
    harvest = Harvest(1000, newest_first=False)
    feed = Feed("n", sifting(harvest))
    frames = Frames(feed)
    for piece in pieces:
        if not frames.take(piece):
            break
    feed.end()
    return [line.text for line in harvest.lines()], feed.stopped, frames.broken


@given(st.lists(st.integers(0, 10_000), max_size=40))
def test_frames_cut_anywhere_give_the_same_lines(cuts: list[int]) -> None:
    texts, stopped, broken = read(parts(STREAM, cuts))

    assert texts == [f"{n}.0 INFO tick {n}   goes on {n}" for n in range(1, 16)]
    assert (stopped, broken) in (("", ""), ("past", ""))


@given(st.binary(max_size=400), st.lists(st.integers(0, 400), max_size=8))
def test_no_bytes_raise(data: bytes, cuts: list[int]) -> None:
    read(parts(data, cuts))
    feed = Feed("n", sifting(Harvest(10, newest_first=True)))
    for piece in parts(data, cuts):
        feed.take(piece)
    feed.end()


@given(st.text(max_size=40))
def test_no_text_for_a_time_raises(text: str) -> None:
    found = moment(text)

    assert found is None or found.tzinfo is not None


def test_times_of_runtimes_are_read_to_the_microsecond_and_gos_zero_is_none() -> None:
    assert moment("1970-01-01T00:00:01.668607451Z") == utc(1.668607)
    assert moment("1970-01-01T02:00:01+02:00") == utc(1)
    assert moment("0001-01-01T00:00:00Z") is None
    assert moment("1970-01-01T00:00:01") is None
