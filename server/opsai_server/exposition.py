"""Metrics as a reply to Prometheus."""

from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response


def exposition(found: Collector, request: Request) -> Response:
    """Return metrics as the text that the asking Prometheus prefers."""
    encode, content_type = choose_encoder(request.headers.get("accept", ""))
    return Response(encode(found), media_type=content_type)
