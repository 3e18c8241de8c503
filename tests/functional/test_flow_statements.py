"""What each request of a login asks the database and how often it writes, on both databases: no more than it needs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from idservice.db import Database
from idservice.oauth import clients
from tests.databases import noting_statements
from tests.identity import City, Flow, introspect, redeem

#: Statements and writing transactions of each request, in the order of the walk.
WALK = [
    ("GET /oauth/authorize", 0, 0),
    ("POST /login", 8, 1),
    ("GET /oauth/authorize", 2, 0),
    ("POST /oauth/decision", 11, 1),
    ("POST /oauth/token", 4, 1),
]
INTROSPECTION = ("POST /oauth/introspect", 3, 0)

Asked = list[tuple[str, int, int]]


@contextmanager
def counted(city: City, monkeypatch: pytest.MonkeyPatch) -> Iterator[Asked]:
    """Note for each request how many statements it asked and how often it wrote."""
    asked: Asked = []
    writes: list[object] = []
    plain, write = city.app.wsgi_app, Database._write

    def count(self: Database, deed: Callable[..., Any]) -> Any:
        writes.append(deed)
        return write(self, deed)

    with noting_statements(city.house.database) as statements, monkeypatch.context() as patched:

        def serve(environ: dict[str, Any], start_response: Any) -> Any:
            before = len(statements), len(writes)
            answer = plain(environ, start_response)
            name = f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}"
            asked.append((name, len(statements) - before[0], len(writes) - before[1]))
            return answer

        patched.setattr(Database, "_write", count)
        patched.setattr(city.app, "wsgi_app", serve)
        patched.setattr(clients, "_FRESH", timedelta(hours=1))  # the app is known from the walk before
        yield asked


def test_a_login_asks_no_more_than_it_needs(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    flow = Flow()
    redeem(city.app, flow, city.browser().code(flow, prompt="consent"))
    with counted(city, monkeypatch) as asked:
        answer = redeem(city.app, flow, city.browser().code(flow, prompt="consent"))
        assert answer.status_code == 200
        assert introspect(city, answer.json["access_token"])["active"]
    assert asked == [*WALK, INTROSPECTION]
