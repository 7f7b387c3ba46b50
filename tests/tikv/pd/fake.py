"""A PD of three members on a made-up transport: each answers, is silent, or answers what a test wants."""

import json
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx
from pydantic import JsonValue

from opsai_subjects.config import WebLimits
from opsai_subjects.endpoint import Access
from opsai_subjects.model import Clock, WallClock
from opsai_subjects.sources.web import Web, open_web
from opsai_tikv.paths import PATHS
from opsai_tikv.pd.client import Pd

NAMES = ("pd-a", "pd-b", "pd-c")
ADDRESSES = {"pd-a": "10.1.0.1:2379", "pd-b": "10.1.0.2:2379", "pd-c": "10.1.0.3:2379"}
URLS = tuple(f"http://{address}" for address in ADDRESSES.values())
CLUSTER_ID = 7_388_103_445_672_349_876
Failure = Callable[[httpx.Request], Exception]


def refused(request: httpx.Request) -> Exception:
    return httpx.ConnectError("All connection attempts failed", request=request)


def late(request: httpx.Request) -> Exception:
    return httpx.ReadTimeout("", request=request)


def broken(request: httpx.Request) -> Exception:
    return httpx.RemoteProtocolError("Server disconnected without sending a response.", request=request)


def member(name: str, version: str = "v8.5.4") -> dict[str, JsonValue]:
    return {
        "name": name,
        "member_id": 9_000_000_000_000_000_000 + NAMES.index(name),
        "client_urls": [f"http://{ADDRESSES[name]}"],
        "peer_urls": [f"http://{ADDRESSES[name].replace('2379', '2380')}"],
        "binary_version": version,
    }


def members(leader: str | None = "pd-a", etcd_leader: str | None = "pd-a") -> dict[str, JsonValue]:
    found: dict[str, JsonValue] = {
        "header": {"cluster_id": CLUSTER_ID},
        "members": [member(name) for name in NAMES],
    }
    if leader:
        found["leader"] = member(leader)
    if etcd_leader:
        found["etcd_leader"] = member(etcd_leader)
    return found


@dataclass
class FakePd:
    """What each path answers: JSON, text, a status with text, or a failure; a path with its query goes before the path alone.

    `only` are answers of one member.
    """

    leader: str | None = "pd-a"
    answers: dict[str, JsonValue | tuple[int, str] | Failure] = field(default_factory=dict)
    only: dict[tuple[str, str], JsonValue | tuple[int, str] | Failure] = field(default_factory=dict)
    silent: dict[str, Failure] = field(default_factory=dict)
    asked: list[tuple[str, str, bool]] = field(default_factory=list)
    """Member, path, and whether it was asked for its own view."""
    doors: Mapping[str, str] = field(default_factory=lambda: {address: name for name, address in ADDRESSES.items()})

    def __call__(self, request: httpx.Request) -> httpx.Response:
        name = self.doors.get(f"{request.url.host}:{request.url.port}", "nobody")
        path = request.url.path
        local = request.headers.get("PD-Allow-follower-handle") == "true"
        self.asked.append((name, path, local))
        if name == "stranger":
            return httpx.Response(404, text="nothing of PD here")
        if name not in NAMES:
            raise refused(request)
        if name in self.silent:
            raise self.silent[name](request)
        asked = self.answers.get(f"{path}?{request.url.query.decode()}", self.answers.get(path))
        usual = self._usual(name, path, local=local) if asked is None and path not in self.answers else asked
        answer = self.only.get((name, path), usual)
        if callable(answer):
            raise answer(request)
        if isinstance(answer, tuple):
            return httpx.Response(answer[0], text=answer[1])
        return httpx.Response(200, content=json.dumps(answer))

    def _usual(self, name: str, path: str, *, local: bool) -> JsonValue | tuple[int, str]:
        if path == "/pd/api/v1/status":
            return {"version": "v8.5.4", "git_hash": "ab12", "start_timestamp": 1_755_741_600}
        if path == "/health":
            return {"health": "true"}
        if path == "/pd/api/v1/members":
            return members(self.leader, self.leader)
        if path == "/pd/api/v1/leader" and local:
            return member(self.leader) if self.leader else None
        if path == "/pd/api/v1/config" and local:
            return {"name": name, "lease": 5}
        return 404, "404 page not found\n"

    def count(self, path: str) -> int:
        return sum(asked == f"/pd/api/v1/{path}" for _, asked, _ in self.asked)

    def of(self, path: str) -> list[str]:
        return [name for name, asked, _ in self.asked if asked == f"/pd/api/v1/{path}"]


@asynccontextmanager
async def opened(fake: Callable[[httpx.Request], httpx.Response]) -> AsyncGenerator[Web]:
    async with open_web(Access(), WebLimits(), allow=PATHS, transport=httpx.MockTransport(fake)) as web:
        yield web


@asynccontextmanager
async def client(
    fake: FakePd,
    urls: tuple[str, ...] = URLS,
    reach: Mapping[str, str] | None = None,
    clock: Clock | None = None,
) -> AsyncGenerator[Pd]:
    async with opened(fake) as web:
        yield Pd(web, urls, reach or {}, clock or WallClock())
