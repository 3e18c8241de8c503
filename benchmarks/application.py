"""Our application in this process, without server or network."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

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
    statuses: list[str] = []

    def start_response(status: str, _headers: list[tuple[str, str]], _error: object = None) -> Any:
        statuses.append(status)

    body = b"".join(app(request.environ(), start_response))
    if not statuses[0].startswith("2"):
        raise RuntimeError(f"{request.method} {request.path} answered {statuses[0]}: {body[:300]!r}")
    return body
