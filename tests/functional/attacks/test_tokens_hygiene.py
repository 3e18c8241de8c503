"""Every kind of token at every door but its own: told apart by `typ`, `aud`, `iss` and key, never by luck."""

import base64
import hashlib
import json
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest

from idservice.oauth import logout_tokens
from keys.jws import encode
from keys.ring import Purpose
from tests.fapi import Fapi, register
from tests.functional.attacks.doors import DOORS, encoded
from tests.identity import (
    AFTER_LOGOUT,
    ALICE,
    ISSUER,
    OFFLINE,
    City,
    Flow,
    bearer,
    claims_of,
    header_of,
    logged_in,
    now,
    query_of,
    redeem,
    refresh,
    token,
    userinfo_status,
)


@pytest.fixture(scope="module")
def app(city: City) -> Fapi:
    register(city, "fapi")
    return Fapi(city)


@pytest.fixture(scope="module")
def kinds(app: Fapi) -> dict[str, str]:
    """Tokens of every kind that were good when these tests began."""
    return good_tokens(app)


def good_tokens(app: Fapi) -> dict[str, str]:
    """One good token of every kind, all of one app, which signs with the city's key and has a person logged in."""
    city = app.city
    flow = Flow("fapi", scope=OFFLINE)
    browser = city.browser()
    got = app.redeem(flow, browser.code(flow), bare=True).json
    claims = claims_of(got["id_token"])
    facts = {"jti": "j", "sub": claims["sub"], "sid": claims["sid"]}
    logout = logout_tokens.payload(ISSUER, "fapi", facts, issued=now())
    jarm = browser.open(Flow("fapi", scope=OFFLINE).url(response_mode="jwt")).url
    moment = now()
    inside = dict(query_of(flow.url())) | {"iss": "fapi", "aud": ISSUER, "nbf": moment, "exp": moment + 60}
    accept = {"Accept": "application/token-introspection+jwt"}
    shown = {"token": got["access_token"], **app.assertion()}
    return {
        "id_token": got["id_token"],
        "access_token": got["access_token"],
        "refresh_token": got["refresh_token"],
        "logout_token": encode(logout, signer=city.house.keys.signer(Purpose.ID_TOKEN), typ=logout_tokens.TYPE),
        "assertion": app.assertion()["client_assertion"],
        "proof": app.proof("POST", "/oauth/token")["DPoP"],
        "request_object": jwt.encode(inside, city.key, "ES256", headers={"kid": "k1", "typ": "oauth-authz-req+jwt"}),
        "signed_answer": parse_qs(urlsplit(jarm).query)["response"][0],
        "signed_introspection": city.app.test_client().post("/oauth/introspect", data=shown, headers=accept).text,
    }


def as_access_token(city: City, text: str) -> int:
    return userinfo_status(city, text)


def as_hint(city: City, text: str) -> int:
    form = {"id_token_hint": text, "post_logout_redirect_uri": AFTER_LOGOUT, "client_id": "fapi"}
    return city.app.test_client().post("/oauth/end_session", data=form).status_code


def as_refresh_token(city: City, text: str) -> int:
    form = {"grant_type": "refresh_token", "refresh_token": text, **Fapi(city).assertion()}
    return token(city.app, form).status_code


def as_assertion(city: City, text: str) -> int:
    return DOORS["assertion"](city, text).status_code


def as_proof(city: City, text: str) -> int:
    return DOORS["dpop_proof"](city, text).status_code


def as_request_object(city: City, text: str) -> int:
    form = {"client_id": "fapi", "request": text, **Fapi(city).assertion()}
    return token(city.app, form, path="/oauth/par").status_code


def as_code(city: City, text: str) -> int:
    form = {"grant_type": "authorization_code", "code": text, "code_verifier": "x" * 43, **Fapi(city).assertion()}
    return token(city.app, form).status_code


def as_bound_token(city: City, text: str) -> int:
    headers = {"Authorization": f"DPoP {text}"}
    return city.app.test_client().get("/oauth/userinfo", headers=headers).status_code


PLACES = {
    "access_token": as_access_token,
    "id_token": as_hint,
    "refresh_token": as_refresh_token,
    "assertion": as_assertion,
    "request_object": as_request_object,
    "code": as_code,
    "dpop_access_token": as_bound_token,
}
KINDS = (
    "id_token", "access_token", "refresh_token", "logout_token", "assertion", "proof", "request_object",
    "signed_answer", "signed_introspection",
)  # fmt: skip


@pytest.mark.parametrize("place", PLACES.keys())
@pytest.mark.parametrize("kind", KINDS)
def test_no_token_passes_for_one_of_another_kind(city: City, kinds: dict[str, str], kind: str, place: str) -> None:
    assert kind == place or PLACES[place](city, kinds[kind]) in {400, 401}


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind in PLACES])
def test_a_token_is_good_in_its_own_place(city: City, app: Fapi, kind: str) -> None:
    assert PLACES[kind](city, good_tokens(app)[kind]) in {200, 201, 303}


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "proof"])
def test_no_token_passes_for_a_proof(city: City, kinds: dict[str, str], kind: str) -> None:
    answer = DOORS["dpop_proof"](city, kinds[kind])
    assert (answer.status_code, answer.json["error"]) == (400, "invalid_dpop_proof")


@pytest.mark.parametrize("kind", ["id_token", "access_token", "assertion", "request_object"])
@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "nOnE", ""])
def test_alg_none_is_refused_everywhere(city: City, kinds: dict[str, str], kind: str, algorithm: str) -> None:
    head, body, signature = kinds[kind].split(".")
    unsigned = encoded(header_of(kinds[kind]) | {"alg": algorithm})
    for text in (f"{unsigned}.{body}.", f"{unsigned}.{body}.{signature}", f"{head}.{body}."):
        assert PLACES[kind](city, text) in {400, 401}


KIDS = ("../../../../dev/null", "k1' OR '1'='1", "'; DROP TABLE client; --", "\0", "/", "", "k1\nk2", ["k1"], 1, None)


@pytest.mark.parametrize("kid", KIDS, ids=range(len(KIDS)))
@pytest.mark.parametrize("kind", ["id_token", "access_token", "assertion", "request_object"])
def test_a_kid_is_a_name_and_nothing_else(city: City, kinds: dict[str, str], kind: str, kid: object) -> None:
    head, body, signature = kinds[kind].split(".")
    assert head
    assert PLACES[kind](city, f"{encoded(header_of(kinds[kind]) | {'kid': kid})}.{body}.{signature}") in {400, 401}


def test_a_member_said_twice_is_not_read_one_way_or_the_other(city: City) -> None:
    """Signed with our own key, so that nothing but the doubled member can be what is refused."""
    got = logged_in(city)
    signer = city.house.keys.signer(Purpose.ACCESS_TOKEN)
    whole = json.dumps(claims_of(got["access_token"]))
    head = got["access_token"].split(".", maxsplit=1)[0]

    def signed(text: str) -> str:
        message = f"{head}.{base64.urlsafe_b64encode(text.encode()).rstrip(b'=').decode()}"
        return f"{message}.{base64.urlsafe_b64encode(signer.sign(message.encode())).rstrip(b'=').decode()}"

    assert userinfo_status(city, signed(whole)) == 200
    assert userinfo_status(city, signed(whole[:-1] + ', "scope": "openid"}')) == 401
    assert userinfo_status(city, signed(whole[:-1] + f', "exp": {now() + 60}}}')) == 401
    for wrong in ('"9999999999"', "true", "null", "1e400", "[9999999999]", "NaN"):
        changed = whole.replace(f'"exp": {claims_of(got["access_token"])["exp"]}', f'"exp": {wrong}')
        assert changed != whole
        assert userinfo_status(city, signed(changed)) == 401, wrong


def test_at_hash_is_the_left_half_of_the_hash_of_the_token_beside_it(city: City) -> None:
    got = logged_in(city)
    for answer in (got, refresh(city, got["refresh_token"]).json):
        half = hashlib.sha256(answer["access_token"].encode()).digest()[:16]
        wanted = base64.urlsafe_b64encode(half).rstrip(b"=").decode()
        assert claims_of(answer["id_token"])["at_hash"] == wanted


def test_what_goes_through_the_address_bar_names_nobody(city: City) -> None:
    browser, flow = city.browser(), Flow(scope="openid profile phone")
    seen = [flow.url()]
    page = browser.open(flow.url())
    seen.append(page.url)
    page = browser.log_in(page)
    seen += [page.url, page.form["action"]]
    if page.status == 200:
        page = browser.submit(page, decision="allow")
    seen.append(page.url)
    sub = claims_of(redeem(city.app, flow, dict(query_of(page.url))["code"]).json["id_token"])["sub"]
    for name in (sub, city.alice, "王小明", "13800001234"):
        assert not any(name in url for url in seen)


def test_a_number_that_an_app_sends_as_a_hint_is_not_repeated_in_any_address(city: City) -> None:
    """The app's own request we cannot unsay; whatever we make of it leaves the number out."""
    sent = Flow("other", scope="openid phone").url(login_hint=ALICE)
    posted = city.app.test_client().post("/oauth/authorize", data=dict(query_of(sent)))
    assert ALICE not in posted.headers["Location"]
    browser = city.browser()
    login = browser.open(sent)
    consent = browser.log_in(login)
    again = browser.open(sent)
    assert 'name="decision"' in consent.text
    for page in (login, consent):
        assert ALICE not in page.url + page.form["action"]
    assert ALICE not in again.form["action"], "nor where nobody has to log in first"
    assert "code" in dict(query_of(browser.submit(again, decision="allow").url))


def test_a_good_token_is_not_good_twice_over(city: City) -> None:
    """Two tokens in one header, in header and body, or in two headers: none of them counts."""
    first, second = logged_in(city)["access_token"], logged_in(city)["access_token"]
    client = city.app.test_client()
    two = client.get("/oauth/userinfo", headers=[("Authorization", f"Bearer {first}, Bearer {second}")])
    assert two.status_code == 401
    both = client.post("/oauth/userinfo", data={"access_token": second}, headers=bearer(first))
    assert both.status_code == 400
    doubled = client.get(
        "/oauth/userinfo", headers=[("Authorization", f"Bearer {first}"), ("Authorization", f"Bearer {second}")]
    )
    assert doubled.status_code in {400, 401}
