"""An endpoint as settings name it: its URL or address, and how it is entered."""

import re
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator

_HOST_PORT = re.compile(r"(?:\[[0-9a-fA-F:.]+\]|[^\s:/@\[\]]+):\d{1,5}")
_TO_ESCAPE = "in a user name or password write / as %2F, ? as %3F, # as %23 and @ as %40"
ACCESS_FILES = ("ca_file", "cert_file", "key_file", "bearer_token_file")
_USERINFO = re.compile(r"(?<=://)[^\s/?#]*@")


def without_userinfo(text: str) -> str:
    """Return the text with `user:password@` taken out of every URL in it."""
    return _USERINFO.sub("", text)


def url(text: str) -> str:
    """Return the URL of an endpoint, `http://` put before a bare host:port. Raises ValueError saying what is wrong."""
    full = text.strip().rstrip("/")
    if full and "://" not in full:
        full = f"http://{full}"
    shown = _shown(full)
    try:
        parts = urlsplit(full)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        reason = _TO_ESCAPE if "@" in full else str(error)  # which quotes a part of the password
        raise ValueError(f"{shown!r} is not a URL: {reason}") from None
    if parts.scheme not in ("http", "https"):
        raise ValueError(f"{shown!r} is not a URL like http://host:2379")
    if not host or port == 0 or re.search(r"\s", full):
        raise ValueError(f"{shown!r} is not a URL with a host, like http://host:2379")
    if "@" in full.partition(parts.netloc)[2]:
        raise ValueError(f"{shown!r} is not the URL of an endpoint: {_TO_ESCAPE}")
    if parts.query or parts.fragment:
        raise ValueError(f"{shown!r} is not the URL of an endpoint: leave out what begins with ? or #")
    return full


def _shown(full: str) -> str:
    """Return a URL, however wrong, without what may be a secret in it: all before its last @, all after ? or #."""
    scheme, found, rest = full.partition("://")
    endpoint = re.match(r"[^?#]*", rest.rpartition("@")[2])
    told = endpoint[0] if endpoint else ""
    return f"{scheme}{found}{told}{'' if rest.endswith(told) else '?…'}"


def _reachable(text: str) -> str:
    return text.strip() if _HOST_PORT.fullmatch(text.strip()) else url(text)


def _host_port(text: str) -> str:
    if not _HOST_PORT.fullmatch(text.strip()):
        raise ValueError(f"{text!r} is not host:port")
    return text.strip()


Url = Annotated[str, AfterValidator(url)]
HostPort = Annotated[str, AfterValidator(_host_port)]
Reachable = Annotated[str, AfterValidator(_reachable)]
A_YEAR = 31_536_000.0
Seconds = Annotated[float, Field(gt=0, le=A_YEAR, allow_inf_nan=False)]
HoldingSeconds = Annotated[float, Field(ge=0, le=A_YEAR, allow_inf_nan=False)]
Limit = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Count = Annotated[int, Field(gt=0)]


class Section(BaseModel):
    """A part of the settings: frozen, and an unknown name in it is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Access(Section):
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

    @model_validator(mode="after")
    def _one_way_in(self) -> Self:
        if self.key_file is not None and self.cert_file is None:
            raise ValueError("key_file is set and cert_file is not")
        if self.password is not None and self.username is None:
            raise ValueError("password is set and username is not")
        ways = {
            "username": self.username is not None,
            "bearer_token": self.bearer_token is not None,
            "bearer_token_file": self.bearer_token_file is not None,
            "headers.Authorization": any(name.lower() == "authorization" for name in self.headers),
        }
        used = [name for name, given in ways.items() if given]
        if len(used) > 1:
            raise ValueError(f"{' and '.join(used)} are set; give one of them")
        return self
