"""What Docker says, as it says it, and the sentence that a person gets. The texts are of Docker 20.10 to 28 and Compose 2 to 5."""

import pytest

from opsai_lab.targets.docker.trouble import explained, unpullable

SETTABLE = {
    "34001": "OPSAI_ETCD_PORT_1",
    "172.30.40": "OPSAI_ETCD_NET",
    "v3.5.21": "OPSAI_ETCD_VERSION",
    "23": "OPSAI_TIKV_PORTS",
}

SAID = [
    (
        "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?",
        "no Docker daemon answers at unix:///var/run/docker.sock. Start it",
    ),
    (
        "failed to connect to the docker API at unix:///var/run/docker.sock; check if the path is correct and if the daemon is running",
        "no Docker daemon answers at unix:///var/run/docker.sock. Start it",
    ),
    (
        (
            "Got permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock: "
            'Get "http://%2Fvar%2Frun%2Fdocker.sock/v1.24/containers/json": dial unix /var/run/docker.sock: connect: permission denied'
        ),
        "this user may not use Docker's socket",
    ),
    ("docker: 'compose' is not a docker command.\nSee 'docker --help'", "Compose 2 or newer is missing"),
    ("unknown shorthand flag: 'f' in -f\nSee 'docker --help'.", "Compose 2 or newer is missing"),
    (
        (
            "Error response from daemon: driver failed programming external connectivity on endpoint a-etcd1-1 (2a1b): "
            "Bind for 127.0.0.1:34001 failed: port is already allocated"
        ),
        (
            "port 34001 of this machine is taken by another program or container (`docker ps` and `ss -ltnp` show which). "
            "End that, or set $OPSAI_ETCD_PORT_1 to another port."
        ),
    ),
    (
        (
            "Error response from daemon: driver failed programming external connectivity on endpoint a-etcd1-1 (2a1b): "
            "Error starting userland proxy: listen tcp4 127.0.0.1:34001: bind: address already in use"
        ),
        "port 34001 of this machine is taken",
    ),
    (
        (
            "Error response from daemon: Ports are not available: exposing port TCP 127.0.0.1:34001 -> 127.0.0.1:0: listen tcp "
            "127.0.0.1:34001: bind: An attempt was made to access a socket in a way forbidden by its access permissions."
        ),
        "port 34001 of this machine is taken",
    ),
    (
        "Bind for 127.0.0.1:23371 failed: port is already allocated",
        "set $OPSAI_TIKV_PORTS to another beginning of all its ports",
    ),
    ("Bind for 127.0.0.1:9 failed: port is already allocated", "change the port in compose.yaml"),
    (
        "failed to create network a_cluster: Error response from daemon: Pool overlaps with other one on this address space",
        "its subnet overlaps with that of another Docker network or cluster",
    ),
    (
        (
            ' Volume a_etcd1 Error error during connect: Post "http://%2Fvar%2Frun%2Fdocker.sock/v1.41/volumes/create": failed to create '
            "network a_cluster: Error response from daemon: invalid pool request: Pool overlaps with other one on this address space"
        ),
        "set $OPSAI_ETCD_NET to the first three numbers of another",
    ),
    (
        "failed to create network a: Error response from daemon: could not find an available, non-overlapping IPv4 address pool",
        "Docker has no subnet left to give",
    ),
    (
        "write /var/lib/docker/tmp/GetImageBlob1: no space left on device",
        "the disk that Docker writes to is full",
    ),
    (
        'error while interpolating services.a.image: required variable TAG is missing a value: "set it"',
        "compose.yaml needs the environment variable $TAG, which is not set",
    ),
]


@pytest.mark.parametrize(("said", "sentence"), SAID)
def test_what_docker_says_is_a_sentence_that_tells_what_to_do(said: str, sentence: str) -> None:
    told = explained("Starting the containers", said, SETTABLE)

    assert told.startswith("Starting the containers failed: ")
    assert sentence in told


def test_what_nobody_foresaw_is_told_by_the_line_that_speaks_of_the_error() -> None:
    told = explained("Building opsai-tools:local", "Step 1/3\nE: the package cannot be had\n \nDone in 3 s\n")

    assert told == "Building opsai-tools:local failed, and Docker says: E: the package cannot be had"


def test_nothing_said_is_said() -> None:
    assert explained("Killing a", "\n") == "Killing a failed, and Docker says: nothing"


@pytest.mark.parametrize(
    "said",
    [
        'Error response from daemon: Get "https://registry.example/v2/": dial tcp: lookup registry.example: no such host',
        "Error response from daemon: manifest for quay.io/coreos/etcd:v3.5.21 not found: manifest unknown: manifest unknown",
        "Error response from daemon: pull access denied, repository does not exist or may require 'docker login': denied",
    ],
)
def test_an_image_that_cannot_be_pulled_is_named_with_the_reason_and_what_sets_it(said: str) -> None:
    told = unpullable("quay.io/coreos/etcd:v3.5.21", said, SETTABLE)

    assert told.startswith(
        "The image quay.io/coreos/etcd:v3.5.21 is not on this machine and cannot be pulled: Error response"
    )
    assert "$OPSAI_ETCD_VERSION names another" in told
    assert "scripts/images" in told


def test_a_pull_onto_a_full_disk_is_not_taken_for_a_registry_that_cannot_be_reached() -> None:
    told = unpullable("etcd:v3.5.21", "failed to register layer: write /usr/bin/x: no space left on device", SETTABLE)

    assert "the disk that Docker writes to is full" in told
    assert "registry" not in told
