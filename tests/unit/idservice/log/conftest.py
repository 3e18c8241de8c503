"""A house whose audit log the tests fill, sequence and damage."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from idservice.call import House
from tests.builders import build_house, migrate
from tests.databases import Databases
from tests.unit.idservice.log.deeds import BATCHES, fill


@pytest.fixture
def checkpoint_file(tmp_path: Path) -> Path:
    return tmp_path / "checkpoint"


@pytest.fixture
def house(tmp_path: Path, databases: Databases, checkpoint_file: Path) -> Iterator[House]:
    """A house with a second sink for checkpoints, once on each kind of database."""
    url = databases.fresh(migrate)
    built = build_house(tmp_path, url, checkpoint_file=checkpoint_file)
    yield built
    built.database.engine.dispose()
    databases.drop(url)


@pytest.fixture(scope="module")
def filled(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A log of SIZE entries that the tests of this module damage only inside transactions they roll back."""
    url = databases.fresh(migrate)
    house = build_house(tmp_path_factory.mktemp("verify"), url)
    fill(house, *BATCHES)
    yield house
    house.database.engine.dispose()
    databases.drop(url)
