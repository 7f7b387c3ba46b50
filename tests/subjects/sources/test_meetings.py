"""What an endpoint's answers tell beside their bodies: when its certificate ends, and what time it has."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from opsai_subjects.config import WebLimits
from opsai_subjects.endpoint import Access
from opsai_subjects.errors import SourceRefused
from opsai_subjects.model import WallClock
from opsai_subjects.sources.meetings import Meeting, Meetings
from opsai_subjects.sources.web import open_web
from tests.subjects.sources.loopback import bytes_of, http, loopback
from tests.subjects.sources.pki import made_in

pytestmark = pytest.mark.anyio


async def met(answer: bytes, access: Access | None = None, *, folder: Path | None = None) -> Meeting:
    meetings = Meetings(WallClock())
    tls = made_in(folder).server() if folder is not None else None
    async with (
        loopback(bytes_of(answer), tls) as served,
        open_web(access or Access(), WebLimits(), allow=("/x", "/y"), meetings=meetings) as web,
    ):
        await web.get(f"{served.url}/x", of="a node")
        (only,) = meetings.all()
        assert meetings.of(f"{served.url}/y/z") == only
    return only


def dated(seconds: float) -> bytes:
    at = datetime.now(UTC) + timedelta(seconds=seconds)
    return http(200, b"in", Date=format_datetime(at, usegmt=True))


async def test_over_tls_the_end_of_the_certificate_is_known(tmp_path: Path) -> None:
    found = await met(dated(0), Access(ca_file=tmp_path / "ca.pem"), folder=tmp_path)

    assert found.is_tls
    assert found.certificate_ends_at is not None
    assert timedelta(minutes=59) < found.certificate_ends_at - datetime.now(UTC) <= timedelta(hours=1)


async def test_a_certificate_that_nobody_checks_tells_nothing(tmp_path: Path) -> None:
    found = await met(dated(0), Access(verify=False), folder=tmp_path)

    assert (found.is_tls, found.certificate_ends_at) == (True, None)


async def test_over_plain_http_there_is_no_certificate_and_there_is_a_clock() -> None:
    found = await met(dated(90))

    assert (found.is_tls, found.certificate_ends_at) == (False, None)
    assert found.clock_ahead_seconds == pytest.approx(90, abs=1.5)


@pytest.mark.parametrize(
    "date", ["", "yesterday", "Tue, 99 Foo 2026 00:00:00 GMT", "Tue, 01 Jan 99999999999 00:00:00 GMT"]
)
async def test_an_answer_without_a_date_tells_no_time(date: str) -> None:
    assert (await met(http(200, b"in", Date=date))).clock_ahead_seconds is None


async def test_a_refusal_tells_the_time_too_and_an_endpoint_never_met_tells_none() -> None:
    meetings = Meetings(WallClock())
    answer = http(500, b"no", Date=format_datetime(datetime.now(UTC), usegmt=True))
    async with (
        loopback(bytes_of(answer)) as served,
        open_web(Access(), WebLimits(), allow=("/x",), meetings=meetings) as web,
    ):
        with pytest.raises(SourceRefused):
            await web.get(f"{served.url}/x", of="a node")

        found = meetings.of(served.url)
        assert found is not None
        assert found.clock_ahead_seconds == pytest.approx(0, abs=1.5)
        assert meetings.of("http://127.0.0.1:1") is None
        assert meetings.of("http://[") is None
