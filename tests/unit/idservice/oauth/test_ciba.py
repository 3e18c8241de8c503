"""Who may start a login on another screen at all."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from authlib.oauth2.rfc6749 import InvalidRequestError
from cryptography.hazmat.primitives.asymmetric import ec

from idservice.call import Call, House
from idservice.oauth import ciba, clients
from idservice.oauth.grant_policy import CIBA_GRANT
from idservice.oauth.profiles import Demand
from tests.builders import act, build_house, migrate
from tests.databases import SqliteDatabases
from tests.identity import ALICE, SECRET, public_jwk

ASKED = {"scope": "openid", "login_hint": ALICE}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    built = build_house(tmp_path, SqliteDatabases(tmp_path).fresh(migrate))
    yield built
    built.database.engine.dispose()


def start(call: Call, *demands: str) -> bool:
    """Register a client of these demands and let it ask."""
    keys = {"keys": [public_jwk(ec.generate_private_key(ec.SECP256R1()))]} if demands else None
    clients.register(
        call, client_id="desk", name="x", unit="x", auth_method="client_secret_basic", secret=SECRET,
        grant_types=[CIBA_GRANT], scope="openid", jwks=keys, demands=demands,
    )  # fmt: skip
    app = clients.find(call, "desk")
    assert app is not None
    return "auth_req_id" in ciba.start(call, app, ASKED)


def test_a_client_that_must_sign_its_requests_is_refused(house: House) -> None:
    with pytest.raises(InvalidRequestError, match="not offered"):
        act(house, lambda call: start(call, Demand.SIGNED))
    clients.forget(house, "desk")
    assert act(house, start)
