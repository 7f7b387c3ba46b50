"""Three real etcd members on loopback addresses, and what may be done to them: killed, frozen, cut off.

A member is told by the group of its process, so that packets can be dropped for it alone (nftables, an output hook).
"""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

NAMES = ("etcd1", "etcd2", "etcd3")
START_SECONDS = 15.0
_GROUPS = 27200


class Members:
    """The members; `net` is the third part of their addresses, so that several clusters live side by side."""

    def __init__(self, folder: Path, net: int) -> None:
        self.folder = folder
        self.net = net
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._table = f"opsai_test_{os.getpid()}_{net}"
        self._cut = False

    def host(self, name: str) -> str:
        return f"127.72.{self.net}.{self._number(name)}"

    def url(self, name: str) -> str:
        return f"http://{self.host(name)}:2379"

    @property
    def urls(self) -> tuple[str, ...]:
        return tuple(self.url(name) for name in NAMES)

    @property
    def logs(self) -> dict[str, str]:
        return {name: str(self.folder / f"{name}.log") for name in NAMES}

    def start(self, name: str, *more: str) -> None:
        peers = ",".join(f"{one}=http://{self.host(one)}:2380" for one in NAMES)
        command = [
            "etcd",
            f"--name={name}",
            f"--data-dir={self.folder / name}",
            f"--listen-client-urls={self.url(name)}",
            f"--advertise-client-urls={self.url(name)}",
            f"--listen-peer-urls=http://{self.host(name)}:2380",
            f"--initial-advertise-peer-urls=http://{self.host(name)}:2380",
            f"--initial-cluster={peers}",
            f"--initial-cluster-token=test{self.net}",
            "--logger=zap",
            "--log-outputs=stderr",
            *more,
        ]
        group = self._group(name) if os.geteuid() == 0 else None
        with (self.folder / f"{name}.log").open("ab") as log:
            self._processes[name] = subprocess.Popen(command, stdout=log, stderr=log, group=group)

    def start_all(self, *more: str) -> None:
        for name in NAMES:
            self.start(name, *more)
        self.wait_healthy()

    def wait_healthy(self, names: tuple[str, ...] = NAMES) -> None:
        until(lambda: all(self._healthy(name) for name in names), "healthy members", START_SECONDS)

    def _healthy(self, name: str) -> bool:
        try:
            return httpx.get(f"{self.url(name)}/health", timeout=2.0, trust_env=False).json()["health"] == "true"
        except (httpx.HTTPError, ValueError, KeyError):
            return False

    def leader(self, of: tuple[str, ...] = NAMES) -> str:
        """Return the name of the leader as these members see it."""
        for name in of:
            told = httpx.post(f"{self.url(name)}/v3/maintenance/status", json={}, timeout=2.0, trust_env=False).json()
            listed = httpx.post(
                f"{self.url(name)}/v3/cluster/member/list", json={}, timeout=2.0, trust_env=False
            ).json()
            for member in listed["members"]:
                if member["ID"] == told.get("leader"):
                    return str(member["name"])
        raise AssertionError("nobody leads")

    def follower(self) -> str:
        leader = self.leader()
        return next(name for name in NAMES if name != leader)

    def kill(self, name: str) -> None:
        self._processes[name].kill()
        self._processes[name].wait()

    def stop(self, name: str) -> None:
        self._processes[name].terminate()
        self._processes[name].wait(10)

    def pause(self, name: str) -> None:
        self._processes[name].send_signal(signal.SIGSTOP)

    def resume(self, name: str) -> None:
        self._processes[name].send_signal(signal.SIGCONT)

    def cut(self, name: str) -> None:
        """Cut a member off from everybody, us included."""
        self._rule(f"ip daddr {self.host(name)} meta skgid != {self._group(name)} drop")
        self._rule(f"meta skgid {self._group(name)} ip daddr != {self.host(name)} drop")

    def cut_peer_port(self, name: str) -> None:
        """Cut a member off from the other members alone."""
        host, group = self.host(name), self._group(name)
        self._rule(f"ip daddr {host} tcp dport 2380 drop")
        self._rule(f"ip saddr {host} tcp sport 2380 drop")
        self._rule(f"meta skgid {group} tcp dport 2380 drop")
        self._rule(f"meta skgid {group} tcp sport 2380 drop")

    def heal(self) -> None:
        if self._cut:
            subprocess.run(["nft", "delete", "table", "inet", self._table], check=True)
            self._cut = False

    def end(self) -> None:
        self.heal()
        for process in self._processes.values():
            if process.poll() is None:
                process.kill()  # a frozen process dies of it too
            process.wait()

    def _rule(self, rule: str) -> None:
        if not self._cut:
            subprocess.run(["nft", "add", "table", "inet", self._table], check=True)
            hook = "{ type filter hook output priority 0; }"
            subprocess.run(["nft", f"add chain inet {self._table} out {hook}"], check=True)
            self._cut = True
        subprocess.run(["nft", f"add rule inet {self._table} out {rule}"], check=True)

    def _group(self, name: str) -> int:
        return _GROUPS + 10 * self.net + self._number(name)

    def _number(self, name: str) -> int:
        return NAMES.index(name) + 1


def until(true: object, what: str, seconds: float) -> None:
    """Wait until the condition holds. Fails after so many seconds."""
    assert callable(true)
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"no {what} within {seconds:g} s"
        time.sleep(0.05)


def own_net(net: int) -> int:
    """Return the third number of the addresses that this worker of the test runner has for itself."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    return (net + 10 * worker) % 250


@contextmanager
def running(folder: Path, net: int, *more: str) -> Iterator[Members]:
    """Run three members until the block ends."""
    members = Members(folder, own_net(net))
    try:
        members.start_all(*more)
        yield members
    finally:
        members.end()
