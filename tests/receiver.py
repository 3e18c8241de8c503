"""A receiver of what the service sends out: an app's own web server on a loopback port, as obedient as it is told."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Received:
    """One request that arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """What arrived so far, what is served, and how posts are answered from now on."""

    origin: str
    requests: list[Received] = field(default_factory=list)
    status: int = 200
    answer: bytes = b""
    pages: dict[str, tuple[str, bytes]] = field(default_factory=dict)  # path: media type and content

    def at(self, path: str) -> list[Received]:
        return [request for request in self.requests if request.path.partition("?")[0] == path]


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Listen until the block is left."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            receiver.requests.append(Received("POST", self.path, dict(self.headers), body))
            self._send(receiver.status, "application/json", receiver.answer)

        def do_GET(self) -> None:
            receiver.requests.append(Received("GET", self.path, dict(self.headers), b""))
            kind, content = receiver.pages.get(self.path.partition("?")[0], ("", b""))
            self._send(200 if kind else 404, kind or "text/plain", content)

        def _send(self, status: int, kind: str, content: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver = Receiver(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
