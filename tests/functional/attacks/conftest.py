"""One small city for a module, on SQLite alone: these rows are about answers, not about the database."""

from collections.abc import Iterator

import pytest

from tests.builders import migrate
from tests.databases import SqliteDatabases
from tests.identity import City, build_city


@pytest.fixture(scope="session")
def sqlite(tmp_path_factory: pytest.TempPathFactory) -> SqliteDatabases:
    return SqliteDatabases(tmp_path_factory.mktemp("sqlite"))


@pytest.fixture(scope="module")
def city(sqlite: SqliteDatabases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    built = build_city(tmp_path_factory.mktemp("city"), sqlite.fresh(migrate))
    yield built
    built.house.database.engine.dispose()
