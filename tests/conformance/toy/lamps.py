"""A stand-in for the street: an HTTP server on loopback."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Street(ThreadingHTTPServer):
    """A stand-in for two lamps of which the first knows the other."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Lamps)
        self.dark = False
        self.asked: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Lamps(BaseHTTPRequestHandler):
    server: Street

    def do_GET(self) -> None:
        self.server.asked.append(f"GET {self.path}")
        here = f"127.0.0.1:{self.server.server_port}"
        lamps = [
            {"name": "north", "at": here, "lit": True, "celsius": 41.5},
            {"name": "south", "at": "127.0.0.1:9", "lit": not self.server.dark, "celsius": 40},
        ]
        body = json.dumps(lamps).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's own name
        """Nobody reads it."""


@contextmanager
def serving() -> Iterator[Street]:
    with Street() as street:
        thread = threading.Thread(target=street.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield street
        finally:
            street.shutdown()
            thread.join()
