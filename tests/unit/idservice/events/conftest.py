"""A house with one receiver that has a stream."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from idservice.call import Caller, House
from tests.builders import build_house, migrate
from tests.databases import SqliteDatabases

RECEIVER = Caller(channel="api", client_id="listener")


@pytest.fixture
def home(tmp_path: Path) -> Iterator[House]:
    built = build_house(tmp_path, SqliteDatabases(tmp_path).fresh(migrate))
    yield built
    built.database.engine.dispose()
