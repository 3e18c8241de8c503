from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from idservice.call import Call, House
from idservice.models import AccessRecord, RevokedToken
from idservice.oauth import clients, disclosure, exchanged
from idservice.oauth.families import Family
from tests.builders import act, build_house, migrate
from tests.databases import SqliteDatabases

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
A, B, C = (letter * 32 for letter in (b"a", b"b", b"c"))


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    built = build_house(tmp_path, SqliteDatabases(tmp_path).fresh(migrate))

    def chain(call: Call) -> None:
        for jti, parent, client_id in ((B, A, "gateway"), (C, B, "archive")):
            exchanged.remember(call, jti_hash=jti, client_id=client_id, parent_hash=parent, expires_at=NOW)

    act(built, chain)
    yield built
    built.database.engine.dispose()


def held(house: House, jti_hash: bytes, client_id: str) -> bool:
    return act(house, lambda call: exchanged.is_held_by(call, jti_hash, client_id))


def test_a_token_is_held_by_whom_it_was_given_to(house: House) -> None:
    assert held(house, B, "gateway")
    assert held(house, C, "archive")
    assert not held(house, B, "archive")
    assert not held(house, A, "gateway"), "not an exchanged one"


@pytest.mark.parametrize(("revoked", "alive"), [(A, (False, False)), (B, (True, False))])
def test_a_token_ends_with_any_that_it_came_from(house: House, revoked: bytes, alive: tuple[bool, bool]) -> None:
    row = RevokedToken(jti_hash=revoked, expires_at=NOW + timedelta(minutes=10))
    act(house, lambda call: call.session.add(row))
    assert (held(house, B, "gateway"), held(house, C, "archive")) == alive


def test_a_holder_is_told_what_is_released_and_only_then(house: House) -> None:
    family = Family("p" * 32, "f" * 32, "app", None, None, frozenset({"openid", "profile"}), NOW, ("pwd",), 2, NOW)

    def tell(call: Call) -> int:
        clients.register(
            call, client_id="app", name="x", unit="x", auth_method="none", grant_types=["refresh_token"], scope="openid"
        )
        app = clients.find(call, "app")
        assert app is not None
        disclosure.tell_holder(call, app, family, scope=("openid",))
        disclosure.tell_holder(call, app, family)
        return call.session.query(AccessRecord).count()

    assert act(house, tell) == 1
