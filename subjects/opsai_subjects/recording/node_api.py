"""What one recorded node answers over HTTP as of the clock."""

import orjson
from pydantic import JsonValue
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from opsai_subjects.errors import RecordingCorrupt
from opsai_subjects.model import Clock
from opsai_subjects.recording.folder import Recording
from opsai_subjects.recording.marked import marked
from opsai_subjects.recording.polls import Failed, Key, Poll, key_of

LOCAL_HEADER = "PD-Allow-follower-handle"
"""A PD member asked with it answers with its own view instead of asking the leader (pd pkg/utils/apiutil, v8.5)."""
_STORES = "/pd/api/v1/stores"
_STATES = {"Offline": "1", "Tombstone": "2"}
"""`state_name` to the number that `state=` takes; every other name is of a store that is up (0)."""


class NodeApi:
    """The paths of one node, as an ASGI application."""

    def __init__(self, recording: Recording, node: str, clock: Clock) -> None:
        self._recording = recording
        self._node = node
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            response = self._answer(request)
        except RecordingCorrupt as error:
            response = marked("corrupt", str(error))
        await response(scope, receive, send)

    def _answer(self, request: Request) -> Response:
        query = request.url.query
        path = request.scope["path"]
        key = key_of(f"{path}?{query}" if query else path, local=bool(request.headers.get(LOCAL_HEADER)))
        at = self._clock.now().timestamp()
        found = self._recording.polls.answer(self._node, key, at)
        if found is None and key.path == _STORES and (superset := self._recorded_stores(key)):
            found = self._recording.polls.answer(self._node, superset, at)
            if isinstance(found, Poll) and found.status == 200:
                return _plain(200, _only(self._recording.bodies.body(found.sha), key))
        if found is None:
            return marked("not_recorded", f"{self._node} {key.path}")
        if isinstance(found, Failed):
            return marked(found.failure, found.says)
        return _plain(found.status, self._recording.bodies.body(found.sha))

    def _recorded_stores(self, key: Key) -> Key | None:
        """Return the question about stores that was recorded with all the states that this one asks for."""
        for recorded in self._recording.polls.keys(self._node):
            if recorded.path == _STORES and recorded.local == key.local and _states(key) <= _states(recorded):
                return recorded
        return None


def _states(key: Key) -> frozenset[str]:
    # without state= PD leaves tombstones out (pd server/api/store.go, v8.5)
    return frozenset(value for name, value in key.query if name == "state") or frozenset(("0", "1"))


def _only(body: bytes, key: Key) -> bytes:
    wanted = _states(key)
    reply: JsonValue = orjson.loads(body)
    stores = reply.get("stores") if isinstance(reply, dict) else None
    if not isinstance(reply, dict) or not isinstance(stores, list):
        return body
    kept = [store for store in stores if _STATES.get(_state_name(store), "0") in wanted]
    return orjson.dumps({**reply, "count": len(kept), "stores": kept})


def _state_name(entry: JsonValue) -> str:
    store = entry.get("store") if isinstance(entry, dict) else None
    return str(store.get("state_name", "")) if isinstance(store, dict) else ""


def _plain(status: int, body: bytes) -> Response:
    json = body[:1] in (b"{", b"[")
    return Response(body, status_code=status, media_type="application/json" if json else "text/plain")
