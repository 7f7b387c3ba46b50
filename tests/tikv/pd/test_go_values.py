"""Sizes, durations, times and timestamps as Go and Rust write them."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsai_tikv.pd.go_values import duration_seconds, go_time, rfc3339, size_bytes, tso_time, unix_seconds


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0B", 0),
        ("1.8GiB", 1.8 * 1024**3),
        ("1.718TiB", 1.718 * 1024**4),
        ("931.3GiB", 931.3 * 1024**3),
        ("512KiB", 512 * 1024),
        ("102 GB", 102 * 1024**3),
        ("1e+03KiB", 1000 * 1024),
        ("12", 12),
    ],
)
def test_sizes_are_read(text: str, size: float) -> None:
    assert size_bytes(text) == pytest.approx(size)


@pytest.mark.parametrize("text", ["", "GiB", "-1GiB", "1.7.1GiB", "NaN", "inf", "1GiBB", "１GiB"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a size"):
        size_bytes(text)


@given(st.integers(0, 2**60))
def test_a_size_that_docker_s_go_units_prints_is_read_to_its_four_digits(size: int) -> None:
    value, units = float(size), ["B", "KiB", "MiB", "GiB", "TiB", "PiB"]
    while value >= 1024 and len(units) > 1:
        value, units = value / 1024, units[1:]
    assert size_bytes(f"{value:.4g}{units[0]}") == pytest.approx(size, rel=1e-3)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0s", 0),
        ("0", 0),
        ("12h3m4.005s", 43384.005),
        ("30m0s", 1800),
        ("10ms", 0.01),
        ("1.5µs", 1.5e-6),
        ("-1.5h", -5400),
        ("53.531306ms", 0.053531306),
    ],
)
def test_durations_are_read(text: str, seconds: float) -> None:
    assert duration_seconds(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "s", "5", "1d", "1h 2m", "--1s", "1..5s", "٣s"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration"):
        duration_seconds(text)


@given(st.integers(0, 10**6), st.integers(0, 59), st.integers(0, 59), st.integers(0, 999))
def test_a_duration_that_go_prints_is_read_back(hours: int, minutes: int, seconds: int, millis: int) -> None:
    text = f"{hours}h{minutes}m{seconds}.{millis:03d}s"
    assert duration_seconds(text) == pytest.approx(hours * 3600 + minutes * 60 + seconds + millis / 1000)


@given(st.text())
def test_any_text_is_read_or_refused_as_a_wrong_value(text: str) -> None:
    for read in (size_bytes, duration_seconds, rfc3339):
        try:
            read(text)
        except ValueError:
            continue
    go_time(text)


@given(
    st.datetimes(min_value=datetime(1971, 1, 2), max_value=datetime(2200, 1, 1)),  # noqa: DTZ001 - given its zone below
    st.integers(-14 * 60, 14 * 60),
    st.integers(0, 999),
)
def test_a_time_with_nanoseconds_and_any_zone_is_read_to_the_microsecond(at: datetime, ahead: int, nanos: int) -> None:
    zone = timezone(timedelta(minutes=ahead))
    local = at.replace(tzinfo=zone)
    offset = f"{'-' if ahead < 0 else '+'}{abs(ahead) // 60:02d}:{abs(ahead) % 60:02d}"
    text = f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond:06d}{nanos:03d}{offset}"
    assert rfc3339(text) == local.astimezone(UTC)


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00Z", "1970-01-01T08:00:00+08:00", "0001-01-01T00:00:00+14:00"])
def test_go_s_zero_time_is_no_time(text: str) -> None:
    assert rfc3339(text) is None


@given(st.integers(-(2**70), 2**70))
def test_any_number_is_a_timestamp_or_none(number: int) -> None:
    for found in (tso_time(number), unix_seconds(number)):
        assert found is None or found.tzinfo is UTC


def test_a_timestamp_s_physical_part_is_its_time() -> None:
    assert tso_time((1_795_475_353_000 << 18) + 17) == datetime(2026, 11, 23, 23, 9, 13, tzinfo=UTC)
