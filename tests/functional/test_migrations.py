"""The migrations make exactly the schema that the models describe, on both databases, and take it down again."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

import idservice.admin.models
import idservice.events.models
import idservice.login.models
import idservice.oauth.models
import idservice.register.models
import idservice.scim.models
import licences.accesses.models
import licences.catalogue_models
import licences.collection.models
import licences.copies_models
import licences.counter.lookup_models
import licences.counter.models
import licences.guard.models
import licences.life.models
import licences.models
import licences.showing.models
import licences.status.models
import seals.models
from idservice import schema
from idservice.db import Database
from idservice.models import Base
from tests.databases import Databases, PostgresDatabases

ROOT = Path(__file__).parents[2]
ROOMS = (
    idservice.admin.models,
    idservice.events.models,
    idservice.login.models,
    idservice.oauth.models,
    idservice.register.models,
    idservice.scim.models,
    licences.accesses.models,
    licences.catalogue_models,
    licences.copies_models,
    licences.counter.models,
    licences.counter.lookup_models,
    licences.guard.models,
    licences.collection.models,
    licences.life.models,
    licences.models,
    licences.showing.models,
    licences.status.models,
    seals.models,
)  # imported so that their tables are in the one metadata
HISTORY = [revision.revision for revision in ScriptDirectory(str(schema.MIGRATIONS)).walk_revisions()][::-1]


@pytest.fixture
def database(databases: Databases) -> Iterator[Database]:
    url = databases.fresh()
    opened = Database(url)
    yield opened
    opened.engine.dispose()
    databases.drop(url)


def differences(database: Database) -> list[object]:
    with database.engine.connect() as connection:
        options = {"compare_type": True, "compare_server_default": True}
        return compare_metadata(MigrationContext.configure(connection, opts=options), Base.metadata)


def tables(database: Database) -> set[str]:
    return set(sa.inspect(database.engine).get_table_names())


def parts(database: Database) -> set[str]:
    """Return the names of tables, columns and indexes."""
    inspector = sa.inspect(database.engine)
    found = tables(database)
    for table in tuple(found):
        members = (*inspector.get_columns(table), *inspector.get_indexes(table))
        found |= {f"{table}.{member['name']}" for member in members}
    return found


def test_the_newest_schema_is_what_the_models_say(database: Database) -> None:
    schema.upgrade(database)
    assert differences(database) == []
    assert tables(database) == {*Base.metadata.tables, "alembic_version"}
    with database.engine.connect() as connection:
        assert schema.at_head(connection)


def test_down_to_nothing_and_up_again(database: Database) -> None:
    schema.upgrade(database)
    schema.downgrade(database, "base")
    assert tables(database) == {"alembic_version"}
    with database.engine.connect() as connection:
        assert not schema.at_head(connection)
    schema.upgrade(database)
    assert differences(database) == []


@pytest.mark.parametrize("revision", HISTORY)
def test_each_step_can_be_undone(database: Database, revision: str) -> None:
    schema.upgrade(database, revision)
    before = parts(database)
    schema.downgrade(database, "-1")
    assert parts(database) < before
    schema.upgrade(database, revision)
    assert parts(database) == before


def test_a_second_upgrade_changes_nothing(database: Database) -> None:
    schema.upgrade(database)
    with database.engine.begin() as connection:
        connection.execute(
            sa.text("INSERT INTO revoked_token VALUES (:hash, :at)"), {"hash": b"h", "at": "2026-03-01 12:00:00"}
        )
    schema.upgrade(database)
    with database.engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM revoked_token")) == 1


def test_a_failed_upgrade_leaves_nothing_half_done(database: Database) -> None:
    with database.engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE staff (unexpected INTEGER)"))  # the last table of the first revision
    with pytest.raises(sa.exc.DBAPIError):
        schema.upgrade(database)
    assert tables(database) == {"staff"}


@pytest.mark.postgres
def test_two_upgrades_at_once_take_turns(postgres: PostgresDatabases) -> None:
    url = postgres.fresh()
    program = f"from idservice import schema; from idservice.db import Database; schema.upgrade(Database({url!r}))"
    running = [
        subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stderr=subprocess.PIPE, text=True) for _ in range(2)
    ]
    errors = [process.communicate(timeout=60)[1] for process in running]
    assert [process.returncode for process in running] == [0, 0], errors
    database = Database(url)
    assert differences(database) == []
    database.engine.dispose()
    postgres.drop(url)


def test_the_history_is_one_line_without_holes() -> None:
    assert [f"{number:04}" for number in range(1, len(HISTORY) + 1)] == HISTORY
    names = sorted(path.name for path in Path(schema.MIGRATIONS / "versions").glob("*.py"))
    assert [name[:4] for name in names] == HISTORY
