"""Fixtures of the walks."""

from collections.abc import Iterator

import pytest

from tests.builders import migrate
from tests.databases import Databases
from tests.fapi import Fapi, register
from tests.identity import City, build_city
from tests.town import Town, copy_town, found


@pytest.fixture(scope="module")
def city(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    """Build a small city with people, a company and apps, once for a test module and kind of database."""
    url = databases.fresh(migrate)
    built = build_city(tmp_path_factory.mktemp("city"), url)
    yield built
    built.house.database.engine.dispose()
    databases.drop(url)


@pytest.fixture(scope="module")
def fapi(city: City) -> Fapi:
    """Enter an app of the FAPI 2.0 profile in the city."""
    register(city, "fapi", profile="fapi2")
    return Fapi(city)


@pytest.fixture(scope="module")
def town(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Build a small town that issues licences, once for a test module and kind of database."""
    url = databases.fresh(found)
    built = copy_town(tmp_path_factory.mktemp("town"), url)
    yield built
    built.house.database.engine.dispose()
    databases.drop(url)


@pytest.fixture
def fresh_town(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Build a small town for one test: what others did in theirs is not in it."""
    url = databases.fresh(found)
    built = copy_town(tmp_path_factory.mktemp("town"), url)
    yield built
    built.house.database.engine.dispose()
    databases.drop(url)
