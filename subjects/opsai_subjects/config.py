"""The only reader of settings: `opsai.toml`, then the environment, then flags; later ones win."""

import os
import tomllib
from pathlib import Path
from typing import Any

import platformdirs
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from opsai_subjects.errors import SettingsInvalid

FILE_NAME = "opsai.toml"


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Access(_Section):
    """How an endpoint is entered: TLS and credentials. Never shown in a reply, a log or an error."""

    ca_file: Path | None = None
    """PEM file of the certificate authority; None: the system's."""
    cert_file: Path | None = None
    key_file: Path | None = None
    verify: bool = True
    """False trusts any certificate: only for a lab."""
    username: str | None = None
    password: SecretStr | None = None
    bearer_token: SecretStr | None = None
    bearer_token_file: Path | None = None
    headers: dict[str, SecretStr] = Field(default_factory=dict[str, SecretStr])
    """Sent with each request: a tenant (`X-Scope-OrgID`), for example."""


class ClusterSettings(_Section):
    """One cluster: where it is looked at."""

    subject: str = "tikv"
    pd: tuple[str, ...] = ()
    """URLs of PD members; the others are found through them."""
    prometheus: str | None = None
    """URL of a Prometheus-compatible engine."""
    logs: dict[str, str] = Field(default_factory=dict[str, str])
    """Node (its name, address or PD name) to a file or glob."""
    addresses: dict[str, str] = Field(default_factory=dict[str, str])
    """Advertised host:port to the one reachable from here."""
    names: dict[str, str] = Field(default_factory=dict[str, str])
    """Advertised address or status address to the name people use for the node."""
    cluster_access: Access = Access()
    """For PD and the status ports."""
    prometheus_access: Access = Access()
    limits: dict[str, float] = Field(default_factory=dict[str, float])
    """Invariant id to a limit of your own."""


class WebLimits(_Section):
    """What one HTTP request may take."""

    connect_seconds: float = 2.0
    read_seconds: float = 10.0
    max_body_bytes: int = 32 * 1024 * 1024


class WatchSettings(_Section):
    """How the watcher works."""

    interval_seconds: float = 30.0
    hold_seconds: float = 60.0
    """How long an invariant must be held again before its ticket is resolved."""
    reopen_seconds: float = 1800.0
    """A violation within this time after the resolution reopens the ticket; later it raises a new one linked to it."""
    join_seconds: float = 600.0
    """Symptoms that begin within this time of an open ticket join it."""


class AgentSettings(_Section):
    """How much an investigation may spend."""

    model: str = "claude-opus-5-5"
    max_steps: int = 30
    max_tokens: int = 400_000
    max_seconds: float = 900.0
    max_usd: float = 3.0
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

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Order the sources: flags over environment over file."""
        return (init_settings, env_settings, TomlConfigSettingsSource(settings_cls))


def load(file: Path | None = None, **flags: Any) -> Settings:
    """Read the settings. Raises SettingsInvalid naming the file, the field and what is wrong with it.

    The file is the one given, else `$OPSAI_CONFIG`, else `opsai.toml` in the working folder, else the one in the user's
    configuration folder. Flags that are None are not given.
    """
    path = file or _default_file()
    if file is not None and not file.is_file():
        raise SettingsInvalid(f"The settings file {str(file)!r} does not exist.")

    class _FromFile(Settings):
        model_config = SettingsConfigDict(toml_file=path)

    given = {name: value for name, value in flags.items() if value is not None}
    try:
        return _FromFile(**given)
    except tomllib.TOMLDecodeError as error:
        raise SettingsInvalid(f"{path} is not TOML: {error}") from error
    except OSError as error:
        raise SettingsInvalid(f"{path} cannot be read: {error.strerror}") from error
    except ValidationError as error:
        lines = "; ".join(
            f"{'.'.join(str(part) for part in e['loc'])}: {e['msg']}" for e in error.errors(include_url=False)
        )
        raise SettingsInvalid(f"Settings ({path or 'environment and flags'}) cannot be used: {lines}") from error


def choose(settings: Settings, name: str | None) -> tuple[str, ClusterSettings]:
    """Return the cluster of that name, or the only one. Raises SettingsInvalid when that is not clear."""
    known = ", ".join(sorted(settings.clusters)) or "none"
    if name is None and len(settings.clusters) == 1:
        return next(iter(settings.clusters.items()))
    if name is None:
        raise SettingsInvalid(
            f"Which cluster? Known: {known}. Give --pd URL (and --prometheus URL, --logs NODE=GLOB), or --replay DIR, "
            f"or name one of {FILE_NAME} with --cluster."
        )
    if name not in settings.clusters:
        raise SettingsInvalid(f"There is no cluster {name!r} in the settings. Known: {known}.")
    return name, settings.clusters[name]


def _default_file() -> Path | None:
    if named := os.environ.get("OPSAI_CONFIG"):
        return Path(named)
    for candidate in (Path.cwd() / FILE_NAME, Path(platformdirs.user_config_path("opsai")) / FILE_NAME):
        if candidate.is_file():
            return candidate
    return None
