from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from idservice.call import House
from idservice.login import password
from idservice.models import Password
from tests.builders import act, build_house, migrate
from tests.databases import SqliteDatabases


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    built = build_house(tmp_path, SqliteDatabases(tmp_path).fresh(migrate))
    yield built
    built.database.engine.dispose()


@pytest.mark.parametrize("length", [8, 64, 72, 73, 128, 1024])
def test_a_password_is_used_whole(house: House, length: int) -> None:
    secret = "p" * length
    act(house, lambda call: password.set_password(call, "someone", secret))
    known = act(house, lambda call: call.session.get_one(Password, "someone")).hash
    assert known.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert password.matches(house, known, secret)
    assert not password.matches(house, known, secret[:-1])
    assert not password.matches(house, known, secret[:-1] + "q")


@pytest.mark.parametrize("secret", ["", "1234567", "p" * 1025, "密" * 342])
def test_too_short_and_too_long_are_not_set(house: House, secret: str) -> None:
    with pytest.raises(password.PasswordRefused):
        act(house, lambda call: password.set_password(call, "someone", secret))


@pytest.mark.parametrize("given", ["", "x", "p" * 5000, "\ud800", "é" * 512])
def test_nobody_has_no_password(house: House, given: str) -> None:
    assert password.matches(house, None, given) is False
    assert password.matches(house, "damaged", given) is False


def test_a_new_password_lifts_the_lock(house: House) -> None:
    act(house, lambda call: password.set_password(call, "someone", "the first one"))

    def lock(call):
        row = call.session.get_one(Password, "someone")
        row.failures, row.locked_until = 9, call.now + timedelta(hours=1)

    act(house, lock)
    act(house, lambda call: password.set_password(call, "someone", "the second one"))
    row = act(house, lambda call: call.session.get_one(Password, "someone"))
    assert (row.failures, row.locked_until) == (0, None)
