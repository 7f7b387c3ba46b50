"""Logs of pods and how their containers last ended, from the Kubernetes API: GET only."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from json import loads
from pathlib import Path

from pydantic import JsonValue

from opsai_subjects.config import WebLimits
from opsai_subjects.endpoint import Access, without_userinfo
from opsai_subjects.errors import OpsaiError, SettingsInvalid, SourceError, SourceRefused
from opsai_subjects.foreign import quoted
from opsai_subjects.log_settings import KubernetesSettings
from opsai_subjects.model import Clock, LastState, LastStates, LogPage, LogQuery, Unread, clean
from opsai_subjects.progress import work
from opsai_subjects.sources.feed import MAX_BYTES, SLACK, TAIL_LINES, Feed, Sifting
from opsai_subjects.sources.logs import Harvest, Parse, Sieve
from opsai_subjects.sources.paths import below
from opsai_subjects.sources.pods import Pod, Pods, Runs
from opsai_subjects.sources.shapes import shaped
from opsai_subjects.sources.web import Web, open_web

PATHS = (r"/api/v1/namespaces/[a-z0-9][a-z0-9.-]*/pods(?:/[a-z0-9][a-z0-9.-]*(?:/log)?)?",)
"""The paths it may GET, below the path of its URL."""
IN_CLUSTER = "https://kubernetes.default.svc"
SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
NAMES_AGE = timedelta(minutes=1)
"""How long the pods once listed are taken to be the pods."""
_RIGHTS = "let its account get and list pods and get pods/log in this namespace"


@dataclass(frozen=True)
class _Place:
    """Where a node runs; without a container the pod's own choice is meant."""

    pod: str
    container: str


class Kubernetes:
    """The pods of one cluster's nodes in one namespace."""

    def __init__(
        self, settings: KubernetesSettings, web: Web, parse: Parse, clock: Clock, max_bytes: int = MAX_BYTES
    ) -> None:
        self._base = f"{settings.url or IN_CLUSTER}/api/v1/namespaces/{settings.namespace}/pods"
        self.about = f"Kubernetes at {without_userinfo(settings.url or IN_CLUSTER)}"
        self._selector = settings.label_selector
        self._set = {node: _Place(*pod.partition("/")[::2]) for node, pod in settings.pods.items()}
        self._web = web
        self._parse = parse
        self._clock = clock
        self._max_bytes = max_bytes
        self._listed: dict[str, Pod] = {}
        self._listed_at: datetime | None = None

    async def nodes(self) -> tuple[str, ...]:
        """Return the nodes: those set, and the pods that the label selector selects, under their own names."""
        try:
            return tuple(await self._places())
        except OpsaiError:
            return tuple(self._set)

    async def search(self, query: LogQuery) -> LogPage:
        """Search the logs of the pods, one after another. Raises QueryInvalid."""
        harvest = Harvest(query.limit, query.newest_first)
        sifting = Sifting(self._parse, Sieve(query), harvest, query.window.end, self._max_bytes)
        unread: list[Unread] = []
        searched: list[str] = []
        try:
            places = await self._places()
        except OpsaiError as error:
            places = self._set
            unread.append(self._failed("", error))
        if not places and not unread:
            why = f"no pod has the labels {self._selector!r}"
            unread.append(self._unread("", "its pods", why, "check label_selector and namespace under kubernetes"))
        wanted = query.nodes or tuple(places)
        progress = work(len(wanted), "logs of pods")
        for place, node in enumerate(wanted):
            progress.reach(place)
            if node not in places:
                unread.append(self._unread(node, "its log", "no pod is known for it", f"one of {', '.join(places)}"))
                continue
            read = await self._node(node, places[node], query, sifting, unread)
            searched += [node] if read else []
        origins = dict.fromkeys(searched, self.about)
        return LogPage(harvest.lines(), harvest.matched, tuple(unread), tuple(searched), origins)

    async def last_states(self) -> LastStates:
        """Return how each container last ended."""
        states: list[LastState] = []
        unread: list[Unread] = []
        self._listed_at = None  # one list of this moment tells the state of all that it holds
        try:
            places = await self._places()
        except OpsaiError as error:
            places = self._set
            self._listed = {}
            unread.append(self._failed("", error))
        for node, place in places.items():
            try:
                pod = self._listed.get(place.pod) or await self._pod(place)
            except OpsaiError as error:
                unread.append(self._failed(node, error))
                continue
            state = pod.last_state(node, place.container or pod.container)
            states += [state] if state is not None else []
        return LastStates(tuple(states), tuple(unread))

    async def _places(self) -> dict[str, _Place]:
        """Return where each node runs. Raises OpsaiError."""
        now = self._clock.now()
        stale = self._listed_at is None or now - self._listed_at >= NAMES_AGE
        if self._selector and stale:
            reply = await self._web.get(self._base, of=self.about, params={"labelSelector": self._selector})
            pods = shaped(reply, Pods, "the Kubernetes API").items
            self._listed = {pod.metadata.name: pod for pod in pods}
            self._listed_at = now
        named = {place.pod for place in self._set.values()}
        return self._set | {name: _Place(name, "") for name in sorted(self._listed) if name not in named}

    async def _pod(self, place: _Place) -> Pod:
        reply = await self._web.get(f"{self._base}/{place.pod}", of=self.about)
        return shaped(reply, Pod, "the Kubernetes API")

    async def _node(self, node: str, place: _Place, query: LogQuery, sifting: Sifting, unread: list[Unread]) -> bool:
        """Read the runs of a node that reach into the window; return whether any was read."""
        try:
            pod = await self._pod(place)
        except OpsaiError as error:
            unread.append(self._failed(node, error))
            return False
        container = place.container or pod.container
        runs = pod.runs(container)
        if not runs.has_now:
            unread.append(self._unread(node, "its log", f"container {container!r} has not run: {runs.waiting}"))
            return False
        read, start = False, query.window.start
        for previous in (True, False) if runs.reaching_back_to(start) else (False,):
            feed = Feed(node, sifting, tail=query.newest_alone)
            try:
                await self._run(place.pod, container, start, feed, previous=previous, tail=query.newest_alone)
                if query.newest_alone and feed.stopped:  # the end of the output lies beyond the window
                    feed = Feed(node, sifting)
                    await self._run(place.pod, container, start, feed, previous=previous)
                read = True
            except OpsaiError as error:
                unread.append(self._failed(node, error))
            feed.end()
            read = read or feed.last_at is not None
            unread += feed.unsearched(f"log of {place.pod}")
        unread += self._before(node, runs, start)
        return read

    async def _run(
        self, pod: str, container: str, start: datetime, feed: Feed, *, previous: bool, tail: bool = False
    ) -> None:
        params = {
            "container": container,
            "previous": "true" if previous else "false",
            "timestamps": "true",
            "sinceTime": f"{start - SLACK:%Y-%m-%dT%H:%M:%SZ}",
            "limitBytes": str(self._max_bytes + 1),
        }
        params |= {"tailLines": str(TAIL_LINES)} if tail else {}
        await self._web.stream(f"{self._base}/{pod}/log", feed.take, of=self.about, params=params)

    def _before(self, node: str, runs: Runs, start: datetime) -> list[Unread]:
        since = runs.kept_since
        if since is None or since <= start + SLACK:
            return []
        why = f"Kubernetes keeps the output of a container's last two runs, here since {since:%Y-%m-%d %H:%M:%S}Z: what was before is not there"
        return [self._unread(node, "the time before", why, "read where the logs are collected, Loki for one")]

    def _failed(self, node: str, error: OpsaiError) -> Unread:
        if not isinstance(error, SourceError):
            return self._unread(node, "its log", str(error))
        why, advice = error.came_back, error.advice
        if isinstance(error, SourceRefused):
            why = f"HTTP {error.status}: {_message(error.body)}"
            advice = {
                400: "check the container's name under kubernetes.pods, as POD/CONTAINER",
                401: "set bearer_token_file or cert_file under kubernetes.access",
                403: _RIGHTS,
                404: "check namespace and pods under kubernetes",
            }.get(error.status, advice)
        return self._unread(node, error.asked, why, advice)

    def _unread(self, node: str, asked: str, why: str, advice: str = "") -> Unread:
        source = f"logs:{node}" if node else "kubernetes"
        return Unread(source=source, asked=clean(asked, 300), why=f"{self.about}: {clean(why, 600)}", advice=advice)


@asynccontextmanager
async def open_kubernetes(
    settings: KubernetesSettings, limits: WebLimits, parse: Parse, clock: Clock, account: Path = SERVICE_ACCOUNT
) -> AsyncGenerator[Kubernetes]:
    """Open the API; nothing is asked of it yet. Raises SettingsInvalid for unusable keys, or none in this place."""
    access = settings.access if settings.url is not None else _own_account(settings.access, account)
    allow = below(PATHS, (settings.url or IN_CLUSTER,))
    async with open_web(access, limits, allow=allow) as web:
        yield Kubernetes(settings, web, parse, clock)


def _own_account(access: Access, account: Path) -> Access:
    """Return the access of the pod that this runs in, what is set going before it."""
    token, authority = account / "token", account / "ca.crt"
    if not authority.exists():
        raise SettingsInvalid(
            f"kubernetes has no url, so the cluster that this runs in is meant, and there is no service account here ({account}). "
            "Set url, and access.ca_file and access.bearer_token_file."
        )
    given = access.model_dump(exclude_unset=True)
    has_way = {"username", "bearer_token", "bearer_token_file", "cert_file"} & given.keys()
    own: dict[str, object] = {"ca_file": authority} if has_way else {"ca_file": authority, "bearer_token_file": token}
    return Access.model_validate(own | given)


def _message(body: str) -> str:
    """Return the message of a Status, which is how the API refuses; the body as it is when it is none."""
    try:
        status: JsonValue = loads(body)
    except (ValueError, RecursionError):
        return quoted(body, 500) if body.strip() else "(empty body)"
    message = status.get("message") if isinstance(status, dict) else None
    return quoted(str(message or body), 500)
