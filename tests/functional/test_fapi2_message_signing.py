"""FAPI 2.0 Message Signing: signed requests (RFC 9101), signed answers (JARM), signed introspection (RFC 9701)."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import jwt
import pytest
import time_machine
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from idservice.oauth import request_object, response_jwt
from keys.base64url import b64u
from keys.ring import Purpose
from tests.fapi import Fapi, new_key, register, signed
from tests.identity import (
    CALLBACK,
    ISSUER,
    SECRET,
    City,
    Flow,
    answer_of,
    basic,
    bearer,
    claims_of,
    header_of,
    introspect,
    logged_in,
    now,
    query_of,
    redeem,
    token,
)

SIGNED = ["require_signed_request_object"]


@pytest.fixture(scope="module")
def signer(city: City) -> Fapi:
    register(city, "signer", profile="fapi2", demands=SIGNED)
    return Fapi(city, "signer")


def request_of(
    app: Fapi,
    flow: Flow,
    *,
    key: Any = None,
    headers: dict[str, Any] | None = None,
    algorithm: str = "ES256",
    **changes: Any,
) -> dict[str, str]:
    """The request as a signed object, with nothing beside it but the client."""
    payload = {
        **dict(query_of(flow.url())),
        "iss": app.client_id,
        "aud": ISSUER,
        "nbf": now(),
        "exp": now() + 300,
        "iat": now(),
        **changes,
    }
    known = {"kid": "k1", "typ": "oauth-authz-req+jwt"}
    return {
        "client_id": app.client_id,
        "request": signed(key or app.city.key, payload, known | (headers or {}), algorithm),
    }


def push(app: Fapi, form: dict[str, str]) -> Any:
    return app.post("/oauth/par", dict(form), bare=True)


# --- JAR, RFC 9101


def test_happy_flow_with_a_signed_request(signer: Fapi) -> None:
    flow = signer.flow()
    pushed = push(signer, request_of(signer, flow))
    assert pushed.status_code == 201, pushed.text
    answer = answer_of(signer.answer(signer.url(pushed.json["request_uri"])))
    assert answer["state"] == flow.state
    got = signer.redeem(flow, answer["code"])
    assert claims_of(got.json["id_token"])["nonce"] == flow.nonce


GOOD: dict[str, Callable[[], dict[str, Any]]] = {
    "type_absent": lambda: {"headers": {"typ": None}},
    "type_with_application": lambda: {"headers": {"typ": "application/oauth-authz-req+jwt"}},
    "nbf_8_seconds_ok": lambda: {"nbf": now() + 8},
    "multiple_aud_ok": lambda: {"aud": [ISSUER, "https://other.example"]},
    "an_hour": lambda: {"exp": now() + 3600},
    "numbers_as_numbers": lambda: {"max_age": 600},
}


@pytest.mark.parametrize("changes", GOOD.values(), ids=GOOD.keys())
def test_ensure_request_object_is_taken(signer: Fapi, changes: Callable[[], dict[str, Any]]) -> None:
    assert push(signer, request_of(signer, signer.flow(), **changes())).status_code == 201


BAD: dict[str, Callable[[], dict[str, Any]]] = {
    "expired_request_object": lambda: {"exp": now() - 1},
    "without_exp": lambda: {"exp": None},
    "without_nbf": lambda: {"nbf": None},
    "exp_over_60": lambda: {"exp": now() + 3660},
    "nbf_over_60": lambda: {"nbf": now() - 3660},
    "nbf_in_the_future": lambda: {"nbf": now() + 65},
    "bad_aud": lambda: {"aud": "https://other.example"},
    "token_endpoint_as_aud": lambda: {"aud": f"{ISSUER}/oauth/token"},
    "no_aud": lambda: {"aud": None},
    "bad_iss": lambda: {"iss": "basic"},
    "no_iss": lambda: {"iss": None},
    "client_of_another": lambda: {"client_id": "basic"},
    "no_client": lambda: {"client_id": None},
    "sub_like_an_assertion": lambda: {"sub": "signer"},
    "invalid_signature": lambda: {"key": new_key()},
    "matching_key": lambda: {"headers": {"kid": "k2"}},
    "type_of_an_assertion": lambda: {"headers": {"typ": "client-authentication+jwt"}},
    "type_jwt": lambda: {"headers": {"typ": "JWT"}},
    "key_in_the_header": lambda: {"headers": {"jwk": {"kty": "EC"}}},
    "key_from_a_url": lambda: {"headers": {"jku": "https://attacker.example/jwks"}},
    "a_request_within": lambda: {"request": "e30.e30."},
    "a_request_uri_within": lambda: {"request_uri": "https://attacker.example/r"},
}


@pytest.mark.parametrize("changes", BAD.values(), ids=BAD.keys())
def test_ensure_request_object_fails(signer: Fapi, changes: Callable[[], dict[str, Any]]) -> None:
    with time_machine.travel(datetime.now(UTC), tick=False):  # 65 seconds ahead they stay, however long it takes
        answer = push(signer, request_of(signer, signer.flow(), **changes()))
    assert (answer.status_code, answer.json["error"]) == (400, "invalid_request_object")


def test_ensure_request_object_without_redirect_uri_fails(signer: Fapi) -> None:
    form = request_of(signer, signer.flow(), redirect_uri=None)
    answer = push(signer, form | {"redirect_uri": CALLBACK})
    assert (answer.status_code, answer.json["error"]) == (400, "invalid_request")


def test_ensure_request_object_signature_algorithm_is_not_none(signer: Fapi) -> None:
    good = request_of(signer, signer.flow())["request"]
    header, payload, signature = good.split(".")
    none, mac = (b64u(json.dumps({"alg": name, "kid": "k1"}).encode()) for name in ("none", "HS256"))
    for text in (
        f"{none}.{payload}.",
        f"{none}.{payload}.{signature}",
        f"{mac}.{payload}.{signature}",
        f"{header}.{payload}.",
    ):
        answer = push(signer, {"client_id": "signer", "request": text})
        assert (answer.status_code, answer.json["error"]) == (400, "invalid_request_object")


def test_a_key_for_hs256_is_not_made_of_a_public_key(signer: Fapi) -> None:
    pem = signer.city.key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    form = request_of(signer, signer.flow(), key=b64u(pem), algorithm="HS256")
    assert push(signer, form).json["error"] == "invalid_request_object"


def test_signed_request_object_with_rs256_fails(city: City) -> None:
    key = rsa.generate_private_key(65537, 2048)
    jwk = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key()))
    keys = {"keys": [{"kty": "RSA", "n": jwk["n"], "e": jwk["e"], "kid": "k1"}]}
    register(city, "rsa", auth_method="client_secret_basic", secret=SECRET, jwks=keys, demands=SIGNED)
    app = Fapi(city, "rsa")
    for algorithm, status in (("RS256", 400), ("PS256", 201)):
        form = request_of(app, app.flow(), key=key, algorithm=algorithm)
        assert token(city.app, form, basic("rsa"), "/oauth/par").status_code == status


def test_an_encrypted_request_object_is_refused(signer: Fapi) -> None:
    parts = [b64u(b'{"alg":"dir","enc":"A256GCM"}'), "", b64u(bytes(12)), b64u(b"{}"), b64u(bytes(16))]
    answer = push(signer, {"client_id": "signer", "request": ".".join(parts)})
    assert answer.json["error"] == "invalid_request_object"


def test_unsigned_request_at_par_endpoint_fails(signer: Fapi) -> None:
    answer = signer.push(signer.flow())
    assert (answer.status_code, answer.json["error"]) == (400, "invalid_request")


@pytest.mark.parametrize("name", ["state", "nonce"])
def test_different_values_inside_and_outside_and_the_inside_counts(signer: Fapi, name: str) -> None:
    flow = signer.flow()
    pushed = push(signer, request_of(signer, flow) | {name: "outside", "scope": "openid phone"})
    answer = answer_of(signer.answer(signer.url(pushed.json["request_uri"])))
    assert answer["state"] == flow.state
    got = signer.redeem(flow, answer["code"]).json
    assert claims_of(got["id_token"])["nonce"] == flow.nonce
    assert "phone" not in got["scope"]


def test_state_only_outside_not_used(signer: Fapi) -> None:
    pushed = push(signer, request_of(signer, signer.flow(), state=None) | {"state": "outside"})
    assert "state" not in answer_of(signer.answer(signer.url(pushed.json["request_uri"])))


def test_a_signed_request_in_the_url(city: City) -> None:
    app, flow = Fapi(city, "jwt"), Flow("jwt")
    answer = answer_of(app.answer("/oauth/authorize?" + urlencode(request_of(app, flow))))
    assert (answer["state"], answer["iss"]) == (flow.state, ISSUER)
    altered = request_of(app, flow, key=new_key())
    assert city.browser().open("/oauth/authorize?" + urlencode(altered)).status == 400, "nobody vouches for an address"
    told = city.browser().open("/oauth/authorize?" + urlencode(altered | {"redirect_uri": CALLBACK, "state": "s"}))
    assert answer_of(told)["error"] == "invalid_request_object"


def test_a_client_that_must_sign_does_not_get_by_without_par(city: City) -> None:
    register(city, "signs", demands=SIGNED)
    answer = answer_of(city.browser().open(Flow("signs").url()))
    assert answer["error"] == "invalid_request"


def test_a_signed_request_to_an_unregistered_address_goes_nowhere(city: City) -> None:
    app = Fapi(city, "jwt")
    page = city.browser().open(
        "/oauth/authorize?" + urlencode(request_of(app, Flow("jwt"), redirect_uri="https://evil.example"))
    )
    assert page.status == 400
    assert "Location" not in page.headers


def test_an_app_without_keys_cannot_sign(city: City) -> None:
    answer = token(city.app, {"client_id": "basic", "request": "e30.e30.AA"}, basic("basic"), "/oauth/par")
    assert (answer.status_code, answer.json["error"]) == (400, "request_not_supported")


@pytest.mark.parametrize(
    "text", ["x", "..", "." * 9000, "A" * 16_000, "é"], ids=["x", "dots", "many_dots", "long", "not_ascii"]
)
def test_rubbish_is_no_request(signer: Fapi, text: str) -> None:
    assert push(signer, {"client_id": "signer", "request": text}).json["error"] == "invalid_request_object"


def test_a_request_object_is_no_client_assertion(signer: Fapi) -> None:
    text = request_of(signer, signer.flow(), headers={"typ": None})["request"]
    answer = signer.post("/oauth/introspect", {"token": "x", "client_assertion": text}, bare=True)
    assert (answer.status_code, answer.json["error"]) == (401, "invalid_client")


# --- JARM


def published(city: City, text: str, audience: str) -> dict[str, Any]:
    """Verify a JWT with the keys the service publishes, as an app does."""
    listed = city.app.test_client().get("/.well-known/jwks.json").json
    keys = {key["kid"]: jwt.PyJWK(key) for key in listed["keys"]}
    found: dict[str, Any] = jwt.decode(
        text,
        keys[jwt.get_unverified_header(text)["kid"]],
        algorithms=["ES256"],
        audience=audience,
        issuer=ISSUER,
    )
    return found


@pytest.mark.parametrize("mode", ["jwt", "query.jwt"])
def test_a_signed_answer_holds_the_code(fapi: Fapi, mode: str) -> None:
    flow = fapi.flow()
    page = fapi.answer(fapi.pushed(flow, response_mode=mode))
    assert answer_of(page).keys() == {"response"}
    answer = published(fapi.city, answer_of(page)["response"], "fapi")
    assert (answer["state"], answer["iss"], answer["aud"]) == (flow.state, ISSUER, "fapi")
    assert answer["exp"] - now() <= response_jwt.RESPONSE_SECONDS
    assert fapi.redeem(flow, answer["code"]).status_code == 200


def test_errors_are_signed_too(fapi: Fapi) -> None:
    flow = fapi.flow("openid phone")
    refused = fapi.answer(fapi.pushed(flow, response_mode="jwt"), decision="deny")
    answer = published(fapi.city, answer_of(refused)["response"], "fapi")
    assert (answer["error"], answer["state"]) == ("access_denied", flow.state)
    plain = fapi.city.browser().open(fapi.flow().url(response_mode="query.jwt", scope="nonsense"))
    assert published(fapi.city, answer_of(plain)["response"], "fapi")["error"] == "invalid_scope"


def test_a_standard_client_may_ask_for_a_signed_answer(city: City) -> None:
    browser, flow = city.browser(), Flow()
    browser.code(Flow())
    answer = published(city, answer_of(browser.open(flow.url(response_mode="jwt")))["response"], "basic")
    assert redeem(city.app, flow, answer["code"]).status_code == 200


@pytest.mark.parametrize("mode", ["fragment.jwt", "form_post.jwt", "form_post", "fragment", "JWT"])
def test_other_modes_are_refused(fapi: Fapi, mode: str) -> None:
    assert fapi.push(fapi.flow(), response_mode=mode).json["error"] == "invalid_request"


def test_a_signed_answer_is_no_id_token_hint(city: City) -> None:
    browser = city.browser()
    browser.code(Flow())
    answer = answer_of(browser.open(Flow().url(response_mode="jwt")))["response"]
    assert answer_of(browser.open(Flow().url(id_token_hint=answer)))["error"] == "login_required"


# --- signed introspection, RFC 9701


def introspected(city: City, text: str, accept: str) -> Any:
    return token(city.app, {"token": text}, basic("basic") | {"Accept": accept}, "/oauth/introspect")


def test_signed_introspection(city: City) -> None:
    text = logged_in(city)["access_token"]
    answer = introspected(city, text, "application/token-introspection+jwt")
    assert answer.status_code == 200
    assert answer.mimetype == "application/token-introspection+jwt"
    assert answer.headers["Cache-Control"] == "no-store"
    assert header_of(answer.text)["typ"] == "token-introspection+jwt"
    told = published(city, answer.text, "basic")
    assert told["token_introspection"] == introspect(city, text)
    assert told.keys() == {"iss", "aud", "iat", "token_introspection"}
    assert published(city, introspected(city, "x", "application/token-introspection+jwt").text, "basic")[
        "token_introspection"
    ] == {"active": False}


@pytest.mark.parametrize(
    "accept",
    [
        "application/token-introspection+jwt, application/json;q=0.5",
        "application/json;q=0.1, application/token-introspection+jwt",
        "application/json, application/token-introspection+jwt",
        "text/html, Application/Token-Introspection+JWT;q=0.8",
    ],
)
def test_a_signed_answer_is_asked_for_among_others(city: City, accept: str) -> None:
    answer = introspected(city, "x", accept)
    assert answer.mimetype == "application/token-introspection+jwt"
    assert published(city, answer.text, "basic")["token_introspection"] == {"active": False}


@pytest.mark.parametrize(
    "accept",
    [
        "application/json",
        "*/*",
        "",
        "text/html",
        "application/json, application/token-introspection+jwt;q=0.5",
        "application/token-introspection+jwt;q=0, application/json",
    ],
)
def test_introspection_is_json_where_nothing_else_is_asked_for(city: City, accept: str) -> None:
    assert introspected(city, "x", accept).json == {"active": False}


def test_a_signed_introspection_is_no_access_token(city: City) -> None:
    text = introspected(city, logged_in(city)["access_token"], "application/token-introspection+jwt").text
    assert city.app.test_client().get("/v1/accesses", headers=bearer(text)).status_code == 401
    assert city.app.test_client().get("/oauth/userinfo", headers=bearer(text)).status_code == 401
    assert introspect(city, text) == {"active": False}


def test_non_repudiation_each_holds_after_a_rotation(fapi: Fapi) -> None:
    flow = fapi.flow()
    signed_answer = answer_of(fapi.answer(fapi.pushed(flow, response_mode="jwt")))["response"]
    got = fapi.redeem(flow, published(fapi.city, signed_answer, "fapi")["code"]).json
    told = introspected(fapi.city, "x", "application/token-introspection+jwt").text
    for purpose in (Purpose.ID_TOKEN, Purpose.ACCESS_TOKEN):
        fapi.city.house.keys.rotate(purpose, now=datetime.now(UTC))
    assert published(fapi.city, signed_answer, "fapi")["state"] == flow.state
    assert published(fapi.city, got["id_token"], "fapi")["nonce"] == flow.nonce
    assert published(fapi.city, told, "basic")["token_introspection"] == {"active": False}


def test_an_old_request_is_refused_by_the_time_it_states(signer: Fapi) -> None:
    form = request_of(signer, signer.flow(), exp=now() + request_object.MAX_SECONDS)
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=61)):
        assert push(signer, form).json["error"] == "invalid_request_object"


def test_what_is_announced_of_signing(city: City) -> None:
    told = city.app.test_client().get("/.well-known/openid-configuration").json
    assert told["request_parameter_supported"] is True
    assert told["request_uri_parameter_supported"] is False, "nothing is fetched"
    assert told["request_object_signing_alg_values_supported"] == ["ES256", "EdDSA", "PS256"]
    assert told["authorization_signing_alg_values_supported"] == ["ES256"]
    assert told["introspection_signing_alg_values_supported"] == ["ES256"]
    assert set(told["response_modes_supported"]) == {"query", "jwt", "query.jwt"}
