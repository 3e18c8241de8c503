"""The two things that any answer from a database costs: Flask and SQLAlchemy Core, one row read, or one row committed.

DATABASE names an SQLite file that `prepare` has made. A commit is on the disk before the answer leaves.
"""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING, Any, Final

from flask import Flask
from sqlalchemy import Column, Integer, MetaData, String, Table, bindparam, create_engine, event, insert, select

if TYPE_CHECKING:
    from sqlalchemy import Engine

DATABASE: Final = "ONE_ROW_DATABASE"
ROWS: Final = 10_000

_metadata = MetaData()
_rows = Table("one_row", _metadata, Column("key", Integer, primary_key=True), Column("value", String(200)))
_written = Table("written", _metadata, Column("key", String(32), primary_key=True), Column("value", String(200)))


def prepare(url: str) -> None:
    """Make the database and its rows."""
    engine = _engine(url)
    _metadata.create_all(engine)
    with engine.begin() as connection:
        connection.execute(insert(_rows), [{"key": key, "value": secrets.token_hex(100)} for key in range(ROWS)])
    engine.dispose()


def create_app() -> Flask:
    """Return the application."""
    app, engine = Flask(__name__), _engine(os.environ[DATABASE])
    one = select(_rows).where(_rows.c.key == bindparam("wanted"))

    @app.get("/")
    def hello() -> dict[str, str]:
        return {"hello": "world"}

    @app.get("/rows/<int:key>")
    def read(key: int) -> dict[str, Any]:
        with engine.connect() as connection:
            return dict(connection.execute(one, {"wanted": key}).one()._mapping)  # noqa: SLF001 - as SQLAlchemy names it

    @app.post("/rows")
    def write() -> dict[str, str]:
        with engine.begin() as connection:
            connection.execute(insert(_written), {"key": secrets.token_hex(16), "value": "one row"})
        return {"done": "true"}

    return app


def _engine(url: str) -> Engine:
    engine = create_engine(url, connect_args={"timeout": 30})

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")

    return engine
