"""RFC 9700, the security best current practice of OAuth 2.0: the rows that no test nearer to the code shows whole."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.builders import migrate
from tests.databases import SqliteDatabases
from tests.fapi import Fapi, register
from tests.identity import (
    ISSUER,
    OFFLINE,
    Browser,
    City,
    Flow,
    basic,
    bearer,
    build_city,
    claims_of,
    logged_in,
    public_jwk,
    redeem,
    refresh,
    token,
    userinfo_status,
)

OTHER_ISSUER = "http://127.0.0.1:8001"


@pytest.fixture(scope="module")
def second(city: City, sqlite: SqliteDatabases) -> Iterator[City]:
    """Another tenant, with the same keys, the same apps and the same secrets: only issuer and database differ."""
    keys: Path = city.house.settings.keys_dir
    built = build_city(keys.parent, sqlite.fresh(migrate), issuer=OTHER_ISSUER, keys_dir=keys)
    yield built
    built.house.database.engine.dispose()


EVIL = {
    "dot_dot_semicolon": "http://127.0.0.1:4001/..;/cb",
    "encoded_dot_dot": "http://127.0.0.1:4001/cb/%2e%2e/cb",
    "upper_case_path": "http://127.0.0.1:4001/CB",
    "user_and_port": "http://localhost:80@evil.example/cb",
    "loopback_as_a_label": "http://127.0.0.1.evil.example/cb",
    "two_ats": "http://127.0.0.1:4001@a@evil.example/cb",
    "two_ats_loopback_last": "http://evil.example@127.0.0.1:4001@/cb",
    "loopback_in_decimal": "http://2130706433:4001/cb",
    "wildcard": "http://127.0.0.1:*/cb",
    "tab_in_the_scheme": "ht\ttp://127.0.0.1:4001/cb",
    "loopback_name": "http://localhost:4001/cb",
    "fullwidth": "http://127.0.0.1:4001/cb\uff0fx",
}


@pytest.mark.parametrize("client_id", ["basic", "public"])
@pytest.mark.parametrize("uri", EVIL.values(), ids=EVIL.keys())
def test_a_redirect_uri_that_only_resembles_the_registered_one(city: City, uri: str, client_id: str) -> None:
    page = city.browser().open(Flow(client_id, redirect_uri=uri).url())
    assert (page.status, "Location" in page.headers) == (400, False)
    assert uri not in page.text


MODES = ("query", "fragment", "form_post", "jwt", "query.jwt", "fragment.jwt", "form_post.jwt", "web_message", "x")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "fault", [{}, {"response_type": "id_token token"}, {"scope": "profile"}, {"scope": None}, {"request": "e30.e30."}],
    ids=["none", "response_type", "without_openid", "no_scope", "request_object"],
)  # fmt: skip
def test_ghsa_9vm7_v8wj_3fqw_no_mode_of_answer_leads_to_an_evil_address(
    city: City, mode: str, fault: dict[str, str | None]
) -> None:
    page = city.browser().open(Flow(redirect_uri="https://evil.example/cb").url(response_mode=mode, **fault))
    assert (page.status, "Location" in page.headers) == (400, False)
    assert "//evil.example" not in page.text
    assert "evil.example" not in page.headers["Content-Security-Policy"]


def test_a_posted_login_is_answered_with_303(city: City) -> None:
    browser = city.browser()
    page = browser.open("/login")
    csrf = page.form["values"]
    answer = browser.client.post("/login", data=csrf | {"number": "1", "password": "2"})
    assert answer.status_code == 400
    page = browser.open(Flow("post").url())
    assert browser.log_in(page).status == 200, "every redirect on the way was a 303"
    posted = browser.client.post("/oauth/authorize", data={"client_id": "basic"})
    assert posted.status_code == 303


def cannot_be_framed_or_kept(answer: Any) -> bool:
    found = answer.headers
    return "frame-ancestors 'none'" in found["Content-Security-Policy"] and "no-store" in found["Cache-Control"]


def test_no_step_of_a_login_can_be_framed_kept_or_told_by_referer(city: City) -> None:
    browser = city.browser()
    login = browser.open(Flow("other", scope=OFFLINE).url())
    wrong = browser.log_in(login, password="wrong password")
    consent = browser.log_in(login)
    error = browser.open(Flow("nobody").url())
    tokens = token(city.app, {"grant_type": "client_credentials"}, basic("counter"))
    refused = token(city.app, {"grant_type": "x"}, basic("counter"))
    assert 'name="decision"' in consent.text
    for answer in (login, wrong, consent, error, tokens, refused):
        assert cannot_be_framed_or_kept(answer)
        assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert tokens.headers["Pragma"] == "no-cache"


def test_a_verifier_does_not_stand_in_for_a_challenge(city: City, browser: Browser) -> None:
    """There is no code without a challenge, so there is none that a verifier could be added to later."""
    for method in (None, "plain", "S256"):
        page = browser.open(Flow().url(code_challenge=None, code_challenge_method=method, code_verifier="x" * 43))
        assert "error=invalid_request" in page.url
        assert "code=" not in page.url


@pytest.fixture
def browser(city: City) -> Browser:
    return city.browser()


def test_a_refresh_cannot_widen_what_was_granted(city: City) -> None:
    got = logged_in(city)
    assert refresh(city, got["refresh_token"], scope=f"{OFFLINE} profile").json["error"] == "invalid_scope"
    assert refresh(city, got["refresh_token"], resource="https://o.example").json["error"] == "invalid_target"
    details = '[{"type":"mandate","principal":"91371602100020009X"}]'
    wider = refresh(city, got["refresh_token"], authorization_details=details)
    assert wider.json["error"] == "invalid_authorization_details"
    after = refresh(city, got["refresh_token"]).json
    assert set(after["scope"].split()) == set(OFFLINE.split())
    assert claims_of(after["access_token"])["aud"] == claims_of(got["access_token"])["aud"]
    assert "authorization_details" not in claims_of(after["access_token"])


def test_two_tenants_with_the_same_keys_take_nothing_of_each_other(city: City, second: City) -> None:
    flow = Flow(scope=OFFLINE)
    code = city.browser().code(flow)
    assert redeem(second.app, flow, code).json["error"] == "invalid_grant"
    got = redeem(city.app, flow, code).json
    assert refresh(second, got["refresh_token"]).json["error"] == "invalid_grant"
    assert userinfo_status(second, got["access_token"]) == 401
    for text in (got["access_token"], got["refresh_token"]):
        assert token(second.app, {"token": text}, basic("basic"), "/oauth/introspect").json == {"active": False}
    hint = second.browser().open("/oauth/end_session?id_token_hint=" + got["id_token"])
    assert hint.status == 400
    machine = token(city.app, {"grant_type": "client_credentials"}, basic("counter")).json["access_token"]
    at_home, elsewhere = (
        each.app.test_client().post("/v1/lookups", json={}, headers=bearer(machine)).status_code
        for each in (city, second)
    )
    assert at_home in {400, 422}, "the token is good, though the body is not"
    assert elsewhere == 401
    assert userinfo_status(city, got["access_token"]) == 200, "and nothing was hurt by trying"


def test_two_tenants_take_no_request_uri_and_no_assertion_of_each_other(city: City, second: City) -> None:
    for each in (city, second):
        register(each, "fapi", jwks={"keys": [public_jwk(city.key)]}, profile="fapi2")
    here = Fapi(city)
    url = here.pushed(here.flow())
    assert second.browser().open(url).status == 400
    assertion = here.assertion()
    answer = token(second.app, {"token": "x", **assertion}, path="/oauth/introspect")
    assert (answer.status_code, answer.json["error"]) == (401, "invalid_client")
    assert token(city.app, {"token": "x", **assertion}, path="/oauth/introspect").status_code == 200
    there = here.assertion(aud=OTHER_ISSUER)
    assert token(second.app, {"token": "x", **there}, path="/oauth/introspect").status_code == 200


def test_the_answer_says_who_gives_it(city: City, second: City) -> None:
    for each, issuer in ((city, ISSUER), (second, OTHER_ISSUER)):
        page = each.browser().open(Flow().url(prompt="none"))
        assert page.url.endswith("iss=" + issuer.replace(":", "%3A").replace("/", "%2F"))


def test_an_app_can_never_pass_for_a_person(city: City) -> None:
    """A client that names itself as a person is known by would be that person to an API that looks at `sub` alone."""
    sub = claims_of(logged_in(city)["id_token"])["sub"]
    form = {"grant_type": "client_credentials"}
    claims = claims_of(token(city.app, form, basic("counter")).json["access_token"])
    assert claims["sub"] == claims["client_id"] == "counter"
    with pytest.raises(ValueError, match="client_id"):
        register(city, sub, grant_types=["client_credentials"])
    assert len(sub) == 43
