"""A house with four administrators, each logged in with two factors."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from idservice.admin import roles
from idservice.admin.roles import Role
from idservice.call import Caller, House
from idservice.errors import Problem
from idservice.register import people
from tests.builders import act, build_house, migrate
from tests.databases import Databases
from tests.identity import ALICE, citizen_number

NOW = datetime(2026, 11, 22, 4, tzinfo=UTC)
STAFF = {
    "system": Role.SYSTEM,
    "system2": Role.SYSTEM,
    "security": Role.SECURITY,
    "security2": Role.SECURITY,
    "audit": Role.AUDIT,
}


@dataclass
class Desk:
    """The house, and whoever acts in it."""

    house: House
    subject: dict[str, str]
    now: datetime = NOW
    login: dict[str, Any] = field(default_factory=lambda: {"amr": ("pwd", "otp", "mfa"), "level": 3})

    def do(self, deed: Callable[..., Any], who: str | None = "system", **login: Any) -> Any:
        person = self.subject[who] if who else None
        facts = self.login | {"auth_time": self.now} | login
        return act(self.house, deed, caller=Caller(channel="api", person=person, **facts), now=self.now)

    def refusal(self, deed: Callable[..., Any], who: str | None = "system", **login: Any) -> str:
        with pytest.raises(Problem) as refused:
            self.do(deed, who, **login)
        return refused.value.code


@pytest.fixture
def desk(databases: Databases, tmp_path: Path) -> Iterator[Desk]:
    url = databases.fresh(migrate)
    house = build_house(tmp_path, url)
    subject = {}
    for place, name in enumerate([*STAFF, "citizen"], 1):
        number = ALICE if name == "citizen" else citizen_number(f"3716021980010{place}001")
        subject[name] = act(house, lambda call, n=number: people.enrol(call, number=n, name="王小明", level=3), now=NOW)
    for name, role in STAFF.items():
        act(house, lambda call, s=subject[name], r=role: roles.give(call, s, r), now=NOW)
    yield Desk(house, subject)
    house.database.engine.dispose()
    databases.drop(url)
