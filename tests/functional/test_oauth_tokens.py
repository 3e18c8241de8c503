"""Introspection, revocation and userinfo: the same answer on every path, to those it is meant for."""

from sqlalchemy import delete

from idservice.models import TokenFamily
from tests.builders import act
from tests.identity import (
    City,
    Flow,
    answer_of,
    basic,
    bearer,
    introspect,
    is_alive,
    logged_in,
    redeem,
    refresh,
    token,
)

# --- introspection and revocation


def test_a_token_is_shown_to_its_own_client_and_to_no_other(city: City) -> None:
    got = logged_in(city)
    shown = introspect(city, got["access_token"])
    assert shown["active"]
    assert shown["client_id"] == "basic"
    assert introspect(city, got["refresh_token"])["active"]
    for text in (got["access_token"], got["refresh_token"]):
        assert introspect(city, text, "other") == {"active": False}
        assert introspect(city, text, "counter") == {"active": False}
    for text in (got["id_token"], got["access_token"][:-8] + "AAAAAAAA", "x", "a.b.c", "é" * 9, "A" * 16000):
        assert introspect(city, text) == {"active": False}


def test_revoking_an_access_token_ends_that_token_alone(city: City) -> None:
    first = logged_in(city)
    second = refresh(city, first["refresh_token"]).json
    assert token(city.app, {"token": first["access_token"]}, basic("other"), "/oauth/revoke").status_code == 200
    assert is_alive(city, first), "another client's word counts for nothing"
    for _ in range(2):
        answer = token(
            city.app,
            {"token": first["access_token"], "token_type_hint": "refresh_token"},
            basic("basic"),
            "/oauth/revoke",
        )
        assert answer.status_code == 200
    assert not is_alive(city, first)
    assert is_alive(city, second)


def test_revoking_a_refresh_token_ends_the_family(city: City) -> None:
    got = logged_in(city)
    token(city.app, {"token": got["refresh_token"]}, basic("other"), "/oauth/revoke")
    assert is_alive(city, got)
    assert token(city.app, {"token": got["refresh_token"]}, basic("basic"), "/oauth/revoke").status_code == 200
    assert not is_alive(city, got)
    assert refresh(city, got["refresh_token"]).json["error"] == "invalid_grant"
    assert token(city.app, {"token": "unknown"}, basic("basic"), "/oauth/revoke").status_code == 200
    assert token(city.app, {}, basic("basic"), "/oauth/revoke").status_code == 400


def test_a_revoked_client_token_is_refused_at_the_api(city: City) -> None:
    got = token(city.app, {"grant_type": "client_credentials"}, basic("counter")).json
    assert introspect(city, got["access_token"], "counter")["active"]
    token(city.app, {"token": got["access_token"]}, basic("counter"), "/oauth/revoke")
    assert introspect(city, got["access_token"], "counter") == {"active": False}


# --- userinfo


def test_userinfo_takes_the_token_from_header_or_body_and_never_from_the_url(city: City) -> None:
    got = logged_in(city)["access_token"]
    client = city.app.test_client()
    assert client.post("/oauth/userinfo", headers=bearer(got)).status_code == 200
    assert client.post("/oauth/userinfo", data={"access_token": got}).status_code == 200
    assert client.get(f"/oauth/userinfo?access_token={got}").status_code == 400
    assert client.post(f"/oauth/userinfo?access_token={got}", headers=bearer(got)).status_code == 400
    assert client.post("/oauth/userinfo", data={"access_token": got}, headers=bearer(got)).status_code == 400
    nothing = client.get("/oauth/userinfo")
    assert nothing.status_code == 401
    assert nothing.headers["WWW-Authenticate"].startswith("Bearer resource_metadata=")
    assert ', DPoP algs="ES256 EdDSA PS256", resource_metadata=' in nothing.headers["WWW-Authenticate"]


def test_a_refused_redemption_leaves_no_family_half_made(city: City) -> None:
    flow = Flow()
    code = city.browser().code(flow)
    act(
        city.house,
        lambda call: call.session.execute(delete(TokenFamily).where(TokenFamily.client_id == "basic")) and None,
    )
    assert redeem(city.app, flow, code).json["error"] == "invalid_grant"


def test_a_session_carries_over_to_the_next_app(city: City) -> None:
    browser = city.browser()
    browser.code(Flow())
    browser.code(Flow("other"))
    assert "code" in answer_of(browser.open(Flow("other").url()))
