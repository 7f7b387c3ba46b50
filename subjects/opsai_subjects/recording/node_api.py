"""What one recorded node answers over HTTP as of the clock."""

from http import HTTPStatus
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from opsai_subjects.errors import RecordingCorrupt
from opsai_subjects.model import Clock
from opsai_subjects.recording.folder import Recording
from opsai_subjects.recording.marked import marked
from opsai_subjects.recording.polls import Failed, Key, key_of
from opsai_subjects.subject import SubjectKind


class NodeApi:
    """The paths of one node, as an ASGI application.

    A path answers whether it is asked by GET or by POST: a read that a system offers only as POST has one fixed body
    (`ReadRpc`), so its path alone names the question. The client has refused every other before it comes here.
    """

    def __init__(self, recording: Recording, node: str, clock: Clock, kind: SubjectKind) -> None:
        self._kind = kind
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
        key = key_of(f"{path}?{query}" if query else path, local=self._asks_for_its_own_view(request))
        at = self._clock.now().timestamp()
        found = self._recording.polls.answer(self._node, key, at)
        if found is None:
            return self._from_another(key, at) or marked("not_recorded", f"{self._node} {key.path}")
        if isinstance(found, Failed):
            return marked(found.failure, found.says)
        return _plain(found.status, self._recording.bodies.body(found.sha))

    def _asks_for_its_own_view(self, request: Request) -> bool:
        headers = self._kind.local_headers
        return bool(headers) and all(request.headers.get(name) for name in headers)

    def _from_another(self, key: Key, at: float) -> Response | None:
        """Answer a question that was not recorded by a recorded one that tells as much; None when there is none."""
        for recorded in self._recording.polls.keys(self._node):
            if recorded.path != key.path or recorded.local != key.local:
                continue
            found = self._recording.polls.answer(self._node, recorded, at)
            narrowed = self._kind.answered_by(_with_query(key), _with_query(recorded))
            if found is None or narrowed is None:
                continue
            if isinstance(found, Failed):
                return marked(found.failure, found.says)
            body = self._recording.bodies.body(found.sha)
            return _plain(found.status, narrowed(body) if found.status == HTTPStatus.OK else body)
        return None


def _with_query(key: Key) -> str:
    return f"{key.path}?{urlencode(key.query)}" if key.query else key.path


def _plain(status: int, body: bytes) -> Response:
    json = body[:1] in (b"{", b"[")
    return Response(body, status_code=status, media_type="application/json" if json else "text/plain")
