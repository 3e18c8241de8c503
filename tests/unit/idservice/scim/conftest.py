"""A house with two departments, and verbs done in it by a directory."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from idservice.call import Call, Caller, House
from idservice.errors import Problem
from idservice.models import Department
from idservice.register import people
from idservice.scim.reach import Reach
from tests.builders import act, build_house, migrate
from tests.databases import Databases
from tests.identity import ALICE
from tests.staff import HEALTH, HOUSING, NAMES, USER

OWN, OTHER = Reach(frozenset({HOUSING})), Reach(frozenset({HEALTH}))
DIRECTORY = Caller(channel="api", client_id="directory", client_name="人事系统", departments=frozenset({HOUSING}))


@dataclass
class Desk:
    """The house, and a directory that acts in it."""

    house: House
    alice: str
    own: Reach = OWN
    other: Reach = OTHER

    def do(self, deed: Callable[[Call], Any], caller: Caller = DIRECTORY) -> Any:
        return act(self.house, deed, caller=caller)

    def refusal(self, deed: Callable[[Call], Any], caller: Caller = DIRECTORY) -> str:
        with pytest.raises(Problem) as refused:
            self.do(deed, caller)
        return refused.value.code

    def body(self, name: str = "a", **members: Any) -> dict[str, Any]:
        return {"schemas": [USER], "userName": name, **members}


@pytest.fixture
def desk(databases: Databases, tmp_path: Path) -> Iterator[Desk]:
    url = databases.fresh(migrate)
    house = build_house(tmp_path, url)

    def found(call: Call) -> str:
        for code, name in NAMES.items():
            call.session.add(Department(credit_code=code, name=name, name_en="Demo bureau", region="371600"))
        return people.enrol(call, number=ALICE, name="王小明", level=3)

    yield Desk(house, act(house, found))
    house.database.engine.dispose()
    databases.drop(url)
