"""Who gets verified claims: the app they were allowed to, by what it asked for or by the scope of the token."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from idservice.call import House
from idservice.oauth import claims_request, clients, verified_claims
from idservice.oauth.claims_request import ID_TOKEN, USERINFO
from idservice.oauth.families import Family
from idservice.oauth.granted import Granted
from idservice.register import people
from tests.builders import act, build_house, migrate
from tests.databases import SqliteDatabases
from tests.identity import ALICE

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
ASKED = '{"%s": {"verified_claims": {"verification": {"trust_framework": null}, "claims": {"birthdate": null}}}}'


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    built = build_house(tmp_path, SqliteDatabases(tmp_path).fresh(migrate))
    stated: dict[str, Any] = {"grant_types": ["authorization_code"], "redirect_uris": ["http://127.0.0.1/cb"]}
    stated |= {"name": "n", "unit": "u", "auth_method": "client_secret_basic", "secret": "s" * 32}
    for client_id, scope in (("kyc", "openid verified"), ("gateway", "openid verified"), ("plain", "openid")):
        act(built, lambda call, i=client_id, s=scope: clients.register(call, client_id=i, scope=s, **stated))
    yield built
    built.database.engine.dispose()


@pytest.fixture
def family(house: House) -> Family:
    alice = act(house, lambda call: people.enrol(call, number=ALICE, name="王小明"))
    granted = Granted(claims=claims_request.read(ASKED % USERINFO))
    scope = frozenset({"openid", "verified"})
    return Family(alice, "f", "kyc", None, None, scope, NOON, ("pwd",), 2, NOON, granted=granted)


def released(house: House, family: Family, client_id: str = "kyc", target: str = USERINFO, *scope: str) -> Any:
    def read(call: Any) -> Any:
        app = clients.find(call, client_id)
        assert app is not None
        found = verified_claims.released(call, app, family, target, frozenset(scope))
        return found["verified_claims"]["claims"] if found else None

    return act(house, read)


def test_what_was_asked_for_takes_the_place_of_what_the_scope_gives(house: House, family: Family) -> None:
    assert released(house, family) == {"birthdate": "1990-03-07"}
    assert released(house, family, "kyc", USERINFO, "verified") == {"birthdate": "1990-03-07"}
    plain = replace(family, granted=Granted())
    assert released(house, plain, "kyc", USERINFO, "verified") == {"name": "王小明"}
    assert released(house, plain, "kyc", USERINFO, "openid") is None, "this token was narrowed"
    assert released(house, plain, "kyc", ID_TOKEN, "verified") is None


def test_an_app_that_exchanged_the_token_gets_what_its_scope_gives(house: House, family: Family) -> None:
    assert released(house, family, "gateway", USERINFO, "openid") is None
    assert released(house, family, "gateway", USERINFO, "openid", "verified") == {"name": "王小明"}


def test_an_app_that_lost_the_scope_gets_nothing(house: House, family: Family) -> None:
    assert released(house, replace(family, client_id="plain"), "plain") is None
