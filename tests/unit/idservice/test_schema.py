from pathlib import Path

import pytest
import sqlalchemy as sa

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
