"""Which tokens are let in with which proof, without HTTP: the table of RFC 9449 section 7.1 and RFC 8705 section 3."""

import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jwt
import pytest
from authlib.oauth2.rfc6749 import OAuth2Error

from idservice.call import House
from idservice.errors import Problem
from idservice.oauth import dpop, mtls, possession
from idservice.oauth.confirmation import Key
from idservice.oauth.possession import Sent
from keys.ring import Purpose
from tests.builders import build_house, migrate
from tests.databases import SqliteDatabases
from tests.fapi import bare_jwk, new_key, thumbprint
from tests.unit.idservice.oauth.test_profiles import app

URL = "http://127.0.0.1:8000/v1/accesses"
KEY = new_key()
BY_KEY, BY_CERTIFICATE = {"jkt": thumbprint(KEY)}, mtls.key_of(b"certificate").claim


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    built = build_house(tmp_path, SqliteDatabases(tmp_path).fresh(migrate))
    yield built
    built.database.engine.dispose()


def sent(house: House, *, token: str | None = None, key: Any = KEY, certificate: bytes | None = None) -> Sent:
    now = datetime.now(UTC)
    claims = {
        "jti": secrets.token_hex(8),
        "htm": "GET",
        "htu": URL,
        "iat": int(now.timestamp()),
        "nonce": dpop.nonce(house.keys.secret(Purpose.SESSION), now),
    }
    if token is not None:
        claims["ath"] = dpop._hash(token)
    proof = jwt.encode(claims, key, algorithm="ES256", headers={"typ": "dpop+jwt", "jwk": bare_jwk(key)})
    return Sent("GET", (URL,), proof, certificate)


def admitted(house: House, cnf: object, scheme: str, came: Sent | None) -> bool:
    claims = {} if cnf is None else {"cnf": cnf}
    try:
        possession.of_token(house, "token", claims, scheme, came, now=datetime.now(UTC))
    except Problem as problem:
        wanted = "DPoP error=" if scheme == "dpop" else "Bearer error="
        return problem.code != "unauthenticated" or not problem.headers["WWW-Authenticate"].startswith(wanted)
    return True


def test_a_nonce_outlives_a_rotation(house: House) -> None:
    before = sent(house, token="token")
    house.keys.rotate(Purpose.SESSION, now=datetime.now(UTC))
    assert admitted(house, BY_KEY, "dpop", before)


def test_a_key_opens_what_is_bound_to_it_and_nothing_else(house: House) -> None:
    certificate = Sent("GET", (URL,), None, b"certificate")
    assert admitted(house, BY_KEY, "dpop", sent(house, token="token"))
    assert admitted(house, BY_CERTIFICATE, "bearer", certificate)
    for cnf, scheme, came in (
        (None, "dpop", sent(house, token="token")),
        (BY_KEY, "bearer", sent(house, token="token")),
        (BY_KEY, "dpop", None),
        (BY_KEY, "dpop", certificate),
        (BY_KEY, "dpop", sent(house, token="other")),
        (BY_KEY, "dpop", sent(house, token="token", key=new_key())),
        (BY_KEY | BY_CERTIFICATE, "dpop", sent(house, token="token")),
        (BY_CERTIFICATE, "dpop", certificate),
        (BY_CERTIFICATE, "bearer", None),
        (BY_CERTIFICATE, "bearer", Sent("GET", (URL,), None, b"another")),
        (BY_CERTIFICATE, "bearer", sent(house, token="token")),
        ({}, "bearer", certificate),
        ({"kid": "x"}, "bearer", certificate),
        ("x", "bearer", certificate),
    ):
        assert not admitted(house, cnf, scheme, came), (cnf, scheme)


def test_a_client_gets_the_binding_it_must_have(house: House) -> None:
    now, certificate = datetime.now(UTC), Sent("GET", (URL,), None, b"certificate")

    def key_for(profile: str, *demands: str, came: Sent | None, method: str = "private_key_jwt") -> Key | str | None:
        try:
            return possession.of_client(house, app(profile, *demands, method=method), came, now=now)
        except OAuth2Error as error:
            return str(error.error)

    assert key_for("standard", came=None) is None
    assert key_for("standard", came=certificate) is None, "nobody asked for that"
    assert key_for("fapi2", came=None) == "invalid_dpop_proof"
    assert key_for("fapi2", came=certificate) == "invalid_dpop_proof"
    assert key_for("fapi2", came=certificate, method="tls_client_auth") == mtls.key_of(b"certificate")
    assert key_for("fapi2", "dpop_bound_access_tokens", came=certificate, method="tls_client_auth") == (
        "invalid_dpop_proof"
    )
    tls = "tls_client_certificate_bound_access_tokens"
    assert key_for("standard", tls, came=None) == "invalid_request"
    assert key_for("standard", tls, came=certificate) == mtls.key_of(b"certificate")
    assert key_for("standard", tls, came=sent(house)) == "invalid_request"
    again = sent(house, key=new_key())
    found = key_for("standard", came=again)
    assert isinstance(found, Key)
    assert found.method == "jkt"
    assert key_for("standard", came=again) == "invalid_dpop_proof", "a proof is taken once, whoever needs it"
