"""How a cluster in containers is looked at from this machine: its published ports, and what each of its addresses is called."""

from collections.abc import Mapping

from opsai_lab.errors import LabError
from opsai_lab.targets.blueprint import PlannedNode
from opsai_lab.targets.docker.containers import Container
from opsai_lab.targets.target import Endpoints, Place
from opsai_lab.targets.templates import filled_in
from opsai_subjects.config import ClusterSettings
from opsai_subjects.log_settings import DockerSettings

PAGE_LABEL = "opsai.page"
"""Of a service: what its page is called; `opsai.page.port` and `opsai.page.path` say where it is."""
_PROMETHEUS = ("prometheus", 9090)


def endpoints(place: Place, found: Mapping[str, Container], socket: str) -> Endpoints:
    """Return where everything is. A node advertises itself by its service's name. Raises LabError when nothing runs."""
    running = {node.name: found[node.name] for node in place.blueprint.nodes if node.name in found}
    if not any(container.joinable for container in running.values()):
        raise LabError(f"{place.name} is not up. `opsai deploy local up` brings it up.")
    urls = [
        url for node in place.blueprint.nodes if node.name in running for url in _urls(place, node, running[node.name])
    ]
    service, port = _PROMETHEUS
    prometheus = _here(found[service], port) if service in found else ""
    settings = ClusterSettings(
        subject=place.blueprint.subject,
        endpoints=tuple(urls),
        prometheus=f"http://{prometheus}" if prometheus else None,
        addresses=_addresses(running),
        names={_advertised(place, node): node.name for node in place.blueprint.nodes if node.name in running},
        docker=_logs(running, socket),
    )
    return Endpoints(cluster=settings, pages=_pages(found))


def _urls(place: Place, node: PlannedNode, container: Container) -> list[str]:
    role = place.blueprint.roles[node.role]
    wanted = [name for name in role.ports if f"{{{name}}}" in role.endpoint]
    if not role.endpoint or not all(_here(container, role.ports[name]) for name in wanted):
        return []
    ports = {name: container.published[role.ports[name]][1] for name in wanted}
    here: dict[str, str | int] = {"name": node.name, "address": "127.0.0.1", **ports}
    return [filled_in(role.endpoint, here, f"roles.{node.role}.endpoint")]


def _advertised(place: Place, node: PlannedNode) -> str:
    role = place.blueprint.roles[node.role]
    there: dict[str, str | int] = {"name": node.name, "address": node.name, **role.ports}
    return filled_in(role.advertised, there, f"roles.{node.role}.advertised")


def _addresses(running: Mapping[str, Container]) -> dict[str, str]:
    return {
        f"{name}:{port}": f"{host}:{here}"
        for name, container in running.items()
        for port, (host, here) in container.published.items()
    }


def _here(container: Container, port: int) -> str:
    host, here = container.published.get(port, ("", 0))
    return f"{host}:{here}" if here else ""


def _logs(running: Mapping[str, Container], socket: str) -> DockerSettings | None:
    """Return how the nodes' output is read: through a socket that this machine has, not over SSH or a named pipe."""
    if not socket.startswith(("unix://", "tcp://")):
        return None
    return DockerSettings(url=socket, containers={name: container.name for name, container in running.items()})


def _pages(found: Mapping[str, Container]) -> dict[str, str]:
    pages: dict[str, str] = {}
    for container in found.values():
        name = container.labels.get(PAGE_LABEL)
        port = container.labels.get(f"{PAGE_LABEL}.port", "")
        if name and port.isdecimal() and (here := _here(container, int(port))):
            pages[name] = f"http://{here}{container.labels.get(f'{PAGE_LABEL}.path', '/')}"
    return pages
