"""RP-Initiated Logout 1.0: one test for each module of the OpenID conformance suite, named after it."""

from urllib.parse import urlencode

from keys.ring import Purpose
from tests.identity import AFTER_LOGOUT, Browser, City, Flow, Page, answer_of, header_of, redeem


def logged_in_at(city: City, client_id: str = "basic") -> tuple[Browser, str]:
    browser, flow = city.browser(), Flow(client_id)
    return browser, redeem(city.app, flow, browser.code(flow)).json["id_token"]


def ask(browser: Browser, **parameters: str) -> Page:
    return browser.open("/oauth/end_session?" + urlencode(parameters))


def is_logged_in(browser: Browser) -> bool:
    return "/login" not in browser.open("/me/apps").url


def test_oidcc_rp_initiated_logout(city: City) -> None:
    browser, hint = logged_in_at(city)
    page = ask(browser, id_token_hint=hint, post_logout_redirect_uri=AFTER_LOGOUT, state="xyz")
    assert is_logged_in(browser)
    left = browser.submit(page, decision="logout")
    assert left.url == f"{AFTER_LOGOUT}?state=xyz"
    assert answer_of(left) == {"state": "xyz"}
    assert not is_logged_in(browser)


def test_oidcc_rp_initiated_logout_no_state(city: City) -> None:
    browser, hint = logged_in_at(city)
    page = ask(browser, id_token_hint=hint, post_logout_redirect_uri=AFTER_LOGOUT)
    assert browser.submit(page, decision="logout").url == AFTER_LOGOUT


def test_oidcc_rp_initiated_logout_bad_post_logout_redirect_uri(city: City) -> None:
    browser, hint = logged_in_at(city)
    page = ask(browser, id_token_hint=hint, post_logout_redirect_uri="https://evil.example/bye", state="s")
    assert page.status == 400
    assert "Location" not in page.headers
    assert "https://evil.example" not in page.text
    assert is_logged_in(browser)


def test_oidcc_rp_initiated_logout_query_added_to_post_logout_redirect_uri(city: City) -> None:
    browser, hint = logged_in_at(city)
    page = ask(browser, id_token_hint=hint, post_logout_redirect_uri=f"{AFTER_LOGOUT}?foo=bar", state="s")
    assert page.status == 400


def test_oidcc_rp_initiated_logout_modified_id_token_hint(city: City) -> None:
    browser, hint = logged_in_at(city)
    head, _body, signature = hint.split(".")
    other = redeem_body(city)
    for bad in (f"{head}.{other}.{signature}", f"{hint[:-5]}AAAAA", f"{head}.{_body}."):
        page = ask(browser, id_token_hint=bad, post_logout_redirect_uri=AFTER_LOGOUT, state="s")
        assert page.status == 400
    assert is_logged_in(browser)


def redeem_body(city: City) -> str:
    return logged_in_at(city, "other")[1].split(".")[1]


def test_oidcc_rp_initiated_logout_bad_id_token_hint(city: City) -> None:
    browser, _ = logged_in_at(city)
    page = ask(browser, id_token_hint="not-a-token", post_logout_redirect_uri=AFTER_LOGOUT, state="s")
    assert page.status == 400
    assert is_logged_in(browser)


def test_oidcc_rp_initiated_logout_no_id_token_hint(city: City) -> None:
    browser, _ = logged_in_at(city)
    page = ask(browser, post_logout_redirect_uri=AFTER_LOGOUT, state="s")
    left = browser.submit(page, decision="logout")
    assert left.status == 200
    assert "4001" not in left.text, "nobody vouched for the address"
    assert not is_logged_in(browser)


def test_oidcc_rp_initiated_logout_no_params(city: City) -> None:
    browser, _ = logged_in_at(city)
    left = browser.submit(ask(browser), decision="logout")
    assert (left.status, "已安全退出" in left.text) == (200, True)
    assert not is_logged_in(browser)


def test_oidcc_rp_initiated_logout_no_post_logout_redirect_uri(city: City) -> None:
    browser, hint = logged_in_at(city)
    left = browser.submit(ask(browser, id_token_hint=hint, state="s"), decision="logout")
    assert left.status == 200
    assert not is_logged_in(browser)


def test_oidcc_rp_initiated_logout_only_state(city: City) -> None:
    browser, _ = logged_in_at(city)
    left = browser.submit(ask(browser, state="s"), decision="logout")
    assert left.status == 200
    assert not is_logged_in(browser)


def test_an_expired_id_token_is_a_hint_all_the_same(city: City) -> None:
    from datetime import UTC, datetime, timedelta

    import time_machine

    browser, hint = logged_in_at(city)
    with time_machine.travel(datetime.now(UTC) + timedelta(hours=10), tick=True):
        page = ask(browser, id_token_hint=hint, post_logout_redirect_uri=AFTER_LOGOUT)
        assert (page.status, page.url) == (303, AFTER_LOGOUT), "his session is over: he is sent on"


def test_a_hint_signed_with_the_public_key_as_a_secret_is_refused(city: City) -> None:
    import hashlib
    import hmac
    import json

    from keys.base64url import b64u

    browser, hint = logged_in_at(city)
    (kid,) = {key["kid"] for key in city.app.test_client().get("/.well-known/jwks.json").json["keys"]} & {
        header_of(hint)["kid"]
    }
    public = city.house.keys.public(Purpose.ID_TOKEN)[kid].jwk()
    body = hint.split(".")[1]
    for secret in (json.dumps(public).encode(), public["x"].encode()):
        for algorithm in ("HS256", "none", "ES256"):
            head = b64u(json.dumps({"alg": algorithm, "kid": kid, "typ": "JWT"}).encode())
            mac = b64u(hmac.digest(secret, f"{head}.{body}".encode(), hashlib.sha256)) if algorithm != "none" else ""
            page = ask(browser, id_token_hint=f"{head}.{body}.{mac}", post_logout_redirect_uri=AFTER_LOGOUT)
            assert page.status == 400, algorithm


def test_a_logout_token_or_an_access_token_is_no_hint(city: City) -> None:
    from idservice.oauth import logout_tokens
    from keys.jws import encode
    from tests.identity import claims_of

    browser, hint = logged_in_at(city)
    claims = claims_of(hint)
    facts = {"jti": "j", "sub": claims["sub"], "sid": claims["sid"]}
    payload = logout_tokens.payload(claims["iss"], "basic", facts, issued=claims["iat"])
    token = encode(payload, signer=city.house.keys.signer(Purpose.ID_TOKEN), typ=logout_tokens.TYPE)
    assert ask(browser, id_token_hint=token, post_logout_redirect_uri=AFTER_LOGOUT).status == 400
