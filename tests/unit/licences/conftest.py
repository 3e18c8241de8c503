"""A small town on an embedded database, once for a test module."""

from collections.abc import Iterator

import pytest

from tests.databases import SqliteDatabases
from tests.town import Town, copy_town, found


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("town")
    built = copy_town(folder, SqliteDatabases(folder).fresh(found))
    yield built
    built.house.database.engine.dispose()
