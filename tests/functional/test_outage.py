"""The database goes away and comes back: 503 and when to ask again, nothing done twice, no restart needed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from idservice.models import AuditEntry
from tests.builders import act
from tests.databases import Databases, PostgresDatabases
from tests.identity import City, Flow, basic, bearer, logged_in, refresh, token
from tests.unit.idservice.http.conftest import Site, log_lines, site, workshop

__all__ = ["log_lines", "site", "workshop"]  # fixtures


class Plug:
    """What takes the database of a site away, and gives it back."""

    def __init__(self, databases: Databases, city: City) -> None:
        self.engine, self.writer = city.house.database.engine, city.house.database._writer
        self.url = self.engine.url
        self.server = databases._engine if isinstance(databases, PostgresDatabases) else None
        self.file = Path(self.url.database or "")

    def pull(self) -> None:
        if self.server is not None:
            self._allow(connections=False)
        else:
            self.engine.dispose()  # what is open goes on, wherever the file is
            self.writer.pool.dispose()
            self.file.rename(self.file.with_suffix(".away"))
            self.file.mkdir()

    def put_back(self) -> None:
        if self.server is not None:
            self._allow(connections=True)
        elif self.file.is_dir():
            self.file.rmdir()
            self.file.with_suffix(".away").rename(self.file)

    def _allow(self, *, connections: bool) -> None:
        assert self.server is not None
        end = sa.text("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = :name")
        with self.server.connect() as connection:
            connection.execute(sa.text(f'ALTER DATABASE "{self.url.database}" ALLOW_CONNECTIONS {connections}'))
            connection.execute(end, {"name": self.url.database})


@pytest.fixture
def plug(databases: Databases, site: Site) -> Iterator[Plug]:
    built = Plug(databases, site.city)
    yield built
    built.put_back()


@pytest.fixture
def doors(site: Site) -> dict[str, Callable[[], Any]]:
    """A question at each kind of door; each may be asked with success once."""
    city, got, browser = site.city, logged_in(site.city), site.city.browser()
    browser.log_in()
    by_browser = {"headers": {"Accept": "text/html,*/*;q=0.8"}}
    return {
        "api": lambda: site.make(key="during-the-outage"),
        "refresh": lambda: refresh(city, got["refresh_token"]),
        "introspection": lambda: token(city.app, {"token": got["access_token"]}, basic("basic"), "/oauth/introspect"),
        "userinfo": lambda: city.app.test_client().get("/oauth/userinfo", headers=bearer(got["access_token"])),
        "page": lambda: browser.client.get("/leaf/own", **by_browser),
        "login": lambda: browser.client.get("/login?lang=en", **by_browser),
        "authorize": lambda: browser.client.get(Flow().url(), **by_browser),
    }


def test_an_outage_is_a_503_that_says_when_to_come_back(
    site: Site, plug: Plug, doors: dict[str, Callable[[], Any]], log_lines: Callable[[], list[dict[str, Any]]]
) -> None:
    plug.pull()
    told = {name: ask() for name, ask in doors.items()}
    assert {name: answer.status_code for name, answer in told.items()} == dict.fromkeys(doors, 503)
    assert all(int(answer.headers["Retry-After"]) > 0 for answer in told.values())
    assert all(answer.headers["Cache-Control"] == "no-store" for answer in told.values())
    assert (told["api"].mimetype, told["api"].json["code"]) == ("application/problem+json", "temporarily_unavailable")
    for name in ("refresh", "introspection", "userinfo"):
        assert (told[name].mimetype, told[name].json["error"]) == ("application/json", "temporarily_unavailable")
    words = {
        "page": "服务暂时中断",
        "login": "The service is interrupted",
        "authorize": "try again shortly",
    }  # English from there on
    for name, said in words.items():
        assert told[name].mimetype == "text/html"
        assert said in told[name].text, name
    for answer in told.values():
        assert not any(inside in answer.text for inside in ("sqlite", "SELECT", "psycopg", "Traceback", "Error"))
    lines = [line for line in log_lines() if line["event"] == "database.away"]
    assert len(lines) == len(doors)
    assert "SELECT" not in json.dumps(lines)
    web = site.app.test_client()
    assert web.get("/healthz").status_code == 200
    readiness = web.get("/readyz")
    assert (readiness.status_code, readiness.json["checks"]["database"]) == (503, "unreachable")
    plug.put_back()
    assert {name: ask().status_code for name, ask in doors.items()} == dict.fromkeys(doors, 200) | {
        "api": 201,
        "authorize": 303,
    }


def test_a_lost_commit_is_told_and_the_same_key_tells_what_became_of_it(
    site: Site, monkeypatch: pytest.MonkeyPatch, databases: Databases
) -> None:
    if not isinstance(databases, PostgresDatabases):
        pytest.skip("an embedded database has no connection to lose")
    server, commit = databases._engine, site.city.house.database.engine.dialect.do_commit

    def lose_the_answer(connection: Any) -> None:
        commit(connection)
        with server.connect() as other:
            pid = {"pid": connection.driver_connection.info.backend_pid}
            other.execute(sa.text("SELECT pg_terminate_backend(:pid, 5000)"), pid)
        connection.driver_connection.execute("SELECT 1")

    before = site.count()
    monkeypatch.setattr(site.city.house.database.engine.dialect, "do_commit", lose_the_answer)
    lost = site.make(key="the-same")
    monkeypatch.undo()
    assert (lost.status_code, lost.json["code"]) == (503, "outcome_unknown")
    assert int(lost.headers["Retry-After"]) > 0
    assert "Idempotency-Key" in lost.json["detail"]
    again = site.make(key="the-same")
    assert (again.status_code, again.headers["Idempotent-Replayed"]) == (201, "true")
    assert site.count() == before + 1


def test_a_programming_error_stays_a_fault(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_args: Any, **_facts: Any) -> None:
        raise sa.exc.ProgrammingError("x", {}, Exception("no such column"))

    monkeypatch.setattr(site.city.house.database, "run", broken)
    answer = site.make()
    assert (answer.status_code, answer.json["code"]) == (500, "internal")


def test_the_audit_log_has_no_row_of_what_was_not_done(site: Site, plug: Plug) -> None:
    def rows(call: Any) -> int:
        return int(call.session.scalar(sa.select(sa.func.count()).select_from(AuditEntry)))

    before = act(site.city.house, rows)
    plug.pull()
    assert site.make(key="never").status_code == 503
    plug.put_back()
    assert act(site.city.house, rows) == before
