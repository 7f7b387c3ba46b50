"""The entry point of the docker target."""

from opsai_lab.targets.docker.target import DockerTarget
from opsai_lab.targets.target import Place, Target


class DockerKind:
    """Opens clusters in containers."""

    name = "docker"
    says = "containers of Docker Compose (Compose 2 or newer)"

    def open(self, place: Place) -> Target:
        return DockerTarget(place)


KIND = DockerKind()
