"""Where settings come from, which wins, and what is said of those that cannot be meant."""

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsai_subjects.config import ClusterSettings, Settings, choose, cluster_of_flags, load
from opsai_subjects.endpoint import url
from opsai_subjects.errors import SettingsInvalid


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder and a configuration folder with nothing of the developer's own."""
    for name in [name for name in os.environ if name.startswith("OPSAI_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path


def toml(folder: Path, text: str, name: str = "opsai.toml") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


FULL = """
store = "tickets.sqlite"
[clusters.prod]
endpoints = ["pd1:2379", "https://pd2:2379/"]
prometheus = "metrics:9090/prom"
logs = { tikv1 = "logs/tikv*.log", pd1 = "/var/log/pd.log" }
addresses = { "10.0.0.1:2379" = "127.0.0.1:12379", "10.0.0.2:20180" = "https://proxy/tikv1/" }
names = { "10.0.0.1:2379" = "pd1" }
[clusters.prod.limits]
store_space_left = 0.15
[clusters.prod.for_seconds]
store_disk_fast = 60
[clusters.prod.cluster_access]
ca_file = "tls/ca.pem"
cert_file = "~/cert.pem"
[clusters.prod.prometheus_access]
bearer_token = "s3cret-token"
headers = { X-Scope-OrgID = "tenant" }
[watch]
interval_seconds = 10
"""


def test_without_anything_set_there_are_defaults_and_no_cluster() -> None:
    settings = load()

    assert settings.clusters == {}
    assert settings.store.name == "opsai.sqlite"
    assert settings.watch.interval_seconds == 30.0


def test_a_file_is_read_whole_and_its_paths_are_relative_to_it(alone: Path) -> None:
    file = toml(alone / "etc", FULL)
    settings = load(file)
    prod = settings.clusters["prod"]

    assert prod.endpoints == ("http://pd1:2379", "https://pd2:2379")
    assert prod.prometheus == "http://metrics:9090/prom"
    assert prod.logs == {"tikv1": f"{alone}/etc/logs/tikv*.log", "pd1": "/var/log/pd.log"}
    assert prod.addresses == {"10.0.0.1:2379": "127.0.0.1:12379", "10.0.0.2:20180": "https://proxy/tikv1"}
    assert (prod.limits, prod.for_seconds) == ({"store_space_left": 0.15}, {"store_disk_fast": 60.0})
    assert prod.cluster_access.ca_file == alone / "etc" / "tls" / "ca.pem"
    assert prod.cluster_access.cert_file == Path.home() / "cert.pem"
    assert settings.store == alone / "etc" / "tickets.sqlite"
    assert settings.watch.interval_seconds == 10.0


def test_endpoints_may_be_called_pd_in_a_file_and_in_the_environment(
    alone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = load(toml(alone / "etc", "[clusters.prod]\npd = ['pd1:2379']"))
    monkeypatch.setenv("OPSAI_CLUSTERS__lab__PD", '["pd2:2379"]')
    heard = load()

    assert told.clusters["prod"].endpoints == ("http://pd1:2379",)
    assert heard.clusters["lab"].endpoints == ("http://pd2:2379",)


def test_secrets_are_not_shown_by_printing_settings(alone: Path) -> None:
    settings = load(toml(alone / "etc", FULL))
    token = settings.clusters["prod"].prometheus_access.bearer_token

    assert token is not None
    assert token.get_secret_value() == "s3cret-token"
    assert "s3cret" not in repr(settings)
    assert "s3cret" not in settings.model_dump_json()


def test_the_file_is_the_one_named_else_of_this_folder_else_of_the_user(
    alone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interval() -> float:
        return load().watch.interval_seconds

    toml(alone / "config" / "opsai", "[watch]\ninterval_seconds = 1")
    assert interval() == 1
    toml(alone / "here", "[watch]\ninterval_seconds = 2")
    assert interval() == 2
    monkeypatch.setenv("OPSAI_CONFIG", str(toml(alone, "[watch]\ninterval_seconds = 3", "named.toml")))
    assert interval() == 3
    assert load(toml(alone, "[watch]\ninterval_seconds = 4", "flag.toml")).watch.interval_seconds == 4


def test_the_environment_wins_over_the_file_and_flags_over_both(alone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    toml(alone / "here", FULL)
    monkeypatch.setenv("OPSAI_WATCH__INTERVAL_SECONDS", "5")
    monkeypatch.setenv("OPSAI_STORE", "/tmp/other.sqlite")
    monkeypatch.setenv("OPSAI_CLUSTERS__prod__PROMETHEUS", "http://elsewhere:9090")
    settings = load(store=Path("flag.sqlite"), web=None)

    assert settings.watch.interval_seconds == 5
    assert settings.watch.hold_seconds == 60
    assert settings.store == Path("flag.sqlite")
    assert settings.clusters["prod"].prometheus == "http://elsewhere:9090"
    assert settings.clusters["prod"].endpoints == ("http://pd1:2379", "https://pd2:2379")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[watch\n", "opsai.toml is not TOML: Expected ']'"),
        (
            "[watch]\ninterval = 5",
            "watch.interval: there is no such setting; known here: interval_seconds, hold_seconds,",
        ),
        ("wach = 5", "wach: there is no such setting; known here: clusters, store, web, watch, agent"),
        (
            "[clusters.a]\nurl = 'x'",
            "clusters.a.url: there is no such setting; known here: subject, endpoints, prometheus, matchers,",
        ),
        (
            "[clusters.a.cluster_access]\nca = 'x'",
            "clusters.a.cluster_access.ca: there is no such setting; known here: ca_file,",
        ),
        ("[watch]\ninterval_seconds = 0", "watch.interval_seconds: Input should be greater than 0"),
        ("[watch]\ninterval_seconds = nan", "watch.interval_seconds: Input should be a finite number"),
        ("[watch]\njoin_seconds = 1e200", "watch.join_seconds: Input should be less than or equal to 31536000"),
        ("[web]\nmax_body_bytes = 'lots'", "web.max_body_bytes: Input should be a valid integer"),
        (
            "[clusters.a]\npd = ['pd1:2379']\nendpoints = ['pd1:2379']",
            "clusters.a: endpoints and pd are two names of one setting; give one of them",
        ),
        ("[clusters.a]\nendpoints = ['ftp://pd1']", "clusters.a.endpoints.0: 'ftp://pd1' is not a URL like http://"),
        ("[clusters.a]\npd = 'pd1:2379'", "clusters.a.pd: Input should be a valid tuple"),
        ("[clusters.a]\npd = ['ftp://pd1']", "clusters.a.pd.0: 'ftp://pd1' is not a URL like http://host:2379"),
        ("[clusters.a]\npd = ['']", "clusters.a.pd.0: '' is not a URL like http://host:2379"),
        ("[clusters.a]\npd = ['http://eve:hunter2@:1']", "clusters.a.pd.0: 'http://:1' is not a URL with a host"),
        (
            "[clusters.a]\npd = ['http://eve:hunter2/x@pd1:1']",
            "'http://pd1:1' is not a URL: in a user name or password write /",
        ),
        (
            "[clusters.a]\npd = ['http://eve:12/hunter2@pd1']",
            "'http://pd1' is not the URL of an endpoint: in a user name",
        ),
        (
            "[clusters.a]\npd = ['http://eve:1#hunter2@pd1:1']",
            "'http://pd1:1' is not the URL of an endpoint: in a user",
        ),
        ("[clusters.a]\nprometheus = 'm:9090?token=hunter2'", "'http://m:9090?…' is not the URL of an endpoint: leave"),
        ("[clusters.a]\npd = ['pd1:99999']", "clusters.a.pd.0: 'http://pd1:99999' is not a URL: Port out of range"),
        (
            "[clusters.a]\nprometheus = 'm:9090/?x=1'",
            "clusters.a.prometheus: 'http://m:9090/?…' is not the URL of an endpoint",
        ),
        ("[clusters.a]\naddresses = { pd1 = 'x:1' }", "clusters.a.addresses.pd1.[key]: 'pd1' is not host:port"),
        (
            "[clusters.a.cluster_access]\nkey_file = 'k'",
            "clusters.a.cluster_access: key_file is set and cert_file is not",
        ),
        (
            "[clusters.a.cluster_access]\npassword = 'hunter2'",
            "clusters.a.cluster_access: password is set and username is not",
        ),
        (
            "[clusters.a.cluster_access]\nusername = 'u'\nbearer_token = 'hunter2'\nheaders = { authorization = 'hunter2' }",
            "clusters.a.cluster_access: username and bearer_token and headers.Authorization are set; give one of them",
        ),
    ],
)
def test_what_cannot_be_meant_is_named_with_its_place_and_never_shows_a_secret(
    alone: Path, text: str, says: str
) -> None:
    file = toml(alone / "here", text)
    with pytest.raises(SettingsInvalid) as invalid:
        load()

    assert str(file) in str(invalid.value)
    assert says in str(invalid.value)
    assert "hunter2" not in str(invalid.value)


def test_a_file_that_is_not_there_or_cannot_be_read_is_named(alone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsInvalid, match=r"^The settings file '.*/nowhere\.toml' does not exist\.$"):
        load(alone / "nowhere.toml")
    with pytest.raises(SettingsInvalid, match="cannot be read: Is a directory"):
        load(alone)
    (alone / "latin.toml").write_bytes(b"store = '\xe4'")
    with pytest.raises(SettingsInvalid, match=r"latin\.toml is not TOML: it is not UTF-8 text"):
        load(alone / "latin.toml")
    monkeypatch.setenv("OPSAI_CONFIG", str(alone / "gone.toml"))
    with pytest.raises(SettingsInvalid, match=r"gone\.toml' does not exist"):
        load()


def test_a_variable_that_cannot_be_used_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPSAI_WATCH", "often")
    with pytest.raises(
        SettingsInvalid, match=r'An environment variable cannot be used: .*"watch".*Lists and tables are JSON'
    ):
        load()


def test_the_cluster_is_the_one_named_or_the_only_one() -> None:
    one = Settings(clusters={"prod": ClusterSettings(endpoints=("pd:2379",))})
    two = Settings(clusters={"prod": ClusterSettings(), "test": ClusterSettings()})

    assert choose(one, None)[0] == "prod"
    assert choose(two, "test")[0] == "test"
    with pytest.raises(SettingsInvalid, match=r"^Which cluster\? Known: prod, test\. Give --endpoint URL"):
        choose(two, None)
    with pytest.raises(SettingsInvalid, match="There is no cluster 'dev' in the settings. Known: prod, test."):  # noqa: RUF043
        choose(two, "dev")


def test_flags_make_a_cluster_or_change_the_one_that_is_meant() -> None:
    settings = Settings(clusters={"prod": ClusterSettings(endpoints=("pd:2379",), prometheus="m:9090")})
    new = cluster_of_flags(settings, None, endpoints=["pd9:2379"], logs=["tikv1=/var/log/tikv.log"])
    named = cluster_of_flags(settings, "lab", endpoints=["pd9:2379"])
    other = cluster_of_flags(settings, None, endpoints=["e1:2379"], subject="etcd")
    changed = cluster_of_flags(settings, "prod", endpoints=["pd9:2379"])
    kept = cluster_of_flags(settings, None, logs=["tikv1=a=b"])

    assert new == ("cluster", ClusterSettings(endpoints=("http://pd9:2379",), logs={"tikv1": "/var/log/tikv.log"}))
    assert other == ("cluster", ClusterSettings(subject="etcd", endpoints=("http://e1:2379",)))
    assert named == ("lab", ClusterSettings(endpoints=("http://pd9:2379",)))
    assert changed == ("prod", ClusterSettings(endpoints=("http://pd9:2379",), prometheus="http://m:9090"))
    assert kept == (
        "prod",
        ClusterSettings(endpoints=("http://pd:2379",), prometheus="http://m:9090", logs={"tikv1": "a=b"}),
    )


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        ({}, "Which cluster? Known: none. Give --endpoint URL"),
        ({"endpoints": ["::"]}, "Flags cannot be used: endpoints.0: "),
        (
            {"endpoints": ["pd:1"], "prometheus": "ftp://x"},
            "Flags cannot be used: prometheus: 'ftp://x' is not a URL like",
        ),
        (
            {"endpoints": ["pd:1"], "logs": ["/var/log/tikv.log"]},
            "--logs '/var/log/tikv.log' is not NODE=GLOB, like node1=",
        ),
        ({"endpoints": ["pd:1"], "logs": ["=x"]}, "--logs '=x' is not NODE=GLOB"),
    ],
)
def test_flags_that_cannot_be_meant_are_refused(flags: dict[str, Any], says: str) -> None:
    with pytest.raises(SettingsInvalid) as invalid:
        cluster_of_flags(Settings(), None, **flags)

    assert str(invalid.value).startswith(says)


@given(st.text(max_size=20) | st.from_regex(r"(https?://)?[a-z0-9.:\[\]@/-]{0,15}(:[0-9]{1,5})?", fullmatch=True))
def test_any_text_is_an_http_url_or_is_said_to_be_none(text: str) -> None:
    try:
        full = url(text)
    except ValueError as error:
        assert "is not" in str(error)  # noqa: PT017
    else:
        assert full.startswith(("http://", "https://"))
        assert url(full) == full


@pytest.mark.parametrize(
    ("section", "told"),
    [
        ({"loki": {"selector": '{a="b"}'}}, "loki.url: Field required"),
        ({"loki": {"url": "loki:3100", "selector": "app=tikv"}}, "'app=tikv' is not a stream selector like"),
        ({"loki": {"url": "loki:3100", "selector": "{}"}}, "'{}' is not a stream selector"),
        (
            {"loki": {"url": "loki:3100", "selector": '{a="b"}', "node_label": "a-b"}},
            "'a-b' is not the name of a label",
        ),
        ({"docker": {"containers": {}}}, "docker.containers: Dictionary should have at least 1 item"),
        ({"docker": {"containers": {"a": "../b"}}}, "'../b' is not a container's name or id"),
        ({"docker": {"url": "unix://docker.sock", "containers": {"a": "b"}}}, "is not a socket like unix:///"),
        ({"docker": {"url": "ssh://host", "containers": {"a": "b"}}}, "is not a URL like"),
        ({"kubernetes": {"namespace": "db"}}, "neither pods nor label_selector says which pods are meant"),
        ({"kubernetes": {"namespace": "../db", "pods": {"a": "b"}}}, "'../db' is not the name of a namespace"),
        ({"kubernetes": {"namespace": "db", "pods": {"a": "b/c/d"}}}, "'b/c/d' is not POD or POD/CONTAINER"),
        ({"docker": {"sockets": 1}}, "there is no such setting; known here: url, containers, access"),
    ],
)
def test_where_logs_are_is_refused_with_what_is_wrong(section: dict[str, Any], told: str) -> None:
    with pytest.raises(SettingsInvalid) as invalid:
        load(None, clusters={"prod": {"pd": ["pd:2379"], **section}})

    assert told in str(invalid.value)
