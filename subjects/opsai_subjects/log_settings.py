"""Where logs are besides in files, as settings name it."""

import re
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from opsai_subjects.endpoint import Access, Count, Section, Url, url
from opsai_subjects.matchers import LabelName

_CONTAINER = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]*")
_DNS_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")


def _selector(text: str) -> str:
    stripped = text.strip()
    if not re.fullmatch(r"\{[^{}]*=.*\}", stripped, re.DOTALL):
        raise ValueError(f'{text!r} is not a stream selector like {{app="db"}}')
    return stripped


def _container(text: str) -> str:
    if not _CONTAINER.fullmatch(text):
        raise ValueError(f"{text!r} is not a container's name or id")
    return text


def _daemon(text: str) -> str:
    stripped = text.strip()
    if not stripped.startswith("unix://"):
        return url(stripped.replace("tcp://", "http://", 1))
    if not stripped.startswith("unix:///"):
        raise ValueError(f"{text!r} is not a socket like unix:///var/run/docker.sock")
    return stripped


def _namespace(text: str) -> str:
    if not _DNS_NAME.fullmatch(text):
        raise ValueError(f"{text!r} is not the name of a namespace")
    return text


def _pod(text: str) -> str:
    pod, slash, container = text.partition("/")
    if not _DNS_NAME.fullmatch(pod) or (slash and not _DNS_NAME.fullmatch(container)):
        raise ValueError(f"{text!r} is not POD or POD/CONTAINER")
    return text


class LokiSettings(Section):
    """Logs in Grafana Loki."""

    url: Url
    """Below it stands /loki/api/v1."""
    selector: Annotated[str, AfterValidator(_selector)]
    """The streams of this cluster: `{app="db"}`."""
    node_label: LabelName = "instance"
    """The label whose value tells the nodes apart."""
    nodes: dict[str, str] = Field(default_factory=dict[str, str])
    """Node to its value of that label; empty: the values are the nodes' names, and Loki is asked for them."""
    page_lines: Count = 5000
    """Lines asked for at once: no more than the server's max_entries_limit_per_query."""
    access: Access = Access()


class DockerSettings(Section):
    """Output of containers, from the Docker Engine that runs them."""

    url: Annotated[str, AfterValidator(_daemon)] = "unix:///var/run/docker.sock"
    containers: dict[str, Annotated[str, AfterValidator(_container)]] = Field(min_length=1)
    """Node to its container's name or id."""
    access: Access = Access()
    """For an engine behind TLS."""


class KubernetesSettings(Section):
    """Logs of pods, from the Kubernetes API."""

    namespace: Annotated[str, AfterValidator(_namespace)]
    url: Url | None = None
    """None: the API of the cluster this runs in, with the pod's own service account."""
    pods: dict[str, Annotated[str, AfterValidator(_pod)]] = Field(default_factory=dict[str, str])
    """Node to POD or POD/CONTAINER."""
    label_selector: str = ""
    """The pods of this cluster, where `pods` does not name them: `app.kubernetes.io/instance=prod`."""
    access: Access = Access()

    @model_validator(mode="after")
    def _some_pods(self) -> Self:
        if not self.pods and not self.label_selector:
            raise ValueError("neither pods nor label_selector says which pods are meant")
        return self
