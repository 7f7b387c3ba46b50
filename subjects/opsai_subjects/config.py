"""The only reader of settings: `opsai.toml`, then the environment, then flags; later ones win."""

import os
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, TypedDict, Unpack, get_args

import platformdirs
from pydantic import AliasChoices, BaseModel, Field, JsonValue, SecretStr, ValidationError, model_validator
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from opsai_subjects.endpoint import (
    ACCESS_FILES,
    Access,
    Count,
    HoldingSeconds,
    HostPort,
    Limit,
    Reachable,
    Seconds,
    Section,
    Url,
)
from opsai_subjects.errors import SettingsInvalid
from opsai_subjects.log_settings import DockerSettings, KubernetesSettings, LokiSettings
from opsai_subjects.matchers import LabelName, LabelValue

FILE_NAME = "opsai.toml"
DEFAULT_SUBJECT = "tikv"
"""What a cluster is where nothing says so: the adapter that opsai began with."""
FLAGS_CLUSTER = "cluster"
"""The name of a cluster that is given by flags alone."""


class ClusterSettings(Section):
    """One cluster: where it is looked at."""

    subject: str = DEFAULT_SUBJECT
    """What kind of system it is, by the name of its adapter."""
    endpoints: tuple[Url, ...] = Field(default=(), validation_alias=AliasChoices("endpoints", "pd"))
    """URLs of nodes that know the others. `pd` is another name of this setting, from when there was one adapter."""
    prometheus: Url | None = None
    """URL of a Prometheus-compatible engine."""
    matchers: dict[LabelName, LabelValue] = Field(default_factory=dict[str, str])
    """Labels that every series of this cluster has in an engine that serves several."""
    logs: dict[str, str] = Field(default_factory=dict[str, str])
    """Node (its name or address) to a file or glob."""
    loki: LokiSettings | None = None
    docker: DockerSettings | None = None
    kubernetes: KubernetesSettings | None = None
    diagnostics: bool = False
    """Whether a search may ask the nodes themselves for their log, where no other source has it."""
    redact: bool = True
    """Row keys and values in log lines are shown as ‹?›; False shows them as logged."""
    addresses: dict[HostPort, Reachable] = Field(default_factory=dict[str, str])
    """Advertised host:port to the one reachable from here: host:port, or the URL below which its paths stand."""
    names: dict[str, str] = Field(default_factory=dict[str, str])
    """Advertised address or status address to the name people use for the node."""
    cluster_access: Access = Access()
    """For the cluster's own nodes."""
    prometheus_access: Access = Access()
    scrape: bool = True
    """Whether opsai reads the nodes' `/metrics` itself where no `prometheus` is set."""
    scrape_seconds: Annotated[float, Field(ge=5, le=60)] = 15.0
    """Between two of its own scrapes."""
    rate_seconds: Seconds | None = None
    """The range that rates are taken over; None: four scrape intervals as measured."""
    limits: dict[str, Limit] = Field(default_factory=dict[str, float])
    """Invariant to the limit it is judged by here, in the invariant's own unit."""
    for_seconds: dict[str, HoldingSeconds] = Field(default_factory=dict[str, float])
    """Invariant to how long it must be violated here before a ticket is raised."""

    @model_validator(mode="before")
    @classmethod
    def _named_once(cls, given: Any) -> Any:
        if _holds(given, "endpoints") and _holds(given, "pd"):
            raise ValueError("endpoints and pd are two names of one setting; give one of them")
        return given


class WebLimits(Section):
    """What one HTTP request may take."""

    connect_seconds: Seconds = 2.0
    read_seconds: Seconds = 10.0
    """For the whole answer, once connected."""
    max_body_bytes: Count = 32 * 1024 * 1024
    """Of an answer as it is after unpacking; a longer one is refused and not read to its end."""


class WatchSettings(Section):
    """How the watcher works."""

    interval_seconds: Seconds = 30.0
    hold_seconds: Seconds = 60.0
    """How long an invariant must be held again before its ticket is resolved."""
    reopen_seconds: Seconds = 1800.0
    """A violation within this time after the resolution reopens the ticket; later it raises a new one linked to it."""
    join_seconds: Seconds = 600.0
    """Symptoms that begin within this time of an open ticket join it."""


class HttpSettings(Section):
    """How `opsai-mcp --http` (and, by its names, `opsai-watch --metrics`) lets callers in."""

    allowed_hosts: tuple[str, ...] = ()
    """Names by which it is called, besides localhost and IP addresses."""
    max_body_bytes: Count = 1024 * 1024
    """Of one request."""
    requests_per_second: Annotated[float, Field(gt=0, le=100_000, allow_inf_nan=False)] = 50.0
    """Of one peer, steadily; twice as many at once."""
    max_sessions: Count = 200
    """Sessions of protocols that have them, open at the same time."""


class AgentSettings(Section):
    """How much an investigation may spend."""

    model: str = "claude-opus-5-5"
    max_steps: Count = 30
    max_tokens: Count = 400_000
    max_seconds: Seconds = 900.0
    max_usd: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 3.0
    effort: str = "medium"


class Settings(BaseSettings):
    """Everything that can be set."""

    model_config = SettingsConfigDict(
        env_prefix="OPSAI_",
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        nested_model_default_partial_update=True,
    )

    clusters: dict[str, ClusterSettings] = Field(default_factory=dict[str, ClusterSettings])
    store: Path = Field(default_factory=lambda: Path(platformdirs.user_state_path("opsai")) / "opsai.sqlite")
    """The database of tickets and evidence, shared by all programs."""
    web: WebLimits = WebLimits()
    watch: WatchSettings = WatchSettings()
    agent: AgentSettings = AgentSettings()
    http: HttpSettings = HttpSettings()
    http_token: SecretStr | None = None
    """What callers of `opsai-mcp --http` must show."""
    http_token_file: Path | None = None
    """The file that it stands in, instead."""


def load(file: Path | None = None, **flags: Any) -> Settings:
    """Read the settings. Raises SettingsInvalid naming the file, the field and what is wrong with it.

    The file is the one given, else `$OPSAI_CONFIG`, else `opsai.toml` in the working folder, else the one in the user's
    configuration folder. Flags that are None are not given.
    """
    path = file or _default_file()
    content = _file_content(path.absolute()) if path else {}

    class _WithFile(Settings):
        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            return (init_settings, env_settings, InitSettingsSource(settings_cls, init_kwargs=dict(content)))

    given = {name: value for name, value in flags.items() if value is not None}
    try:
        return _WithFile(**given)
    except SettingsError as error:
        raise SettingsInvalid(f"An environment variable cannot be used: {error}. Lists and tables are JSON.") from error
    except ValidationError as error:
        raise SettingsInvalid(_said(error, f"Settings ({path or 'environment and flags'})")) from error


def _file_content(file: Path) -> dict[str, JsonValue]:
    """Return what a settings file holds; a path in it is relative to the file: a program may be started anywhere."""
    try:
        with file.open("rb") as stream:
            content: dict[str, JsonValue] = tomllib.load(stream)
    except tomllib.TOMLDecodeError as error:
        raise SettingsInvalid(f"{file} is not TOML: {error}") from error
    except UnicodeDecodeError as error:
        raise SettingsInvalid(f"{file} is not TOML: it is not UTF-8 text") from error
    except FileNotFoundError as error:
        raise SettingsInvalid(f"The settings file {str(file)!r} does not exist.") from error
    except OSError as error:
        raise SettingsInvalid(f"{file} cannot be read: {error.strerror}") from error
    _anchor(content, ("store", "http_token_file"), file.parent)
    for cluster in _table(content.get("clusters")).values():
        for section in ("cluster_access", "prometheus_access"):
            _anchor(_table(_table(cluster).get(section)), ACCESS_FILES, file.parent)
        for section in ("loki", "docker", "kubernetes"):
            _anchor(_table(_table(_table(cluster).get(section)).get("access")), ACCESS_FILES, file.parent)
        logs = _table(_table(cluster).get("logs"))
        _anchor(logs, tuple(logs), file.parent)
    return content


def _holds(section: object, name: str) -> bool:
    return isinstance(section, Mapping) and name in section


def _table(value: JsonValue) -> dict[str, JsonValue]:
    return value if isinstance(value, dict) else {}


def _anchor(section: dict[str, JsonValue], names: Sequence[str], folder: Path) -> None:
    for name in names:
        value = section.get(name)
        if isinstance(value, str) and value:
            section[name] = str(folder / Path(value).expanduser())


def choose(settings: Settings, name: str | None) -> tuple[str, ClusterSettings]:
    """Return the cluster of that name, or the only one. Raises SettingsInvalid when that is not clear."""
    known = ", ".join(sorted(settings.clusters)) or "none"
    if name is None and len(settings.clusters) == 1:
        return next(iter(settings.clusters.items()))
    if name is None:
        raise SettingsInvalid(
            f"Which cluster? Known: {known}. Give --endpoint URL (and --prometheus URL, --logs NODE=GLOB), or --replay DIR, "
            f"or name one of {FILE_NAME} with --cluster."
        )
    if name not in settings.clusters:
        raise SettingsInvalid(f"There is no cluster {name!r} in the settings. Known: {known}.")
    return name, settings.clusters[name]


class ClusterFlags(TypedDict, total=False):
    """What flags say of a cluster; one that is not there, or says nothing, leaves it to the settings."""

    endpoints: Sequence[str]
    prometheus: str | None
    logs: Sequence[str]
    """NODE=GLOB."""
    subject: str | None


def cluster_of_flags(
    settings: Settings, name: str | None, **flags: Unpack[ClusterFlags]
) -> tuple[str, ClusterSettings]:
    """Return the cluster meant by `--cluster`, `--subject`, `--endpoint`, `--prometheus` and `--logs NODE=GLOB`: a flag given wins.

    Without `--endpoint` it is a cluster of the settings; with it, the one named or else a new one. Raises SettingsInvalid.
    """
    base = ClusterSettings()
    if not flags.get("endpoints") or name in settings.clusters:
        name, base = choose(settings, name)
    given = {flag: value for flag, value in flags.items() if value}
    if logs := flags.get("logs"):
        given["logs"] = _node_globs(logs)
    try:
        chosen = ClusterSettings.model_validate({**dict(base), **given})
    except ValidationError as error:
        raise SettingsInvalid(_said(error, "Flags")) from error
    return name or FLAGS_CLUSTER, chosen


def clusters_of_flags(
    settings: Settings, name: str | None, **flags: Unpack[ClusterFlags]
) -> dict[str, ClusterSettings]:
    """Return the clusters meant by the same flags: without any, all of the settings, in their order. Raises SettingsInvalid."""
    if settings.clusters and not name and not any(flags.values()):
        return dict(settings.clusters)
    return dict((cluster_of_flags(settings, name, **flags),))


def _node_globs(logs: Sequence[str]) -> dict[str, str]:
    globs: dict[str, str] = {}
    for text in logs:
        node, _, glob = text.partition("=")
        if not node.strip() or not glob.strip():
            raise SettingsInvalid(f"--logs {text!r} is not NODE=GLOB, like node1=/var/log/node1.log.")
        globs[node.strip()] = glob.strip()
    return globs


def _default_file() -> Path | None:
    if named := os.environ.get("OPSAI_CONFIG"):
        return Path(named)
    for candidate in (Path.cwd() / FILE_NAME, Path(platformdirs.user_config_path("opsai")) / FILE_NAME):
        if candidate.is_file():
            return candidate
    return None


def _said(error: ValidationError, what: str) -> str:
    # never the input: it may be a secret
    wrong = "; ".join(
        f"{'.'.join(str(part) for part in e['loc'])}: {_reason(e)}" for e in error.errors(include_url=False)
    )
    return f"{what} cannot be used: {wrong}"


def _reason(error: ErrorDetails) -> str:
    if error["type"] != "extra_forbidden":
        return error["msg"].removeprefix("Value error, ")
    known = _known_beside(error["loc"])
    return f"there is no such setting; known here: {', '.join(known)}" if known else "there is no such setting"


def _known_beside(place: tuple[int | str, ...]) -> tuple[str, ...]:
    section: type[BaseModel] | None = Settings
    for part in place[:-1]:
        if section is None or part not in section.model_fields:
            continue  # the name of a cluster
        annotation = section.model_fields[str(part)].annotation
        inner = [part for part in get_args(annotation) or (annotation,) if isinstance(part, type)]
        section = next((part for part in inner if issubclass(part, BaseModel)), None)
    return tuple(section.model_fields) if section is not None else ()
