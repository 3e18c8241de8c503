"""private_key_jwt against RFC 10070 and the advisories: whose assertion, for whom, how long, how often, signed how."""

import base64
import hmac
import json
import random
import secrets
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from idservice.oauth.assertion import ASSERTION_TYPE
from tests.identity import ISSUER, SECRET, City, Flow, basic, now, public_jwk, token


def assertion_for(city: City, *, key: Any = None, headers: dict[str, Any] | None = None, **changes: Any) -> str:
    payload = {
        "iss": "jwt",
        "sub": "jwt",
        "aud": ISSUER,
        "iat": now(),
        "exp": now() + 60,
        "jti": secrets.token_urlsafe(16),
        **changes,
    }
    payload = {name: value for name, value in payload.items() if value is not None}
    return jwt.encode(
        payload, key or city.key, algorithm="ES256", headers={"kid": "k1", "typ": None, **(headers or {})}
    )


def with_assertion(city: City, form: dict[str, str], assertion: str, path: str = "/oauth/token", **more: str) -> Any:
    sent = {**form, "client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion, **more}
    return token(city.app, sent, path=path)


def introspects(city: City, assertion: str, **more: str) -> Any:
    """Any endpoint would do; introspection of nothing shows the authentication alone."""
    return with_assertion(city, {"token": "x"}, assertion, "/oauth/introspect", **more)


def test_a_good_assertion_is_taken_once(city: City) -> None:
    assertion = assertion_for(city)
    assert introspects(city, assertion).status_code == 200
    assert introspects(city, assertion).json["error"] == "invalid_client"
    assert with_assertion(city, {"grant_type": "refresh_token", "refresh_token": "x"}, assertion).status_code == 401


def test_an_assertion_is_spent_even_where_the_request_fails(city: City) -> None:
    assertion = assertion_for(city)
    failed = with_assertion(city, {"grant_type": "refresh_token", "refresh_token": "x"}, assertion)
    assert failed.json["error"] == "invalid_grant"
    assert introspects(city, assertion).status_code == 401


def test_a_login_with_assertions(city: City) -> None:
    flow = Flow("jwt")
    form = {"grant_type": "authorization_code", "code": city.browser().code(flow), "redirect_uri": flow.redirect_uri}
    answer = with_assertion(city, {**form, "code_verifier": flow.verifier}, assertion_for(city))
    assert answer.status_code == 200


def test_the_explicit_type_and_small_clock_differences_are_taken(city: City) -> None:
    assert introspects(city, assertion_for(city, headers={"typ": "client-authentication+jwt"})).status_code == 200
    assert introspects(city, assertion_for(city, nbf=now() + 8, iat=now() + 8)).status_code == 200
    assert introspects(city, assertion_for(city, exp=now() + 299)).status_code == 200
    assert introspects(city, assertion_for(city), client_id="jwt").status_code == 200


BAD: dict[str, dict[str, Any]] = {
    "audience_in_an_array": {"aud": [ISSUER]},
    "audience_among_others": {"aud": [ISSUER, "https://attacker.example"]},
    "audience_token_endpoint": {"aud": f"{ISSUER}/oauth/token"},
    "audience_of_another": {"aud": "https://attacker.example"},
    "audience_with_slash": {"aud": f"{ISSUER}/"},
    "no_audience": {"aud": None},
    "expired": {"exp": 1},
    "no_expiry": {"exp": None},
    "expiry_as_text": {"exp": "9999999999"},
    "too_long": {"exp": 9999999999},
    "from_the_future": {"nbf": 9999999990},
    "issued_in_the_future": {"iat": 9999999990},
    "no_subject": {"sub": None},
    "no_issuer": {"iss": None},
    "subject_of_another": {"sub": "basic"},
    "issuer_of_another": {"iss": "basic"},
    "subject_not_text": {"sub": 5},
    "no_jti": {"jti": None},
    "jti_not_text": {"jti": 7},
    "jti_too_long": {"jti": "x" * 257},
    "type_jwt": {"headers": {"typ": "JWT"}},
    "type_access_token": {"headers": {"typ": "at+jwt"}},
    "unknown_kid": {"headers": {"kid": "k2"}},
    "kid_traversal": {"headers": {"kid": "../../k1"}},
    "kid_sql": {"headers": {"kid": "k1' OR '1'='1"}},
    "jku": {"headers": {"jku": "https://attacker.example/jwks"}},
    "critical": {"headers": {"crit": ["exp"]}},
    "other_key": {"key": ec.generate_private_key(ec.SECP256R1())},
}


@pytest.mark.parametrize("changes", BAD.values(), ids=BAD.keys())
def test_anything_else_is_not(city: City, changes: dict[str, Any]) -> None:
    answer = introspects(city, assertion_for(city, **changes))
    assert (answer.status_code, answer.json["error"]) == (401, "invalid_client")


def test_a_key_in_the_header_is_not_a_key(city: City) -> None:
    mine = ec.generate_private_key(ec.SECP256R1())
    answer = introspects(city, assertion_for(city, key=mine, headers={"jwk": public_jwk(mine)}))
    assert answer.status_code == 401


def test_the_algorithm_is_the_keys(city: City) -> None:
    header, payload, _ = assertion_for(city).split(".")

    def forged(algorithm: str, sign: Callable[[bytes], bytes]) -> str:
        head = b64({"alg": algorithm, "kid": "k1"})
        return f"{head}.{payload}.{base64.urlsafe_b64encode(sign(f'{head}.{payload}'.encode())).rstrip(b'=').decode()}"

    pem = city.key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    jwk = json.dumps(public_jwk(city.key)).encode()
    for text in (
        forged("none", lambda _data: b""),
        forged("HS256", lambda data: hmac.digest(pem, data, "sha256")),
        forged("HS256", lambda data: hmac.digest(jwk, data, "sha256")),
        forged("ES256", lambda _data: bytes(64)),
        f"{header}.{payload}.",
    ):
        assert introspects(city, text).status_code == 401


def test_a_fake_assertion_beside_a_right_secret_is_refused(city: City) -> None:
    form = {"token": "x", "client_assertion_type": ASSERTION_TYPE, "client_assertion": "e30.e30."}
    assert token(city.app, form, basic("basic"), "/oauth/introspect").json["error"] == "invalid_request"
    both = {**form, "client_id": "post", "client_secret": SECRET}
    assert token(city.app, both, path="/oauth/introspect").json["error"] == "invalid_request"


def test_a_client_for_assertions_is_not_let_in_by_less(city: City) -> None:
    assert token(city.app, {"token": "x", "client_id": "jwt"}, path="/oauth/revoke").status_code == 401
    assert token(city.app, {"token": "x"}, basic("jwt"), "/oauth/introspect").status_code == 401


def test_mutants_are_refused_and_none_is_a_server_error(city: City) -> None:
    chance, good = random.Random(20261123), assertion_for(city, exp=now() + 299)
    for _ in range(150):
        mutant = list(good)
        for _ in range(chance.randint(1, 4)):
            place = chance.randrange(len(mutant))
            mutant[place : place + chance.randint(0, 2)] = chance.choice(["", ".", "A", "-", "=", "é", "\0", "eyJ"])
        text = "".join(mutant)
        if text != good:
            assert introspects(city, text).status_code in {400, 401}
    for bomb in ("A" * 20_000, "." * 5000, "e30." * 3, f"{b64({'alg': 'ES256'})}.{nested()}.AAAA"):
        assert introspects(city, bomb).status_code in {400, 401}
    assert introspects(city, good).status_code == 200


def b64(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def nested() -> str:
    return base64.urlsafe_b64encode(b"[" * 3000 + b"]" * 3000).rstrip(b"=").decode()
