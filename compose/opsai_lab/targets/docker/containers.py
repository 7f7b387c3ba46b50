"""A cluster's containers as the engine describes them (`docker container inspect`), and what that says of a node."""

from collections.abc import Mapping
from datetime import datetime

from pydantic import BaseModel, Field, TypeAdapter

from opsai_lab.targets.target import NodeState
from opsai_subjects.model import Value, clean

PROJECT_LABEL = "com.docker.compose.project"
FOLDER_LABEL = "com.docker.compose.project.working_dir"
SERVICE_LABEL = "com.docker.compose.service"
_KILLED = 137
_ORDERLY = (0, 143)
_NEVER = "0001-01-01T00:00:00Z"


class Container(Value):
    """One container of the cluster."""

    id: str
    name: str
    service: str
    """The name of its service in compose.yaml, and of its node."""
    image: str
    state: NodeState
    says: str
    """Why it is not running."""
    ended_well: bool
    """It has ended with status 0, as one that has a single thing to do."""
    joinable: bool
    """Whether its network exists: it runs, paused or not."""
    published: dict[int, tuple[str, int]]
    """Its own port to the address and port on this machine."""
    addresses: tuple[str, ...]
    """In the cluster's network; a fixed one is known while it is stopped too."""
    labels: dict[str, str]
    volumes: dict[str, str]
    """The volumes that it may write to, and where they are in the container."""
    started_at: datetime | None


class _HealthResult(BaseModel):
    said: str = Field(default="", alias="Output")


class _Health(BaseModel):
    status: str = Field(default="", alias="Status")
    log: list[_HealthResult] | None = Field(default=None, alias="Log")


class _State(BaseModel):
    status: str = Field(alias="Status")
    exit_code: int = Field(default=0, alias="ExitCode")
    oom: bool = Field(default=False, alias="OOMKilled")
    error: str = Field(default="", alias="Error")
    started_at: str = Field(default=_NEVER, alias="StartedAt")
    health: _Health | None = Field(default=None, alias="Health")


class _Config(BaseModel):
    image: str = Field(default="", alias="Image")
    labels: dict[str, str] | None = Field(default=None, alias="Labels")


class _Fixed(BaseModel):
    ipv4: str = Field(default="", alias="IPv4Address")
    ipv6: str = Field(default="", alias="IPv6Address")


class _Network(BaseModel):
    fixed: _Fixed | None = Field(default=None, alias="IPAMConfig")
    ipv4: str = Field(default="", alias="IPAddress")
    ipv6: str = Field(default="", alias="GlobalIPv6Address")


class _Binding(BaseModel):
    address: str = Field(default="", alias="HostIp")
    port: str = Field(default="", alias="HostPort")


class _NetworkSettings(BaseModel):
    networks: dict[str, _Network] | None = Field(default=None, alias="Networks")


class _HostConfig(BaseModel):
    ports: dict[str, list[_Binding] | None] | None = Field(default=None, alias="PortBindings")


class _Mount(BaseModel):
    kind: str = Field(default="", alias="Type")
    name: str = Field(default="", alias="Name")
    where: str = Field(default="", alias="Destination")
    writable: bool = Field(default=False, alias="RW")


class _Inspected(BaseModel):
    id: str = Field(alias="Id")
    name: str = Field(alias="Name")
    state: _State = Field(alias="State")
    config: _Config = Field(alias="Config")
    host: _HostConfig = Field(default=_HostConfig(), alias="HostConfig")
    network: _NetworkSettings = Field(default=_NetworkSettings(), alias="NetworkSettings")
    mounts: list[_Mount] | None = Field(default=None, alias="Mounts")


_LISTED = TypeAdapter(list[_Inspected])


def described(answer: bytes) -> tuple[Container, ...]:
    """Return the containers of an answer of `docker container inspect`. Raises ValidationError."""
    return tuple(_container(one) for one in _LISTED.validate_json(answer))


def _container(one: _Inspected) -> Container:
    labels = one.config.labels or {}
    state, says = _judged(one.state)
    networks = (one.network.networks or {}).values()
    return Container(
        id=one.id,
        name=one.name.removeprefix("/"),
        service=labels.get(SERVICE_LABEL, ""),
        image=one.config.image,
        state=state,
        says=says,
        ended_well=one.state.status == "exited" and one.state.exit_code == 0,
        joinable=one.state.status in ("running", "paused"),
        published=_published(one.host.ports or {}),
        addresses=tuple(dict.fromkeys(address for network in networks for address in _addresses(network))),
        labels=labels,
        volumes={mount.name: mount.where for mount in one.mounts or () if mount.kind == "volume" and mount.writable},
        started_at=None if one.state.started_at == _NEVER else datetime.fromisoformat(one.state.started_at),
    )


def _published(bindings: Mapping[str, list[_Binding] | None]) -> dict[int, tuple[str, int]]:
    """Return the TCP ports that are published on a number of their own (`2379/tcp`)."""
    found: dict[int, tuple[str, int]] = {}
    for port, bound in bindings.items():
        number, _, protocol = port.partition("/")
        if bound and protocol == "tcp" and bound[0].port.isdecimal() and bound[0].port != "0":
            here = bound[0].address
            found[int(number)] = ("127.0.0.1" if here in ("", "0.0.0.0", "::") else here, int(bound[0].port))  # noqa: S104 (read, not bound)
    return found


def _addresses(network: _Network) -> tuple[str, ...]:
    fixed = network.fixed or _Fixed()
    return tuple(address for address in (fixed.ipv4, fixed.ipv6, network.ipv4, network.ipv6) if address)


def _judged(state: _State) -> tuple[NodeState, str]:
    if state.status == "running":
        return _health(state.health)
    if state.status in ("exited", "dead"):
        return _ended(state)
    if state.status == "created":
        why = clean(state.error, 300)
        return ("failed", f"it could not be started: {why}") if why else ("stopped", "it was never started")
    known: dict[str, tuple[NodeState, str]] = {
        "paused": ("paused", "its processes are frozen"),
        "restarting": ("failed", f"it ended with status {state.exit_code}, and is started again"),
        "removing": ("stopped", "it is being removed"),
    }
    return known.get(state.status, ("unknown", f"the engine calls it {clean(state.status, 40)!r}"))


def _health(health: _Health | None) -> tuple[NodeState, str]:
    if health is None or health.status in ("", "none", "healthy"):
        return "running", ""
    last = clean(_plain(health.log[-1].said), 300).strip() if health.log else ""
    if health.status == "starting":
        return "starting", last and f"its health check said: {last}"
    return "unhealthy", f"its health check says: {last or 'nothing'}"


def _plain(said: str) -> str:
    """Return what a check printed, without the log lines in JSON that come before its result (etcdctl)."""
    return " ".join(line for line in said.splitlines() if not line.startswith("{")) or said


def _ended(state: _State) -> tuple[NodeState, str]:
    if state.oom:
        return "failed", "it was killed because it took more memory than its limit (OOM)"
    if state.error:
        return "failed", f"it could not be started: {clean(state.error, 300)}"
    if state.exit_code in _ORDERLY:
        return "stopped", f"it ended in order (status {state.exit_code})"
    if state.exit_code == _KILLED:
        return "stopped", "it was killed (SIGKILL)"
    return "failed", f"it ended with status {state.exit_code}"
