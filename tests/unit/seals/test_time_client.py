"""The time-stamp client against servers on loopback: a right answer, and every wrong one."""

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from seals.time_client import QUERY, REPLY, TimeClientError, ask

Server = Callable[[int, str, bytes], str]


@pytest.fixture
def serve() -> Iterator[Server]:
    running: list[HTTPServer] = []

    def start(status: int, kind: str, body: bytes) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                sent = self.rfile.read(int(self.headers["Content-Length"]))
                assert self.headers["Content-Type"] == QUERY
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Location", "/elsewhere")
                self.end_headers()
                self.wfile.write(body or sent)

            def log_message(self, *_: object) -> None:
                return

        server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        running.append(server)
        return f"http://127.0.0.1:{server.server_port}/tsa?x=1"

    yield start
    for server in running:
        server.shutdown()
        server.server_close()


def test_the_answer_comes_back(serve: Server) -> None:
    assert ask(serve(200, REPLY, b""), b"question") == b"question"


@pytest.mark.parametrize(
    ("status", "kind", "body"),
    [(500, REPLY, b"x"), (302, REPLY, b"x"), (200, "text/html", b"x"), (200, REPLY, bytes((1 << 18) + 1))],
    ids=["fault", "redirect", "other-type", "too-large"],
)
def test_other_answers_are_refused(serve: Server, status: int, kind: str, body: bytes) -> None:
    with pytest.raises(TimeClientError):
        ask(serve(status, kind, body), b"question")


def test_nobody_there(serve: Server) -> None:
    url = serve(200, REPLY, b"")
    port = int(url.split(":")[2].split("/")[0])
    with pytest.raises(TimeClientError):
        ask(f"https://127.0.0.1:{port}/", b"x", seconds=1)
    with pytest.raises(TimeClientError):
        ask("http://127.0.0.1:1/", b"x", seconds=1)
