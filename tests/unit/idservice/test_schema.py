from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.script import ScriptDirectory
from sqlalchemy.exc import IntegrityError

from idservice import schema
from idservice.db import Database
from idservice.models import Base


def at_head(database: Database) -> bool:
    with database.engine.connect() as connection:
        return schema.at_head(connection)


def tables(database: Database) -> set[str]:
    return set(sa.inspect(database.engine).get_table_names())


def test_up_one_step_back_up_and_down_to_nothing(database_url: str) -> None:
    database = Database(database_url)
    assert not at_head(database), "an empty database lacks every migration"
    schema.upgrade(database)
    assert at_head(database)
    assert Base.metadata.tables.keys() <= tables(database)
    schema.downgrade(database, "-1")
    assert not at_head(database)
    schema.upgrade(database)
    schema.upgrade(database)  # twice is once
    assert at_head(database)
    schema.downgrade(database, "base")
    assert tables(database) <= {"alembic_version"}
    assert not at_head(database)
    database.engine.dispose()


def test_a_revision_that_does_not_exist_changes_nothing(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/a.db")
    with pytest.raises(Exception, match="no_such"):
        schema.upgrade(database, "no_such")
    assert tables(database) <= {"alembic_version"}
    database.engine.dispose()


@pytest.fixture
def family(tmp_path: Path) -> Database:
    """A database with a row that another row refers to."""
    database = Database(f"sqlite:///{tmp_path}/family.db")
    with database.engine.begin() as connection:
        for statement in (
            "CREATE TABLE parent (id INTEGER PRIMARY KEY)",
            "CREATE TABLE child (id INTEGER PRIMARY KEY, parent INTEGER REFERENCES parent (id) ON DELETE CASCADE)",
            "INSERT INTO parent VALUES (1)",
            "INSERT INTO child VALUES (1, 1)",
        ):
            connection.exec_driver_sql(statement)
    return database


def migrate(database: Database, *statements: str) -> None:
    def deed(config: Any, _revision: str) -> None:
        for statement in statements:
            config.attributes["connection"].exec_driver_sql(statement)

    schema._run(database, deed, "head")


def rows(database: Database) -> list[int]:
    with database.engine.connect() as connection:
        return [connection.exec_driver_sql(f"SELECT count(*) FROM {name}").scalar() for name in ("parent", "child")]  # noqa: S608


def test_a_table_made_anew_takes_nothing_along_that_refers_to_it(family: Database) -> None:
    migrate(
        family,
        "CREATE TABLE other (id INTEGER PRIMARY KEY, more TEXT)",
        "INSERT INTO other (id) SELECT id FROM parent",
        "DROP TABLE parent",
        "ALTER TABLE other RENAME TO parent",
    )
    assert rows(family) == [1, 1]
    with pytest.raises(IntegrityError), family.engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO child VALUES (2, 7)")  # watched again
    family.engine.dispose()


def test_a_migration_that_leaves_a_reference_to_nothing_is_undone(family: Database) -> None:
    with pytest.raises(IntegrityError, match="child refers to nothing"):
        migrate(family, "DELETE FROM parent")
    assert rows(family) == [1, 1]
    family.engine.dispose()


def test_the_newest_migration_is_the_one_that_alembic_names() -> None:
    assert schema.heads() == frozenset(ScriptDirectory(str(schema.MIGRATIONS)).get_heads())
    assert len(schema.heads()) == 1
