"""The database schema: alembic's migrations, run from our own commands and asked whether they are all applied.

Alembic is loaded by whoever migrates. A worker only asks whether the schema is the newest, and asks that without it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import column, inspect, select, table
from sqlalchemy.exc import IntegrityError

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy import Connection

    from idservice.db import Database

MIGRATIONS = Path(__file__).parent.parent / "migrations"

_VERSIONS = table("alembic_version", column("version_num"))
_NAMES = re.compile(r'^(revision|down_revision) = "(\w+)"$', re.MULTILINE)


def upgrade(database: Database, revision: str = "head") -> None:
    """Bring the schema up to `revision`."""
    from alembic import command

    _run(database, command.upgrade, revision)


def downgrade(database: Database, revision: str) -> None:
    """Take the schema down to `revision` ("base" empties it)."""
    from alembic import command

    _run(database, command.downgrade, revision)


def at_head(connection: Connection) -> bool:
    """Return whether every migration is applied."""
    return revisions(connection) == heads()


def revisions(connection: Connection) -> frozenset[str]:
    """Return what the database says of itself: the newest migration it has, none where it is empty."""
    if not inspect(connection).has_table(_VERSIONS.name):
        return frozenset()
    return frozenset(connection.scalars(select(_VERSIONS.c.version_num)))


@cache
def heads() -> frozenset[str]:
    """Return the newest migration there is: the one that no other comes after."""
    stated = [dict(_NAMES.findall(file.read_text("utf-8"))) for file in (MIGRATIONS / "versions").glob("*.py")]
    return frozenset(names["revision"] for names in stated) - {names.get("down_revision", "") for names in stated}


def _run(database: Database, deed: Callable[[Config, str], Any], revision: str) -> None:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with database.engine.connect() as connection, _references_checked_at_the_end(connection):
        config.attributes["connection"] = connection
        deed(config, revision)
    database.settle()


@contextmanager
def _references_checked_at_the_end(connection: Connection) -> Iterator[None]:
    """Commit what is done meanwhile, on SQLite once every reference between tables is known to hold.

    SQLite changes a table by making it anew (https://www.sqlite.org/lang_altertable.html, section 7): while it watches
    references, the old table cannot be dropped, or takes the rows that refer to it along.
    """
    if connection.dialect.name != "sqlite":
        yield
        connection.commit()
        return
    watch: Any = connection.connection.driver_connection
    watch.execute("PRAGMA foreign_keys=OFF")  # now: within a transaction it would do nothing
    try:
        yield
        if broken := connection.exec_driver_sql("PRAGMA foreign_key_check").all():
            raise IntegrityError("PRAGMA foreign_key_check", None, ValueError(f"{broken[0][0]} refers to nothing"))
        connection.commit()
    finally:
        connection.rollback()
        watch.execute("PRAGMA foreign_keys=ON")
