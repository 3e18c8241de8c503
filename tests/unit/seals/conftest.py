from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from idservice.call import House
from idservice.models import Department
from seals.authority import make_authority
from tests.builders import act, build_house, migrate
from tests.databases import Databases
from tests.unit.seals.made import City

DEPARTMENT, OTHER = "11990000MB0000001C", "11990000MB0000002A"  # made up; register verbs do not judge the check digit
NAME = "示范市行政审批服务局"
FOUNDED = datetime(2026, 1, 1, tzinfo=UTC)  # when the city's seal authority was set up


@pytest.fixture(scope="session")
def city() -> City:
    return City()


@pytest.fixture(scope="module")
def house(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A house with two departments and the demonstration's seal authority."""
    url = databases.fresh(migrate)
    house = build_house(Path(tmp_path_factory.mktemp("house")), url)

    def enrol(call: object) -> None:
        for code, name in ((DEPARTMENT, NAME), (OTHER, "示范市其他部门")):
            call.session.add(Department(credit_code=code, name=name, name_en="Demonstration", region="990100"))  # type: ignore[attr-defined]

    act(house, enrol)
    act(house, make_authority, now=FOUNDED)
    yield house
    house.database.engine.dispose()
    databases.drop(url)
