"""Counters for operators: nothing a caller typed is in them, and strangers do not read them."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy.exc import OperationalError

from idservice import operations
from tests.builders import build_app, house_of, migrate
from tests.databases import SqliteDatabases


@pytest.fixture
def app(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Flask]:
    token = getattr(request, "param", None)
    built = build_app(tmp_path, SqliteDatabases(tmp_path).fresh(migrate), metrics_token=token)
    yield built
    house_of(built).database.engine.dispose()


with_token = pytest.mark.parametrize("app", ["s3cret-token"], indirect=True)


def value_of(text: str, line: str) -> float:
    return next((float(row.rsplit(" ", 1)[1]) for row in text.splitlines() if row.startswith(line)), 0.0)


def test_requests_are_counted_by_route_and_status(app: Flask) -> None:
    client = app.test_client()
    line = 'ona_requests_total{method="GET",route="operations.healthz",status="200"}'
    before = value_of(client.get("/metrics").text, line)
    client.get("/healthz")
    text = client.get("/metrics").text
    assert value_of(text, line) == before + 1
    assert value_of(text, 'ona_request_seconds_count{route="operations.healthz"}') >= 1


def test_nothing_a_caller_typed_is_kept(app: Flask) -> None:
    client = app.test_client()
    client.get("/37160219900307123X")
    client.open("/healthz", method="PWNED-METHOD")
    client.get("/v1/licences/13800001234?name=zhang-san-typed", headers={"User-Agent": "agent-typed"})
    client.post("/login", data={"number": "37160219900307123X"})
    text = client.get("/metrics").text
    for typed in ("37160219900307123", "13800001234", "PWNED", "typed", "127.0.0.1"):
        assert typed not in text
    assert 'route="unmatched"' in text


@pytest.mark.parametrize("address", ["192.0.2.1", "10.0.0.1", "::2", "not an address"])
def test_without_a_token_they_are_for_this_machine(app: Flask, address: str) -> None:
    answer = app.test_client().get("/metrics", environ_base={"REMOTE_ADDR": address})
    assert (answer.status_code, answer.json["code"]) == (403, "forbidden")
    assert app.test_client().get("/metrics").status_code == 200


@with_token
@pytest.mark.parametrize(
    "given", [None, "", "s3cret-token", "Bearer", "Bearer s3cret-toke", "bearer é", "Bearer s3cret-token "]
)
def test_with_a_token_nobody_comes_in_without_it(app: Flask, given: str | None) -> None:
    headers = {} if given is None else {"Authorization": given}
    answer = app.test_client().get("/metrics", headers=headers)
    assert (answer.status_code, answer.json["code"]) == (401, "unauthenticated")


@with_token
def test_with_the_token_from_anywhere(app: Flask) -> None:
    headers = {"Authorization": "Bearer s3cret-token"}
    answer = app.test_client().get("/metrics", headers=headers, environ_base={"REMOTE_ADDR": "192.0.2.1"})
    assert answer.status_code == 200
    assert "s3cret-token" not in answer.text


def test_the_counts_of_several_processes_are_added(app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "counts"
    folder.mkdir()
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(folder))
    assert app.test_client().get("/metrics").status_code == 200


def test_they_tell_for_how_long_work_beside_requests_has_waited(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operations, "waiting", lambda _house: {"audit": 0.0, "status_lists": 7.5})
    text = app.test_client().get("/metrics").text
    assert value_of(text, 'ona_waiting_seconds{work="status_lists"}') == 7.5
    assert text.count("# TYPE ona_waiting_seconds gauge") == 1

    def unreachable(_house: object) -> dict[str, float]:
        raise OperationalError("SELECT", {}, Exception("secret-place"))

    monkeypatch.setattr(operations, "waiting", unreachable)
    answer = app.test_client().get("/metrics")
    assert answer.status_code == 200
    assert "ona_waiting_seconds{" not in answer.text, "nothing is told rather than that all is well"
    assert "secret-place" not in answer.text
