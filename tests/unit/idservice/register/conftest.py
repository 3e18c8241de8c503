"""A house with an empty register."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from idservice.call import House
from tests.builders import build_house, migrate
from tests.databases import Databases
from tests.unit.idservice.register.desk import Desk


@pytest.fixture
def house(databases: Databases, tmp_path: Path) -> Iterator[House]:
    url = databases.fresh(migrate)
    built = build_house(tmp_path, url)
    yield built
    built.database.engine.dispose()
    databases.drop(url)


@pytest.fixture
def desk(house: House, tmp_path: Path) -> Desk:
    return Desk(house, tmp_path)
