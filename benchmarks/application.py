"""Our application in this process, without server or network."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from benchmarks.flow import Answer
from idservice.settings import PREFIX
from wsgi import create_app

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask import Flask

    from benchmarks.request import Request


def open_application(members: Mapping[str, Any]) -> Flask:
    """Return the application on a city's database and keys, by its FILE; this process takes on the city's settings."""
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        del os.environ[name]
    os.environ.update(members["environment"] | {"ONA_UNTHROTTLED_LOOPBACK": "1"})
    return create_app()


def send(app: Flask, request: Request) -> bytes:
    """Return the body of the answer to `request`; RuntimeError unless the answer is a success."""
    answer = exchange(app, request)
    if not 200 <= answer.status < 300:
        raise RuntimeError(f"{request.method} {request.path} answered {answer.status}: {answer.body[:300]!r}")
    return answer.body


def exchange(app: Flask, request: Request) -> Answer:
    """Return the answer to `request`, whatever it is."""
    started: list[tuple[str, list[tuple[str, str]]]] = []

    def start_response(status: str, headers: list[tuple[str, str]], _error: object = None) -> Any:
        started.append((status, headers))

    body = b"".join(app(request.environ(), start_response))
    status, headers = started[0]
    return Answer(int(status[:3]), tuple((name.lower(), value) for name, value in headers), body)
