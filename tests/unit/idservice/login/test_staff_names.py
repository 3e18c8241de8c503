"""A name of a staff account leads to its person, and only while the account is in use."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from idservice.call import House
from idservice.login import staff_names
from idservice.models import Department
from idservice.scim.models import StaffAccount
from tests.builders import act, build_house, migrate
from tests.databases import Databases
from tests.identity import ALICE, company_code

CODE = company_code("1137160010005000")


@pytest.fixture
def house(databases: Databases, tmp_path: Path) -> Iterator[House]:
    built = build_house(tmp_path, databases.fresh(migrate))

    def seed(call) -> None:
        call.session.add(Department(credit_code=CODE, name="示范市住房局", name_en="Demo bureau", region="371600"))
        call.session.flush()
        for name, subject, active in (("Wang.Fang", "s" * 32, True), ("nobody", None, True), ("gone", "g" * 32, False)):
            call.session.add(
                StaffAccount(
                    account_id=name.ljust(32, "0"), department=CODE, user_name=name, user_name_folded=name.lower(),
                    subject=subject, active=active, facts_sealed=b"", version=1,
                    created_at=call.now, changed_at=call.now,
                )
            )  # fmt: skip

    act(built, seed)
    yield built
    built.database.engine.dispose()


def test_a_name_in_any_case_is_its_persons(house: House) -> None:
    def found(text: str) -> str | None:
        return act(house, lambda call: staff_names.find(call, staff_names.fold(text)))

    assert [found(text) for text in ("Wang.Fang", " wang.fang ", "WANG.FANG")] == ["s" * 32] * 3
    assert [found(text) for text in ("nobody", "gone", "wang", "", "%")] == [None] * 5


@pytest.mark.parametrize("text", ["", " ", ".a", "a b", "a" * 65, "王芳", "a\0", "a'--"])
def test_what_is_no_name_is_looked_for_as_none(text: str) -> None:
    assert staff_names.fold(text) == ""


def test_no_name_can_be_somebodys_number() -> None:
    assert len(ALICE) == 18
    assert re.search(r"\d{15}", ALICE), "and a directory is refused a userName with so many digits in a row"
