"""FAPI 2.0 Security Profile, tokens bound to keys by DPoP (RFC 9449): the modules of the conformance suite, by name."""

import json
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
import time_machine
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from idservice.admin import roles
from idservice.oauth import dpop, families
from keys.base64url import b64u
from tests.builders import act
from tests.fapi import Fapi, bare_jwk, new_key, register, thumbprint
from tests.identity import (
    ISSUER,
    City,
    Flow,
    bearer,
    claims_of,
    logged_in,
    now,
    query_of,
    redeem,
)

# --- the token endpoint: client and code


def test_ensure_client_assertion_in_token_endpoint(fapi: Fapi) -> None:
    flow = fapi.flow()
    code = fapi.code(flow)
    nothing = {"client_assertion": None, "client_assertion_type": None}
    assert fapi.redeem(flow, code, **nothing).json["error"] == "invalid_client"
    assert fapi.redeem(flow, code).status_code == 200


@pytest.mark.parametrize(
    "changes",
    [{"exp": 0}, {"aud": "https://attacker.example"}, {"sub": None}],
    ids=["with_exp_is_5_minutes_in_past_fails", "with_wrong_aud_fails", "with_no_sub_fails"],
)
def test_ensure_client_assertion(fapi: Fapi, changes: dict[str, Any]) -> None:
    wrong = {name: now() - 300 if name == "exp" else value for name, value in changes.items()}
    flow = fapi.flow()
    answer = fapi.redeem(flow, fapi.code(flow), **fapi.assertion(**wrong))
    assert (answer.status_code, answer.json["error"]) == (401, "invalid_client")


def test_ensure_signed_client_assertion_with_rs256_fails(fapi: Fapi) -> None:
    key = rsa.generate_private_key(65537, 2048)
    jwk = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key()))
    register(
        fapi.city,
        "fapi-rsa",
        profile="fapi2",
        jwks={"keys": [{"kty": "RSA", "n": jwk["n"], "e": jwk["e"], "kid": "k1"}]},
    )
    app = Fapi(fapi.city, "fapi-rsa")
    assert app.push(app.flow(), **app.assertion(key=key, algorithm="RS256")).status_code == 401
    assert app.push(app.flow(), **app.assertion(key=key, algorithm="PS256")).status_code == 201


def test_ensure_client_id_in_token_endpoint(fapi: Fapi) -> None:
    flow = fapi.flow()
    code = fapi.code(flow)
    assert fapi.redeem(flow, code, client_id="basic").json["error"] == "invalid_request"
    assert fapi.redeem(flow, code, client_id="fapi").status_code == 200


def test_attempt_reuse_authorization_code_after_one_second(fapi: Fapi) -> None:
    flow = fapi.flow()
    code = fapi.code(flow)
    got = fapi.redeem(flow, code).json
    with time_machine.travel(datetime.now(UTC) + timedelta(seconds=1)):
        assert fapi.redeem(flow, code).json["error"] == "invalid_grant"
        assert not fapi.is_active(got["access_token"])
        assert fapi.get("/v1/accesses", got["access_token"]).status_code == 401


def test_ensure_token_endpoint_fails_with_expired_auth_code(fapi: Fapi) -> None:
    flow = fapi.flow()
    code = fapi.code(flow)
    with time_machine.travel(datetime.now(UTC) + timedelta(seconds=61)):
        assert fapi.redeem(flow, code).json["error"] == "invalid_grant"


def test_ensure_holder_of_key_required(fapi: Fapi) -> None:
    flow = fapi.flow()
    code = fapi.code(flow)
    answer = fapi.redeem(flow, code, bare=True)
    assert (answer.status_code, answer.json["error"]) == (400, "invalid_dpop_proof")
    assert fapi.redeem(flow, code).status_code == 200, "a failed redemption leaves the code as it was"


def test_ensure_pkce_code_verifier_required(fapi: Fapi) -> None:
    flow = fapi.flow()
    code = fapi.code(flow)
    assert fapi.redeem(flow, code, code_verifier=None).status_code == 400
    assert fapi.redeem(flow, code).status_code == 200


def test_incorrect_pkce_code_verifier_rejected(fapi: Fapi) -> None:
    flow = fapi.flow()
    code = fapi.code(flow)
    assert fapi.redeem(flow, code, code_verifier="x" * 43).json["error"] == "invalid_grant"
    assert fapi.redeem(flow, code).status_code == 200


# --- codes bound to a key


def test_ensure_dpop_auth_code_binding_success(fapi: Fapi) -> None:
    flow = fapi.flow()
    code = fapi.code(flow, dpop_jkt=thumbprint(fapi.key))
    got = fapi.redeem(flow, code)
    assert claims_of(got.json["access_token"])["cnf"] == {"jkt": thumbprint(fapi.key)}


def test_ensure_dpopproof_at_par_endpoint_binding_success(fapi: Fapi) -> None:
    flow = fapi.flow()
    assert fapi.redeem(flow, fapi.code(flow, bare=False)).status_code == 200
    stolen = fapi.code(flow, bare=False)
    assert fapi.redeem(flow, stolen, proof={"key": new_key()}).json["error"] == "invalid_grant"


def test_ensure_mismatched_dpop_jkt_fails(fapi: Fapi) -> None:
    answer = fapi.push(fapi.flow(), bare=False, dpop_jkt=thumbprint(new_key()))
    assert (answer.status_code, answer.json["error"]) == (400, "invalid_dpop_proof")


@pytest.mark.parametrize("jkt", ["x", "A" * 42, "A" * 44, "A" * 42 + "="])
def test_a_dpop_jkt_that_is_no_thumbprint_is_refused(fapi: Fapi, jkt: str) -> None:
    assert fapi.push(fapi.flow(), dpop_jkt=jkt).json["error"] == "invalid_request"


def test_ensure_token_endpoint_fails_with_mismatched_dpop_jkt(fapi: Fapi) -> None:
    flow = fapi.flow()
    code = fapi.code(flow, dpop_jkt=thumbprint(new_key()))
    answer = fapi.redeem(flow, code)
    assert (answer.status_code, answer.json["error"]) == (400, "invalid_grant")


def test_ensure_token_endpoint_fails_with_mismatched_dpop_proof_jkt(fapi: Fapi) -> None:
    flow = fapi.flow()
    code = fapi.code(flow, dpop_jkt=thumbprint(fapi.key))
    assert fapi.redeem(flow, code, proof={"key": new_key()}).json["error"] == "invalid_grant"
    assert fapi.redeem(flow, code).status_code == 200, "a failed redemption leaves the code as it was"


def test_a_code_is_bound_without_par_too(city: City) -> None:
    holder, flow = Fapi(city, "basic"), Flow("basic")
    code = city.browser().code(flow, dpop_jkt=thumbprint(holder.key))
    assert redeem(city.app, flow, code).json["error"] == "invalid_grant"


# --- the proof, at the token endpoint


def test_the_server_asks_for_its_nonce(fapi: Fapi) -> None:
    flow = fapi.flow()
    form = {"grant_type": "authorization_code", "code": fapi.code(flow), "redirect_uri": flow.redirect_uri}
    fapi.nonce = None
    form |= {"code_verifier": flow.verifier, **fapi.assertion()}
    first = fapi.app.test_client().post("/oauth/token", data=form, headers=fapi.proof("POST", "/oauth/token"))
    assert (first.status_code, first.json["error"]) == (400, "use_dpop_nonce")
    fapi.nonce = first.headers["DPoP-Nonce"]
    second = fapi.app.test_client().post(
        "/oauth/token", data=form | fapi.assertion(), headers=fapi.proof("POST", "/oauth/token")
    )
    assert second.status_code == 200
    assert second.headers["DPoP-Nonce"]


def test_a_nonce_is_taken_for_a_while_and_no_longer(fapi: Fapi) -> None:
    # The clock stands still: between two looks at it the next nonce's time may begin.
    with time_machine.travel(datetime.now(UTC), tick=False) as clock:
        fapi.push(fapi.flow(), bare=False)
        old = fapi.nonce
        clock.shift(dpop.NONCE_SECONDS)
        assert fapi.push(fapi.flow(), bare=False, proof={"nonce": old}).status_code == 201
        clock.shift(dpop.NONCE_SECONDS)
        assert fapi.push(fapi.flow(), bare=False, proof={"nonce": old}).json["error"] == "use_dpop_nonce"


@pytest.mark.parametrize("offset", [-10, 10], ids=["before", "after"])
def test_ensure_dpopproof_with_iat_10seconds_succeeds(fapi: Fapi, offset: int) -> None:
    flow = fapi.flow()
    assert fapi.redeem(flow, fapi.code(flow), proof={"iat": now() + offset}).status_code == 200


PROOFS: dict[str, dict[str, Any]] = {
    "iat_5_minutes_in_the_past": {"offset": {"iat": -300}},
    "iat_5_minutes_in_the_future": {"offset": {"iat": 300}},
    "no_iat": {"iat": None},
    "iat_as_text": {"iat": "1"},
    "exp_in_the_past": {"offset": {"exp": -10}},
    "nbf_in_the_future": {"offset": {"nbf": 300}},
    "htm_of_another_method": {"htm": "GET"},
    "htm_in_lower_case": {"htm": "post"},
    "no_htm": {"htm": None},
    "htu_of_another_endpoint": {"htu": f"{ISSUER}/oauth/introspect"},
    "htu_of_another_host": {"htu": "https://attacker.example/oauth/par"},
    "htu_with_user": {"htu": "http://x@127.0.0.1:8000/oauth/par"},
    "htu_relative": {"htu": "/oauth/par"},
    "htu_not_text": {"htu": 5},
    "no_htu": {"htu": None},
    "no_jti": {"jti": None},
    "jti_empty": {"jti": ""},
    "jti_long": {"jti": "x" * 300},
    "type_jwt": {"headers": {"typ": "JWT"}},
    "type_absent": {"headers": {"typ": None}},
    "no_key": {"headers": {"jwk": None}},
    "key_not_an_object": {"headers": {"jwk": "x"}},
    "key_of_another": {"headers": {"jwk": bare_jwk(new_key())}},
    "key_private": {"headers": {"jwk": bare_jwk(new_key()) | {"d": "AA"}}},
    "key_symmetric": {"headers": {"jwk": {"kty": "oct", "k": "AAAA"}}},
    "key_off_the_curve": {"headers": {"jwk": {"kty": "EC", "crv": "P-256", "x": "A" * 43, "y": "A" * 43}}},
    "key_from_a_url": {"headers": {"jku": "https://attacker.example/jwks"}},
    "certificate_in_the_header": {"headers": {"x5c": ["AAAA"]}},
    "critical_header": {"headers": {"crit": ["exp"], "exp": 1}},
}


@pytest.mark.parametrize("changes", PROOFS.values(), ids=PROOFS.keys())
def test_dpop_negative_tests(fapi: Fapi, changes: dict[str, Any]) -> None:
    changes = {**changes, **{name: now() + seconds for name, seconds in changes.get("offset", {}).items()}}
    changes.pop("offset", None)
    answer = fapi.push(fapi.flow(), bare=False, proof=changes)
    assert (answer.status_code, answer.json["error"]) == (400, "invalid_dpop_proof")


def par_form(fapi: Fapi) -> dict[str, str]:
    return dict(query_of(fapi.flow().url()))


def test_check_dpop_proof_nbf_exp(fapi: Fapi) -> None:
    good = {"nbf": now() - 5, "exp": now() + 60}
    assert fapi.push(fapi.flow(), bare=False, proof=good).status_code == 201


def test_a_proof_is_taken_once(fapi: Fapi) -> None:
    jti = secrets.token_urlsafe(8)
    assert fapi.push(fapi.flow(), bare=False, proof={"jti": jti}).status_code == 201
    again = fapi.push(fapi.flow(), bare=False, proof={"jti": jti})
    assert (again.status_code, again.json["error"]) == (400, "invalid_dpop_proof")
    other = fapi.push(fapi.flow(), bare=False, proof={"jti": jti, "key": new_key()})
    assert other.status_code == 201, "another key's jti is another jti"


def test_htu_is_compared_as_a_url_and_its_query_does_not_count(fapi: Fapi) -> None:
    for htu in ("HTTP://127.0.0.1:8000/oauth/par", f"{ISSUER}/oauth/par?x=1#y", f"{ISSUER}/o%61uth/par"):
        assert fapi.push(fapi.flow(), bare=False, proof={"htu": htu}).status_code == 201, htu


def test_the_algorithm_is_the_keys(fapi: Fapi) -> None:
    fapi.push(fapi.flow(), bare=False)
    edwards = ed25519.Ed25519PrivateKey.generate()
    point = edwards.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    ed_jwk = {"kty": "OKP", "crv": "Ed25519", "x": b64u(point)}
    big = rsa.generate_private_key(65537, 2048)
    rsa_jwk = {
        k: v for k, v in json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(big.public_key())).items() if k in "kty n e"
    }
    for key, algorithm, jwk, status in (
        (edwards, "EdDSA", ed_jwk, 201),
        (big, "PS256", rsa_jwk, 201),
        (big, "RS256", rsa_jwk, 400),
        ("secret" * 8, "HS256", bare_jwk(fapi.key), 400),
        (None, "none", bare_jwk(fapi.key), 400),
        (fapi.key, "ES256", bare_jwk(fapi.key) | {"alg": "RS256"}, 400),
    ):
        proof = {"key": key or "", "algorithm": algorithm, "headers": {"jwk": jwk}}
        if key is None:
            headers = {
                "DPoP": jwt.encode({"jti": "x"}, None, algorithm="none", headers={"typ": "dpop+jwt", "jwk": jwk})
            }
            answer = fapi.app.test_client().post("/oauth/par", data=par_form(fapi) | fapi.assertion(), headers=headers)
        else:
            answer = fapi.post("/oauth/par", par_form(fapi), proof=proof)
        assert answer.status_code == status, algorithm


def test_two_proofs_at_once_and_rubbish_are_refused(fapi: Fapi) -> None:
    fapi.push(fapi.flow(), bare=False)
    good = fapi.proof("POST", "/oauth/par")["DPoP"]
    for headers in (
        [("DPoP", good), ("DPoP", good)],
        [("DPoP", "")],
        [("DPoP", "x")],
        [("DPoP", "..")],
        [("DPoP", good + ".")],
        [("DPoP", "A" * 9000)],
    ):
        answer = fapi.app.test_client().post("/oauth/par", data=par_form(fapi) | fapi.assertion(), headers=headers)
        assert (answer.status_code, answer.json["error"]) == (400, "invalid_dpop_proof"), headers


# --- access tokens at our own API


def test_access_token_type_header_case_sensitivity(fapi: Fapi) -> None:
    got = fapi.logged_in()
    for scheme in ("DPoP", "dpop", "DPOP", "dPoP"):
        assert fapi.get("/v1/accesses", got["access_token"], scheme=scheme).status_code == 200


def test_a7_a_stolen_access_token_without_its_key_is_refused(fapi: Fapi) -> None:
    text = fapi.logged_in()["access_token"]
    for path in ("/v1/accesses", "/oauth/userinfo"):
        by_bearer = fapi.app.test_client().get(path, headers=bearer(text))
        assert by_bearer.status_code == 401, "a bound token is no bearer token"
        bare = fapi.app.test_client().get(path, headers={"Authorization": f"DPoP {text}"})
        assert bare.status_code == 401
        assert bare.headers["WWW-Authenticate"].startswith("DPoP error=")
        assert 'algs="ES256 EdDSA PS256"' in bare.headers["WWW-Authenticate"]
        assert fapi.get(path, text, key=new_key()).status_code == 401
        assert fapi.get(path, text, ath=b64u(bytes(32))).status_code == 401
        assert fapi.get(path, text, ath=None).status_code == 401
        assert fapi.get(path, text, htm="POST").status_code == 401
        assert fapi.get(path, text, htu=f"{ISSUER}/v1/licences").status_code == 401
        assert fapi.get(path, text, iat=now() - 300).status_code == 401
        assert fapi.get(path, text, headers={"typ": "JWT"}).status_code == 401
        assert fapi.get(path, text).status_code == 200
    form = {"access_token": text}
    assert fapi.app.test_client().post("/oauth/userinfo", data=form).status_code == 401


def test_a7_a_proof_seen_before_and_one_without_nonce_are_refused(fapi: Fapi) -> None:
    text = fapi.logged_in()["access_token"]
    headers = {"Authorization": f"DPoP {text}", **fapi.proof("GET", "/v1/accesses", token=text)}
    assert fapi.app.test_client().get("/v1/accesses", headers=headers).status_code == 200
    assert fapi.app.test_client().get("/v1/accesses", headers=headers).status_code == 401
    headers |= fapi.proof("GET", "/v1/accesses", token=text, nonce=None)
    refused = fapi.app.test_client().get("/v1/accesses", headers=headers)
    assert refused.status_code == 401
    assert 'error="use_dpop_nonce"' in refused.headers["WWW-Authenticate"]
    assert refused.headers["DPoP-Nonce"]
    assert refused.json["code"] == "unauthenticated"


def test_a_proof_covers_the_path_and_not_the_query(fapi: Fapi) -> None:
    text = fapi.logged_in()["access_token"]
    headers = {"Authorization": f"DPoP {text}", **fapi.proof("GET", "/v1/accesses", token=text)}
    assert fapi.app.test_client().get("/v1/accesses?limit=1", headers=headers).status_code == 200


def test_a_bearer_token_is_not_sent_as_dpop(fapi: Fapi) -> None:
    text = logged_in(fapi.city, Flow(scope="openid accesses.read"))["access_token"]
    assert fapi.get("/v1/accesses", text).status_code == 401
    assert fapi.get("/v1/accesses", text, scheme="Bearer").status_code == 200


def test_a_missing_scope_is_told_in_the_words_of_the_scheme(fapi: Fapi) -> None:
    text = fapi.logged_in("openid")["access_token"]
    refused = fapi.get("/v1/accesses", text)
    assert refused.status_code == 403
    challenge = refused.headers["WWW-Authenticate"]
    assert challenge.startswith('DPoP error="insufficient_scope", scope="accesses.read", algs=')


def test_introspection_shows_the_key(fapi: Fapi) -> None:
    got = fapi.logged_in()
    cnf = {"jkt": thumbprint(fapi.key)}
    access = fapi.post("/oauth/introspect", {"token": got["access_token"]}, bare=True).json
    assert (access["active"], access["token_type"], access["cnf"]) == (True, "DPoP", cnf)
    assert fapi.post("/oauth/introspect", {"token": got["refresh_token"]}, bare=True).json["cnf"] == cnf


def test_userinfo_refuses_in_the_words_of_the_scheme(fapi: Fapi) -> None:
    got = fapi.logged_in()
    act(fapi.city.house, lambda call: families.kill_all(call, fapi.city.alice, reason="test"))
    refused = fapi.get("/oauth/userinfo", got["access_token"])
    assert refused.status_code == 401
    assert refused.headers["WWW-Authenticate"].startswith('DPoP error="invalid_token", algs=')
    bound_to_nothing = logged_in(fapi.city)
    act(fapi.city.house, lambda call: families.kill_all(call, fapi.city.alice, reason="test"))
    answer = fapi.city.app.test_client().get("/oauth/userinfo", headers=bearer(bound_to_nothing["access_token"]))
    assert answer.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'


def test_a_step_up_is_asked_for_in_the_words_of_the_scheme(city: City) -> None:
    register(city, "fapi-console", profile="fapi2", scope="openid admin.manage")
    app = Fapi(city, "fapi-console")
    act(city.house, lambda call: roles.give(call, city.alice, roles.Role.SYSTEM))
    try:
        refused = app.get("/v1/admin/clients", app.logged_in("openid admin.manage")["access_token"])
    finally:
        act(city.house, lambda call: roles.take(call, city.alice))
    assert (refused.status_code, refused.json["code"]) == (401, "insufficient_user_authentication")
    challenge = refused.headers["WWW-Authenticate"]
    assert challenge.startswith('DPoP error="insufficient_user_authentication", acr_values="')
    assert 'algs="ES256 EdDSA PS256"' in challenge
