"""The plan `oidcc-basic-certification-test-plan`: one test for each of its modules, named after it.

What a module sees as a skip ("the provider does not offer this") is a test here that it is refused and not announced.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
import time_machine

from keys.base64url import b64u
from tests.identity import (
    AGENT,
    ALICE,
    CALLBACK,
    ISSUER,
    OFFLINE,
    SECRET,
    Browser,
    City,
    Flow,
    answer_of,
    bearer,
    claims_of,
    header_of,
    logged_in,
    query_of,
    redeem,
    refresh,
    token,
    userinfo_status,
)

EVERYTHING = "openid profile phone offline_access"


@pytest.fixture(scope="module")
def browser(city: City) -> Browser:
    """A browser in which Alice is logged in and has allowed the app to know her."""
    return having_logged_in(city)


def having_logged_in(city: City) -> Browser:
    one = city.browser()
    one.code(Flow())
    return one


def metadata(city: City) -> dict[str, Any]:
    found: dict[str, Any] = city.app.test_client().get("/.well-known/openid-configuration").json
    return found


def verified(city: City, id_token: str, flow: Flow) -> dict[str, Any]:
    """Return the claims of an ID token as another library reads it with the published keys."""
    client = city.app.test_client()
    published = jwt.PyJWKSet.from_dict(client.get(metadata(city)["jwks_uri"].removeprefix(ISSUER)).json)
    claims: dict[str, Any] = jwt.decode(
        id_token, published[header_of(id_token)["kid"]].key, algorithms=["ES256"], audience=flow.client_id,
        issuer=ISSUER, options={"require": ["iss", "sub", "aud", "exp", "iat", "auth_time"]},
    )  # fmt: skip
    return claims


def answered(city: City, browser: Browser, **changes: str | None) -> dict[str, Any]:
    """Ask with these changes, from a browser that needs no page, and return the claims of the ID token."""
    flow = Flow()
    answer = answer_of(browser.open(flow.url(**changes)))
    assert "code" in answer, answer
    return verified(city, redeem(city.app, flow, answer["code"]).json["id_token"], flow)


def test_oidcc_server(city: City) -> None:
    flow = Flow(scope="openid profile")
    got = redeem(city.app, flow, city.browser().code(flow)).json
    claims = verified(city, got["id_token"], flow)
    assert claims["nonce"] == flow.nonce
    assert (got["token_type"], got["expires_in"]) == ("Bearer", 600)
    assert (
        city.app.test_client().get("/oauth/userinfo", headers=bearer(got["access_token"])).json["sub"] == claims["sub"]
    )


def test_oidcc_server_client_secret_post(city: City) -> None:
    flow = Flow("post")
    answer = redeem(city.app, flow, city.browser().code(flow))
    assert verified(city, answer.json["id_token"], flow)["aud"] == "post"
    assert "client_secret_post" in metadata(city)["token_endpoint_auth_methods_supported"]


def test_oidcc_response_type_missing(city: City) -> None:
    flow = Flow()
    answer = answer_of(city.browser().open(flow.url(response_type=None)))
    assert (answer["error"], answer["state"]) == ("invalid_request", flow.state)


def test_oidcc_idtoken_signature(city: City, browser: Browser) -> None:
    flow = Flow()
    got = redeem(city.app, flow, browser.code(flow)).json["id_token"]
    assert header_of(got)["alg"] == "ES256"
    verified(city, got, flow)
    head, body, signature = got.split(".")
    with pytest.raises(jwt.InvalidSignatureError):
        verified(city, f"{head}.{body}.{b64u(bytes(len(signature) * 3 // 4))}", flow)


def test_oidcc_idtoken_unsigned(city: City) -> None:
    assert metadata(city)["id_token_signing_alg_values_supported"] == ["ES256"]


@pytest.mark.parametrize("way", ["get", "post_header", "post_body"])
def test_oidcc_userinfo(city: City, way: str) -> None:
    got, client = logged_in(city, Flow(scope="openid profile")), city.app.test_client()
    text = got["access_token"]
    answer = {
        "get": lambda: client.get("/oauth/userinfo", headers=bearer(text)),
        "post_header": lambda: client.post("/oauth/userinfo", headers=bearer(text)),
        "post_body": lambda: client.post("/oauth/userinfo", data={"access_token": text}),
    }[way]()
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    assert answer.json == {"sub": claims_of(got["id_token"])["sub"], "name": "王小明", "real_name_level": 3}


def test_oidcc_ensure_request_without_nonce_succeeds_for_code_flow(city: City, browser: Browser) -> None:
    assert "nonce" not in answered(city, browser, nonce=None)


@pytest.mark.parametrize(
    ("scope", "released"),
    [
        ("openid", set()),
        ("openid profile", {"name", "real_name_level"}),
        ("openid phone", {"phone_number"}),
        (EVERYTHING, {"name", "real_name_level", "phone_number"}),
    ],
    ids=["none", "profile", "phone", "all"],
)
def test_oidcc_scope(city: City, scope: str, released: set[str]) -> None:
    got = logged_in(city, Flow("other", scope=scope))
    answer = city.app.test_client().get("/oauth/userinfo", headers=bearer(got["access_token"])).json
    assert answer.keys() == {"sub"} | released
    assert released <= set(metadata(city)["claims_supported"])


@pytest.mark.parametrize("scope", ["email", "address"])
def test_oidcc_scope_that_is_not_offered(city: City, browser: Browser, scope: str) -> None:
    assert scope not in metadata(city)["scopes_supported"]
    assert answer_of(browser.open(Flow().url(scope=f"openid {scope}")))["error"] == "invalid_scope"


@pytest.mark.parametrize("display", ["page", "popup"])
def test_oidcc_display(city: City, display: str) -> None:
    flow = Flow()
    assert redeem(city.app, flow, city.browser().code(flow, display=display)).status_code == 200


def test_oidcc_prompt_login(city: City) -> None:
    browser = having_logged_in(city)
    before = answered(city, browser)
    with time_machine.travel(datetime.now(UTC) + timedelta(seconds=2), tick=True):
        flow = Flow()
        page = browser.open(flow.url(prompt="login"))
        assert page.asks_to_log_in
        code = answer_of(browser.log_in(page))["code"]
        after = verified(city, redeem(city.app, flow, code).json["id_token"], flow)
    assert after["auth_time"] > before["auth_time"]
    assert after["sub"] == before["sub"]


def test_oidcc_prompt_none_not_logged_in(city: City) -> None:
    flow = Flow()
    answer = answer_of(city.browser().open(flow.url(prompt="none")))
    assert (answer["error"], answer["state"], answer["iss"]) == ("login_required", flow.state, ISSUER)
    assert "code" not in answer


def test_oidcc_prompt_none_logged_in(city: City, browser: Browser) -> None:
    before = answered(city, browser)
    after = answered(city, browser, prompt="none")
    assert (after["sub"], after["auth_time"]) == (before["sub"], before["auth_time"])


def test_oidcc_max_age_1(city: City) -> None:
    browser = having_logged_in(city)
    before = answered(city, browser)
    with time_machine.travel(datetime.now(UTC) + timedelta(seconds=3), tick=False):
        flow = Flow()
        page = browser.open(flow.url(max_age="1"))
        assert page.asks_to_log_in
        code = answer_of(browser.log_in(page))["code"]
        after = verified(city, redeem(city.app, flow, code).json["id_token"], flow)
        assert after["iat"] - after["auth_time"] <= 1
    assert after["auth_time"] > before["auth_time"]


def test_oidcc_max_age_10000(city: City, browser: Browser) -> None:
    before = answered(city, browser)
    assert answered(city, browser, max_age="10000")["auth_time"] == before["auth_time"]


def test_oidcc_ensure_request_with_unknown_parameter_succeeds(city: City, browser: Browser) -> None:
    answered(city, browser, extra="foobar")


def test_oidcc_id_token_hint(city: City, browser: Browser) -> None:
    flow = Flow()
    hint = redeem(city.app, flow, browser.code(flow)).json["id_token"]
    assert answered(city, browser, prompt="none", id_token_hint=hint)["sub"] == claims_of(hint)["sub"]
    strangers = city.browser()
    strangers.code(Flow(), number=AGENT)
    assert answer_of(strangers.open(Flow().url(prompt="none", id_token_hint=hint)))["error"] == "login_required"


@pytest.mark.parametrize(
    "hint",
    [{"login_hint": "bob@example.com"}, {"login_hint": ALICE}, {"ui_locales": "se"}, {"claims_locales": "se"}],
    ids=["login_hint", "login_hint_of_a_number", "ui_locales", "claims_locales"],
)
def test_oidcc_hints(city: City, hint: dict[str, str]) -> None:
    flow = Flow()
    browser = city.browser()
    page = browser.open(flow.url(**hint))
    assert page.status == 200
    assert ALICE not in page.url + page.text, "a hint is never filled in, nor sent on"
    assert redeem(city.app, flow, browser.code(flow, **hint)).status_code == 200


def test_oidcc_codereuse(city: City, browser: Browser) -> None:
    flow = Flow()
    code = browser.code(flow)
    assert redeem(city.app, flow, code).status_code == 200
    again = redeem(city.app, flow, code)
    assert (again.status_code, again.json["error"]) == (400, "invalid_grant")


def test_oidcc_codereuse_30seconds(city: City, browser: Browser) -> None:
    flow = Flow()
    code = browser.code(flow)
    first = redeem(city.app, flow, code).json["access_token"]
    with time_machine.travel(datetime.now(UTC) + timedelta(seconds=30), tick=True):
        assert userinfo_status(city, first) == 200
        assert redeem(city.app, flow, code).json["error"] == "invalid_grant"
        assert userinfo_status(city, first) == 401, "what the code gave is dead"


def test_oidcc_ensure_registered_redirect_uri(city: City) -> None:
    page = city.browser().open(Flow(redirect_uri=f"{CALLBACK}/x").url())
    assert (page.status, "Location" in page.headers) == (400, False)


def test_oidcc_ensure_post_request_succeeds(city: City, browser: Browser) -> None:
    flow = Flow()
    answer = answer_of(browser.open("/oauth/authorize", dict(query_of(flow.url()))))
    assert answer["state"] == flow.state
    assert redeem(city.app, flow, answer["code"]).status_code == 200


def test_oidcc_unsigned_request_object_supported_correctly_or_rejected(city: City, browser: Browser) -> None:
    flow = Flow("jwt")
    inside = jwt.encode(dict(query_of(flow.url())), None, algorithm="none")
    answer = answer_of(city.browser().open(flow.url(request=inside)))
    assert (answer["error"], answer["state"]) == ("invalid_request_object", flow.state)
    answer = answer_of(browser.open(Flow().url(request=inside)))
    assert answer["error"] == "request_not_supported", "an app without keys cannot sign"


def test_oidcc_ensure_request_object_with_redirect_uri(city: City) -> None:
    """Where an object is taken, the redirect URI inside is the one that counts, and it must be registered."""
    flow, moment = Flow("jwt"), int(datetime.now(UTC).timestamp())
    of_the_jwt = {"iss": "jwt", "aud": ISSUER, "nbf": moment, "exp": moment + 60}

    def signed(**changes: str) -> str:
        payload = dict(query_of(flow.url())) | of_the_jwt | changes
        return jwt.encode(payload, city.key, algorithm="ES256", headers={"kid": "k1", "typ": "oauth-authz-req+jwt"})

    code = city.browser().code(flow, request=signed())
    assert code
    evil = city.browser().open(flow.url(request=signed(redirect_uri="https://evil.example/cb")))
    assert (evil.status, "Location" in evil.headers) == (400, False)


def test_oidcc_claims_essential(city: City, browser: Browser) -> None:
    """An essential claim of the claims parameter is released at userinfo, without the scope that would release it."""
    assert metadata(city)["claims_parameter_supported"] is True
    flow = Flow()
    code = browser.code(flow, claims='{"userinfo":{"name":{"essential":true}}}')
    got = redeem(city.app, flow, code).json["access_token"]
    info = city.app.test_client().get("/oauth/userinfo", headers=bearer(got)).json
    assert info.keys() == {"sub", "name"}
    assert info["name"]


def test_oidcc_refresh_token(city: City) -> None:
    flow = Flow(scope=OFFLINE)
    first = redeem(city.app, flow, city.browser().code(flow)).json
    answer = refresh(city, first["refresh_token"])
    assert answer.status_code == 200
    before, after = (verified(city, got["id_token"], flow) for got in (first, answer.json))
    same = ("iss", "sub", "aud", "auth_time")
    assert [after[name] for name in same] == [before[name] for name in same]
    assert after["iat"] >= before["iat"]
    assert answer.json["access_token"] != first["access_token"]
    assert refresh(city, answer.json["refresh_token"], "other").json["error"] == "invalid_grant"


def test_oidcc_ensure_request_with_valid_pkce_succeeds(city: City, browser: Browser) -> None:
    flow = Flow()
    code = browser.code(flow)
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": flow.redirect_uri}
    wrong = token(city.app, form | {"code_verifier": "x" * 43, "client_id": "public"})
    assert wrong.status_code == 400, "another client, another verifier"
    assert redeem(city.app, flow, code).status_code == 200
    assert metadata(city)["code_challenge_methods_supported"] == ["S256"]


def test_oidcc_a_secret_in_the_wrong_place_is_refused(city: City) -> None:
    flow = Flow()
    code = city.browser().code(flow)
    form = {"grant_type": "authorization_code", "code": code, "code_verifier": flow.verifier}
    answer = token(city.app, form | {"client_id": "basic", "client_secret": SECRET, "redirect_uri": CALLBACK})
    assert (answer.status_code, answer.json["error"]) == (401, "invalid_client")
