from collections.abc import Iterator
from pathlib import Path

import pytest

from idservice.call import House
from idservice.login import change_password
from idservice.login.password import PasswordRefused
from idservice.register import people
from tests.builders import act, build_house, migrate
from tests.databases import SqliteDatabases
from tests.identity import ALICE


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    built = build_house(tmp_path, SqliteDatabases(tmp_path).fresh(migrate))
    yield built
    built.database.engine.dispose()


def test_the_list_holds_what_length_does_not_refuse() -> None:
    assert len(change_password.COMMON) > 100
    assert all(len(word) >= 8 and word == word.lower() for word in change_password.COMMON)


@pytest.mark.parametrize(
    "new", ["1234567", "12345678", "PassWord123", "QWERTYUIOP", "x" * 1025, f"a{ALICE}", "\ud800" * 342]
)
def test_what_a_password_may_not_be(house: House, new: str) -> None:
    subject = act(house, lambda call: people.enrol(call, number=ALICE, name="王小明", phone="13800001234"))
    with pytest.raises(PasswordRefused):
        act(house, lambda call: change_password.refuse_weak(call, subject, new))
    act(house, lambda call: change_password.refuse_weak(call, subject, "three unrelated words"))
    act(house, lambda call: change_password.refuse_weak(call, "nobody", "three unrelated words"))
