"""Opening a cluster from settings and from a recording."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from opsai_subjects.config import ClusterSettings, WebLimits
from opsai_subjects.errors import OpsaiError, RecordingCorrupt, SettingsInvalid, SourceRefused, UnknownName
from opsai_subjects.model import LogQuery, WallClock, Window
from opsai_subjects.opening import open_cluster, open_replay, parse_moment
from opsai_subjects.recording.folder import Recording, open_recording
from tests.subjects.recording.making import INCIDENT, make
from tests.subjects.recording.opened import INCIDENTS
from tests.subjects.sources.loopback import bytes_of, http, loopback

pytestmark = pytest.mark.anyio


async def test_a_live_cluster_is_looked_at_through_what_its_settings_name(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    (tmp_path / "tikv.log").write_text(
        f'[{now:%Y/%m/%d %H:%M:%S}.000 +00:00] [INFO] [lib.rs:1] ["Welcome to TiKV"]\n', encoding="utf-8"
    )
    body = b'{"status":"success","data":{"resultType":"scalar","result":[1,"2"]}}'
    async with loopback(bytes_of(http(200, body))) as served:
        settings = ClusterSettings(
            endpoints=(served.url,), prometheus=served.url, logs={"tikv1": str(tmp_path / "tikv.log")}
        )
        async with open_cluster("prod", settings, WebLimits()) as cluster:
            sources = cluster.subject.sources
            assert sources.metrics is not None
            assert sources.logs is not None
            assert (await sources.metrics.instant("1 + 1")).series[0].last == 2.0
            members = await sources.web.get(f"{served.url}/pd/api/v1/members", of="pd")
            page = await sources.logs.search(LogQuery(Window.last(60, now)))
            with pytest.raises(OpsaiError, match="is not one that may be read"):
                await sources.web.get(f"{served.url}/pd/api/v1/operators/1/cancel", of="pd")

    assert members.body == body
    assert [line.message for line in page.lines] == ["Welcome to TiKV"]
    assert (cluster.name, cluster.recording, cluster.subject.cluster) == ("prod", None, "prod")
    assert isinstance(cluster.clock, WallClock)
    assert served.paths == [
        "/api/v1/query?query=1+%2B+1&time=" + served.paths[0].rpartition("=")[2],
        "/pd/api/v1/members",
    ]


@pytest.mark.parametrize(
    ("set_here", "says"),
    [
        (
            {"limits": {"store_pretty": 1.0}},
            "[clusters.prod.limits] names 'store_pretty', which is no invariant with a",
        ),
        (
            {"limits": {"store_stays_up": 1.0}},
            "names 'store_stays_up', which is no invariant with a limit to set of tikv",
        ),
        (
            {"for_seconds": {"store_pretty": 1.0}},
            "[clusters.prod.for_seconds] names 'store_pretty', which is no invariant",
        ),
    ],
)
async def test_a_limit_of_an_unknown_invariant_is_refused_with_those_there_are(
    set_here: dict[str, dict[str, float]], says: str
) -> None:
    settings = ClusterSettings.model_validate({"pd": ("pd:2379",), **set_here})
    with pytest.raises(SettingsInvalid, match=re.escape(says)) as refused:
        async with open_cluster("prod", settings, WebLimits()):
            pass
    assert "store_not_slow" in str(refused.value).partition("Known: ")[2]


async def test_a_limit_and_a_holding_time_that_are_set_are_those_of_the_cluster() -> None:
    settings = ClusterSettings(
        endpoints=("pd:2379",),
        limits={"store_not_slow": 60.0},
        for_seconds={"store_not_slow": 0.0, "store_stays_up": 90.0},
    )
    async with open_cluster("prod", settings, WebLimits()) as cluster:
        known = {one.id: one for one in cluster.subject.invariants}
    assert (known["store_not_slow"].limit, known["store_not_slow"].for_seconds) == (60.0, 0.0)
    assert (known["store_stays_up"].limit, known["store_stays_up"].for_seconds) == (None, 90.0)
    assert len(known) == len(cluster.subject.kind.invariants)


async def test_what_is_not_set_is_absent() -> None:
    async with open_cluster("prod", ClusterSettings(endpoints=("pd:2379",), scrape=False), WebLimits()) as cluster:
        assert cluster.subject.sources.metrics is None
        assert cluster.subject.sources.logs is None


async def test_paths_below_a_proxys_prefix_are_allowed_and_no_others() -> None:
    async with loopback(bytes_of(http(500))) as served:
        settings = ClusterSettings(endpoints=(f"{served.url}/pd.one",), prometheus=f"{served.url}/prom")
        async with open_cluster("prod", settings, WebLimits()) as cluster:
            for path in ("/pd.one/pd/api/v1/members", "/pd/api/v1/members"):
                with pytest.raises(SourceRefused):
                    await cluster.subject.sources.web.get(served.url + path, of="pd")
            for path in ("/pdxone/pd/api/v1/members", "/prom/api/v1/query"):
                with pytest.raises(OpsaiError, match="is not one that may be read"):
                    await cluster.subject.sources.web.get(served.url + path, of="pd")
            assert cluster.subject.sources.metrics is not None
            with pytest.raises(SourceRefused):
                await cluster.subject.sources.metrics.instant("up")

    assert len(served.paths) == 3


async def test_a_cluster_that_is_nowhere_is_refused_with_what_to_set() -> None:
    with pytest.raises(SettingsInvalid) as invalid:
        async with open_cluster("prod", ClusterSettings(), WebLimits()):
            pass

    assert str(invalid.value) == (
        "Nothing says where the cluster 'prod' is. Give --endpoint URL (a PD member; and --prometheus URL), or set endpoints "
        "under [clusters.prod]."
    )


async def test_an_unknown_subject_is_refused_with_those_installed(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match=r"There is no subject 'mongo'\. Known: .*tikv"):
        async with open_cluster("prod", ClusterSettings(subject="mongo", endpoints=("x:1",)), WebLimits()):
            pass
    with pytest.raises(UnknownName, match="There is no subject 'mongo'"):
        async with open_replay(make(tmp_path / "made", incident={**INCIDENT, "subject": "mongo"})):
            pass


async def test_a_recording_is_a_cluster_with_names_addresses_and_a_clock_of_its_own() -> None:
    async with open_replay(INCIDENTS / "amber-heron", at="end") as cluster:
        incident = cluster.recording.incident
        assert cluster.clock.now() == incident.end
        cluster.clock.set(incident.start + timedelta(seconds=90))
        facts = await cluster.subject.facts()

    assert (cluster.name, cluster.subject.kind.name) == (incident.cluster, "tikv")
    assert cluster.settings.endpoints == ("http://10.77.0.11:2379", "http://10.77.0.12:2379", "http://10.77.0.13:2379")
    assert cluster.settings.names["10.77.0.21:20160"] == cluster.settings.names["10.77.0.21:20180"] == "tikv1"
    assert set(cluster.settings.addresses) == set(cluster.settings.names)
    assert all(re.fullmatch(r"127\.0\.0\.1:\d+", target) for target in cluster.settings.addresses.values())
    assert facts.at == incident.start + timedelta(seconds=90)
    assert sorted(node.name for node in facts.nodes) == ["pd1", "pd2", "pd3", "tikv1", "tikv2", "tikv3"]


async def test_two_recordings_can_be_open_at_once() -> None:
    async with open_replay(INCIDENTS / "amber-heron") as one, open_replay(INCIDENTS / "birch-lynx", at="end") as other:
        assert set(one.settings.addresses.values()) & set(other.settings.addresses.values()) == set()
        assert one.clock.now() < other.clock.now()


async def test_a_folder_that_is_no_recording_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordingCorrupt, match=r"incident\.json: the file is missing"):
        async with open_replay(tmp_path):
            pass


async def test_a_clock_is_set_to_a_moment_with_a_zone_only() -> None:
    async with open_replay(INCIDENTS / "amber-heron") as cluster:
        with pytest.raises(ValueError, match="has no time zone"):
            cluster.clock.set(datetime(2026, 1, 1))  # noqa: DTZ001
        cluster.clock.set(datetime.fromisoformat("2026-11-24T01:05:13+02:00"))

        assert cluster.clock.now().isoformat() == "2026-11-23T23:05:13+00:00"


@pytest.fixture
def recording(tmp_path: Path) -> Recording:
    return open_recording(make(tmp_path / "made"))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("start", 0),
        (" end ", 300),
        ("+90s", 90),
        ("+90", 90),
        ("+1.5m", 90),
        ("2026-03-01T12:01:30Z", 90),
        ("2026-03-01T13:01:30+01:00", 90),
        ("2026-03-01 12:01:30", 90),
    ],
)
def test_a_moment_is_given_by_word_by_distance_or_by_time(recording: Recording, text: str, seconds: float) -> None:
    assert parse_moment(text, recording) - recording.incident.start == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "noon", "+90h", "+301s", "-5s", "2026-03-01T11:59:59Z", "2026-03-02", "+999999m"])
def test_what_is_no_moment_of_the_recording_is_refused_with_those_that_are(recording: Recording, text: str) -> None:
    with pytest.raises(SettingsInvalid) as invalid:
        parse_moment(text, recording)

    assert str(invalid.value) == (
        f"{text!r} is no moment of the recording. Give start, end, +90s (after the start) or a time between "
        "2026-03-01T12:00:00+00:00 and 2026-03-01T12:05:00+00:00."
    )


async def test_logs_of_several_kinds_stand_behind_one_source(tmp_path: Path) -> None:
    settings = ClusterSettings.model_validate(
        {
            "pd": ["pd:2379"],
            "logs": {"a": str(tmp_path / "none.log")},
            "docker": {"url": f"unix://{tmp_path}/none.sock", "containers": {"b": "b"}},
            "kubernetes": {"url": "http://127.0.0.1:1", "namespace": "db", "pods": {"d": "d"}},
            "loki": {"url": "http://127.0.0.1:1/loki", "selector": '{app="tikv"}', "nodes": {"c": "c"}},
        }
    )
    async with open_cluster("prod", settings, WebLimits()) as cluster:
        logs, states = cluster.subject.sources.logs, cluster.subject.sources.states
        assert logs is not None
        assert states is not None
        page = await logs.search(LogQuery(Window.last(60, datetime.now(UTC))))
        told = await states.last_states()

    assert [unread.source for unread in page.unread] == ["logs:a", "logs:b", "logs:d", "loki"]
    assert "no file matches" in page.unread[0].why
    assert "Loki at http://127.0.0.1:1/loki: no connection" in page.unread[3].why
    assert [unread.source for unread in told.unread] == ["logs:b", "logs:d"]
