"""`/readyz` says which of the things it needs is missing, one by one; `/healthz` looks at nothing."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import update

from idservice import audit, operations, schema
from idservice.db import Database
from idservice.models import AuditEntry
from keys.ring import KeyRing, Purpose
from tests.builders import act, build_app, house_of, migrate
from tests.databases import Databases

READY = {"keys": "ok", "database": "ok", "schema": "ok", "audit": "ok", "demo": "not_used", "status_lists": "ok"}


@pytest.fixture
def app(databases: Databases, tmp_path: Path) -> Iterator[Flask]:
    url = databases.fresh(migrate)
    built = build_app(tmp_path, url)
    yield built
    house_of(built).database.engine.dispose()
    databases.drop(url)


def ready(app: Flask) -> tuple[int, dict[str, str]]:
    answer = app.test_client().get("/readyz")
    assert answer.json["status"] == ("ready" if answer.status_code == 200 else "not_ready")
    return answer.status_code, answer.json["checks"]


def with_house(app: Flask, monkeypatch: pytest.MonkeyPatch, **changes: Any) -> None:
    monkeypatch.setitem(app.extensions, "ona", replace(house_of(app), **changes))


def test_ready(app: Flask) -> None:
    assert ready(app) == (200, READY)


def test_no_keys(app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_house(app, monkeypatch, keys=KeyRing.open(tmp_path / "empty", create=True))
    assert ready(app) == (503, READY | {"keys": "missing"})


def test_the_key_of_a_new_purpose_is_missing(app: Flask) -> None:
    """An upgrade brought a purpose, and nobody made its key: consents would fail, so no traffic comes here."""
    keys = house_of(app).keys
    keys.revoke(keys.signer(Purpose.RECEIPT).kid)
    assert ready(app) == (503, READY | {"keys": "missing"})


def test_a_migration_is_missing(app: Flask) -> None:
    schema.downgrade(house_of(app).database, "-1")
    status, checks = ready(app)
    assert status == 503
    assert "flask db upgrade" in checks["schema"]
    schema.downgrade(house_of(app).database, "base")
    assert ready(app)[1] == checks


def test_the_database_is_gone(app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"sqlite:///{tmp_path}/no/such/folder/a.db"
    if not house_of(app).database.is_sqlite:
        url = f"postgresql+psycopg://nobody@/none?host={tmp_path}"
    with_house(app, monkeypatch, database=Database(url))
    expected = READY | {"database": "unreachable", "schema": "unknown", "audit": "unknown", "status_lists": "unknown"}
    assert ready(app) == (503, expected)
    assert app.test_client().get("/healthz").json == {"status": "ok"}


def test_the_sequencer_does_not_run(app: Flask) -> None:
    house, now = house_of(app), datetime.now(UTC)
    act(
        house,
        lambda call: audit.record(call, audit.Deed.LOGOUT),
        now=now - operations.AUDIT_LAG + timedelta(seconds=20),
    )
    assert ready(app) == (200, READY), "a young row may wait"
    act(
        house, lambda call: audit.record(call, audit.Deed.LOGOUT), now=now - operations.AUDIT_LAG - timedelta(seconds=1)
    )
    assert ready(app) == (503, READY | {"audit": "the sequencer does not run"})
    act(house, lambda call: call.session.execute(update(AuditEntry).values(log_index=1)))
    assert ready(app) == (200, READY)


def test_the_publisher_of_a_new_installation_has_some_minutes_from_the_first_deed_on(app: Flask) -> None:
    house, now = house_of(app), datetime.now(UTC)
    assert operations.waiting(house)["status_lists"] == 0, "nothing was done, and there is nothing to verify"
    for minutes, told in ((9, "ok"), (11, "late")):
        moment = now - timedelta(minutes=minutes)
        act(house, lambda call: audit.record(call, audit.Deed.LOGOUT), now=moment)
        act(house, lambda call: call.session.execute(update(AuditEntry).values(log_index=1)))
        assert ready(app) == (200, READY | {"status_lists": told})
    assert 660 <= operations.waiting(house)["status_lists"] < 720


def test_other_work_is_told_and_takes_no_traffic_away(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operations, "_beside", {})
    operations.watch_also("lists", lambda _session, _now: timedelta(seconds=61), late=timedelta(minutes=1))
    operations.watch_also("letters", lambda _session, _now: timedelta(seconds=60), late=timedelta(minutes=1))
    status, checks = ready(app)
    assert (status, checks["lists"], checks["letters"]) == (200, "late", "ok")
    assert operations.waiting(house_of(app)) == {"audit": 0.0, "lists": 61.0, "letters": 60.0}


def test_the_demonstration_is_not_there_yet(app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "city.json"
    with_house(app, monkeypatch, settings=replace(house_of(app).settings, ready_file=file))
    status, checks = ready(app)
    assert (status, checks["demo"]) == (503, "the demonstration city is being set up")
    file.write_text("{}")
    assert ready(app) == (200, READY | {"demo": "ok"})


def test_they_tell_nothing_of_the_inside(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    with_house(app, monkeypatch, database=Database("sqlite:////no/such/secret-place/a.db"))
    answer = app.test_client().get("/readyz")
    assert "secret-place" not in answer.text
    assert answer.headers["Cache-Control"] == "no-store"
