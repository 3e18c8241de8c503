"""FAPI 2.0 Security Profile, the pushed request (RFC 9126): the modules of the conformance suite, by their names."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from idservice.oauth import par
from tests.fapi import Fapi, new_key, register
from tests.identity import (
    AGENT,
    CALLBACK,
    ISSUER,
    SECRET,
    City,
    Flow,
    answer_of,
    basic,
    claims_of,
    query_of,
    redeem,
    token,
)

GONE = "request_uri"


def test_happy_flow(fapi: Fapi) -> None:
    flow = fapi.flow("openid offline_access accesses.read profile")
    pushed = fapi.push(flow)
    assert pushed.status_code == 201
    assert pushed.headers["Cache-Control"] == "no-store"
    assert pushed.json["request_uri"].startswith("urn:ietf:params:oauth:request_uri:")
    assert len(pushed.json["request_uri"].rpartition(":")[2]) == 43, "256 bits"
    assert 5 <= pushed.json["expires_in"] <= 90
    page = fapi.answer(fapi.url(pushed.json["request_uri"]))
    answer = answer_of(page)
    assert (answer["state"], answer["iss"]) == (flow.state, ISSUER)
    got = fapi.redeem(flow, answer["code"])
    assert got.status_code == 200
    assert got.json["token_type"] == "DPoP"
    assert fapi.get("/v1/accesses", got.json["access_token"]).status_code == 200
    assert fapi.get("/oauth/userinfo", got.json["access_token"]).json["name"] == "王小明"


def test_discovery_end_point_verification(fapi: Fapi) -> None:
    for path in ("openid-configuration", "oauth-authorization-server"):
        told = fapi.app.test_client().get(f"/.well-known/{path}").json
        assert told["pushed_authorization_request_endpoint"] == f"{ISSUER}/oauth/par"
        assert told["require_pushed_authorization_requests"] is False, "it is per client"
        assert told["dpop_signing_alg_values_supported"] == ["ES256", "EdDSA", "PS256"]
        assert told["authorization_response_iss_parameter_supported"] is True
        assert told["code_challenge_methods_supported"] == ["S256"]
        assert "private_key_jwt" in told["token_endpoint_auth_methods_supported"]
        assert "tls_client_auth" not in told["token_endpoint_auth_methods_supported"], "no proxy is configured for it"
        assert "mtls_endpoint_aliases" not in told


def test_user_rejects_authentication(fapi: Fapi) -> None:
    flow = fapi.flow("openid phone")
    url = fapi.pushed(flow)
    browser = fapi.city.browser()
    answer = answer_of(fapi.answer(url, browser, decision="deny"))
    assert (answer["error"], answer["state"], answer["iss"]) == ("access_denied", flow.state, ISSUER)
    assert browser.open(url).status == 400, "the app was answered"


def test_ensure_registered_redirect_uri(fapi: Fapi) -> None:
    answer = fapi.push(fapi.flow(), redirect_uri=CALLBACK + "/x")
    assert (answer.status_code, answer.json["error"]) == (400, "invalid_request")


def test_ensure_redirect_uri_in_authorization_request(fapi: Fapi) -> None:
    answer = fapi.push(fapi.flow(), redirect_uri=None)
    assert (answer.status_code, answer.json["error"]) == (400, "invalid_request")


def test_ensure_response_type_token_fails(fapi: Fapi) -> None:
    answer = fapi.push(fapi.flow(), response_type="token")
    assert (answer.status_code, answer.json["error"]) == (400, "unsupported_response_type")


@pytest.mark.parametrize("kind", ["code id_token", "id_token", "code token"])
def test_ensure_response_type_code_idtoken_fails(fapi: Fapi, kind: str) -> None:
    answer = fapi.push(fapi.flow(), response_type=kind)
    assert (answer.status_code, answer.json["error"]) == (400, "unsupported_response_type")


def test_ensure_unsigned_authorization_request_without_using_par_fails(fapi: Fapi) -> None:
    flow = fapi.flow()
    answer = answer_of(fapi.city.browser().open(flow.url()))
    assert (answer["error"], answer["state"], answer["iss"]) == ("invalid_request", flow.state, ISSUER)


def test_ensure_authorization_code_is_bound_to_client(fapi: Fapi) -> None:
    register(fapi.city, "fapi-other", profile="fapi2")
    flow = fapi.flow()
    code = fapi.code(flow)
    other = Fapi(fapi.city, "fapi-other")
    assert other.redeem(flow, code).json["error"] == "invalid_grant"
    assert fapi.redeem(flow, code).status_code == 200, "what a stranger presents does not hurt the owner"


def test_par_plain_pkce_rejected(fapi: Fapi) -> None:
    assert fapi.push(fapi.flow(), code_challenge_method="plain").json["error"] == "invalid_request"


def test_par_ensure_pkce_required(fapi: Fapi) -> None:
    answer = fapi.push(fapi.flow(), code_challenge=None, code_challenge_method=None)
    assert (answer.status_code, answer.json["error"]) == (400, "invalid_request")


def test_par_attempt_reuse_request_uri(fapi: Fapi) -> None:
    browser = fapi.city.browser()
    url = fapi.pushed(fapi.flow())
    assert "code" in answer_of(fapi.answer(url, browser))
    again = browser.open(url)
    assert again.status == 400
    assert "登录请求已失效，请回到应用重新开始" in again.text
    assert "Location" not in again.headers
    assert "code=" not in again.url


def test_par_attempt_to_use_expired_request_uri(fapi: Fapi) -> None:
    url = fapi.pushed(fapi.flow())
    with time_machine.travel(datetime.now(UTC) + timedelta(seconds=91), tick=False):
        assert fapi.city.browser().open(url).status == 400
    with time_machine.travel(datetime.now(UTC) + timedelta(seconds=85), tick=False):
        assert "/login" in fapi.city.browser().open(url).url


def test_an_expired_request_uri_is_not_opened_again_by_the_browser_that_once_did(fapi: Fapi) -> None:
    url, browser = fapi.pushed(fapi.flow()), fapi.city.browser()
    assert "/login" in browser.open(url).url
    with time_machine.travel(datetime.now(UTC) + timedelta(seconds=91), tick=False):
        assert browser.open(url).status == 400


def test_a_login_may_take_longer_than_the_request_uri_lives(fapi: Fapi) -> None:
    browser, flow = fapi.city.browser(), fapi.flow()
    page = browser.open(fapi.pushed(flow))
    assert "应用 fapi" in page.text, "the login page knows for which app it is"
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=10), tick=False):
        page = browser.log_in(page)
        page = page if page.status == 303 else browser.submit(page, decision="allow")
        assert fapi.redeem(flow, answer_of(page)["code"]).status_code == 200


def test_par_attempt_to_use_request_uri_for_different_client(fapi: Fapi) -> None:
    register(fapi.city, "fapi-third", profile="fapi2")
    request_uri = fapi.push(fapi.flow()).json["request_uri"]
    browser = fapi.city.browser()
    assert browser.open(Fapi(fapi.city, "fapi-third").url(request_uri)).status == 400
    assert browser.open(Fapi(fapi.city, "basic").url(request_uri)).status == 400
    assert "code" in answer_of(fapi.answer(fapi.url(request_uri), browser)), "and it is still its owner's"


def test_par_ensure_reused_request_uri_prior_to_auth_completion_succeeds(fapi: Fapi) -> None:
    browser, flow = fapi.city.browser(), fapi.flow()
    url = fapi.pushed(flow)
    assert "/login" in browser.open(url).url
    assert "/login" in browser.open(url).url
    assert fapi.redeem(flow, answer_of(fapi.answer(url, browser))["code"]).status_code == 200


@pytest.mark.parametrize("uri", ["urn:ietf:params:oauth:request_uri:x", "https://app.example.cn/r"])
def test_par_authorization_request_containing_request_uri(fapi: Fapi, uri: str) -> None:
    answer = fapi.push(fapi.flow(), request_uri=uri)
    assert (answer.status_code, answer.json["error"]) == (400, "invalid_request")


def test_par_authorization_request_containing_request_uri_form_param(fapi: Fapi) -> None:
    first = fapi.push(fapi.flow()).json["request_uri"]
    answer = fapi.post("/oauth/par", {"client_id": "fapi", "request_uri": first}, bare=True)
    assert (answer.status_code, answer.json["error"]) == (400, "invalid_request")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_par_attempt_invalid_http_method(fapi: Fapi, method: str) -> None:
    answer = fapi.app.test_client().open("/oauth/par", method=method)
    assert answer.status_code == 405
    assert "POST" in answer.headers["Allow"]


def test_par_without_duplicate_parameters(fapi: Fapi) -> None:
    from urllib.parse import urlencode

    pairs = [*query_of(fapi.flow().url()), *fapi.assertion().items(), ("state", "twice")]
    answer = fapi.app.test_client().post(
        "/oauth/par", data=urlencode(pairs), content_type="application/x-www-form-urlencoded"
    )
    assert (answer.status_code, answer.json["error"]) == (400, "invalid_request")


AUDIENCES = {
    "array_as_audience": [ISSUER],
    "par_endpoint_url_as_audience": f"{ISSUER}/oauth/par",
    "token_endpoint_url_as_audience": f"{ISSUER}/oauth/token",
    "another_server_as_audience": "https://attacker.example",
}


@pytest.mark.parametrize("audience", AUDIENCES.values(), ids=AUDIENCES.keys())
def test_par_test_audience_fails(fapi: Fapi, audience: object) -> None:
    answer = fapi.push(fapi.flow(), **fapi.assertion(aud=audience))
    assert (answer.status_code, answer.json["error"]) == (401, "invalid_client")


def test_par_ensure_jwt_client_assertions_nbf_8_seconds_in_the_future_is_accepted(fapi: Fapi) -> None:
    soon = int(datetime.now(UTC).timestamp()) + 8
    assert fapi.push(fapi.flow(), **fapi.assertion(nbf=soon, iat=soon)).status_code == 201


def test_par_ensure_jwt_client_assertions_nbf_over_60_seconds_in_the_future_fails(fapi: Fapi) -> None:
    with time_machine.travel(datetime.now(UTC), tick=False):  # 65 seconds ahead they stay, however long it takes
        later = int(datetime.now(UTC).timestamp()) + 65
        assert fapi.push(fapi.flow(), **fapi.assertion(nbf=later)).status_code == 401


REQUESTS: dict[str, dict[str, str | None]] = {
    "without_state": {"state": None},
    "without_nonce": {"nonce": None},
    "with_long_state": {"state": "s" * 1000},
    "with_long_nonce": {"nonce": "n" * 384},
    "with_64_char_nonce": {"nonce": "n" * 64},
}


@pytest.mark.parametrize("changes", REQUESTS.values(), ids=REQUESTS.keys())
def test_ensure_authorization_request(fapi: Fapi, changes: dict[str, str | None]) -> None:
    flow = fapi.flow()
    answer = answer_of(fapi.answer(fapi.pushed(flow, **changes)))
    assert answer.get("state") == changes.get("state", flow.state)
    claims = claims_of(fapi.redeem(flow, answer["code"]).json["id_token"])
    assert claims.get("nonce") == changes.get("nonce", flow.nonce)


def test_ensure_other_scope_order_succeeds(fapi: Fapi) -> None:
    flow = fapi.flow("accesses.read offline_access openid")
    assert fapi.redeem(flow, fapi.code(flow)).status_code == 200


# --- attackers (FAPI 2.0 attacker model), and what is nobody's module


def test_a3a_a_request_uri_opened_by_another_browser_first_cannot_be_finished(fapi: Fapi) -> None:
    url = fapi.pushed(fapi.flow())
    attacker, victim = fapi.city.browser(), fapi.city.browser()
    page = attacker.open(url)
    assert "/login" in page.url
    assert victim.open(url).status == 400
    stolen = dict(query_of(page.url))["to"]
    assert victim.open(stolen).status == 400, "a step of another browser is none"


def test_a3a_a_request_uri_read_after_the_victim_opened_it_is_worth_nothing(fapi: Fapi) -> None:
    browser, flow = fapi.city.browser(), fapi.flow()
    url = fapi.pushed(flow)
    page = browser.open(url)
    attacker = fapi.city.browser()
    attacker.log_in(number=AGENT)
    assert attacker.open(url).status == 400
    assert fapi.redeem(flow, answer_of(fapi.answer(page.url, browser))["code"]).status_code == 200


def test_a1_a_decision_from_another_site_is_refused_for_pushed_requests_too(fapi: Fapi) -> None:
    browser = fapi.city.browser()
    page = browser.log_in(browser.open(fapi.pushed(fapi.flow(), prompt="consent")))
    assert 'name="decision"' in page.text
    assert browser.open(page.form["action"], {"decision": "allow"}).status == 403


@pytest.mark.parametrize(
    "text",
    [
        par.PREFIX,
        par.PREFIX + "x" * 43,
        par.PREFIX + "x" * 5000,
        par.PREFIX + "é",
        par.PREFIX + "\0",
        par.PREFIX + "' OR 1=1",
    ],
    ids=["empty", "unknown", "long", "not_ascii", "nul", "sql"],
)
def test_an_unknown_request_uri_shows_our_own_page(fapi: Fapi, text: str) -> None:
    page = fapi.city.browser().open(fapi.url(text))
    assert page.status == 400
    assert "Location" not in page.headers


def test_parameters_beside_a_request_uri_change_nothing(fapi: Fapi) -> None:
    flow = fapi.flow()
    url = fapi.pushed(flow) + "&state=evil&redirect_uri=https%3A%2F%2Fevil.example&scope=openid+phone"
    page = fapi.answer(url)
    assert page.url.startswith(CALLBACK)
    assert answer_of(page)["state"] == flow.state


def test_what_was_pushed_is_not_readable_in_the_database(fapi: Fapi) -> None:
    from sqlalchemy import select

    from idservice.oauth.models import PushedRequest
    from tests.builders import act

    flow = fapi.flow()
    fapi.pushed(flow, login_hint="110101190001010009")
    kept = act(fapi.city.house, lambda call: call.session.scalars(select(PushedRequest.parameters_sealed)).all())
    assert all(b"110101190001010009" not in blob and flow.state.encode() not in blob for blob in kept)


# --- clients of the standard profile


def test_a_standard_client_may_push_too(city: City) -> None:
    flow = Flow("basic")
    answer = token(city.app, dict(query_of(flow.url())), basic("basic"), "/oauth/par")
    assert answer.status_code == 201
    helper = Fapi(city, "basic")
    page = helper.answer(helper.url(answer.json["request_uri"]))
    assert redeem(city.app, flow, answer_of(page)["code"]).json["token_type"] == "Bearer"


def test_a_public_client_may_push_and_a_stranger_may_not(city: City) -> None:
    query = dict(query_of(Flow("public").url()))
    assert token(city.app, query, path="/oauth/par").status_code == 201
    for stranger in ("basic", "jwt", "nobody"):
        refused = token(city.app, query | {"client_id": stranger}, path="/oauth/par")
        assert (refused.status_code, refused.json["error"]) == (401, "invalid_client")
    wrong = token(city.app, query | {"client_id": "basic"}, basic("other"), "/oauth/par")
    assert (wrong.status_code, wrong.json["error"]) == (400, "invalid_request")


def test_a_flag_of_a_standard_client_demands_par(city: City) -> None:
    register(
        city,
        "pushes",
        auth_method="client_secret_basic",
        secret=SECRET,
        demands=["require_pushed_authorization_requests"],
    )
    flow = Flow("pushes")
    assert answer_of(city.browser().open(flow.url()))["error"] == "invalid_request"
    answer = token(city.app, dict(query_of(flow.url())), basic("pushes"), "/oauth/par")
    assert answer.status_code == 201


def test_expired_requests_are_swept(fapi: Fapi) -> None:
    from sqlalchemy import func, select

    from idservice import expiry
    from idservice.oauth.models import PushedRequest
    from tests.builders import act

    def count() -> int:
        return act(
            fapi.city.house, lambda call: call.session.scalar(select(func.count()).select_from(PushedRequest)) or 0
        )

    fapi.pushed(fapi.flow(), proof={"key": new_key()})
    assert count() > 0
    expiry.sweep(fapi.city.house, datetime.now(UTC) + timedelta(hours=26))
    assert count() == 0
