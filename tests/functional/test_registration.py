"""Dynamic registration (RFC 7591) and its management (RFC 7592): by initial token, by the rules of every client."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import select

from idservice import outbound
from idservice.models import AuditEntry, Client
from idservice.oauth import initial_tokens
from keys.ring import Purpose
from tests.builders import act
from tests.identity import CALLBACK, City, Flow, answer_of, basic, claims_of, header_of, logged_in, public_jwk, token

SCOPE = "openid profile offline_access"
GOOD: dict[str, Any] = {
    "client_name": "自助接入的应用",
    "redirect_uris": [CALLBACK],
    "grant_types": ["authorization_code", "refresh_token"],
    "scope": "openid offline_access",
}


def permission(city: City, *, uses: int = 100, days: int = 1) -> str:
    until = datetime.now(UTC) + timedelta(days=days)
    return act(city.house, lambda call: initial_tokens.make(
        call, name="滨州市自助接入单位", scope=SCOPE, uses=uses, expires_at=until))  # fmt: skip


def send(city: City, members: Any, *, by: str | None = None, **headers: str) -> Any:
    headers = {"Authorization": f"Bearer {by if by is not None else permission(city)}"} | headers
    return city.app.test_client().post("/oauth/register", json=members, headers=headers)


def registered(city: City, **changes: Any) -> dict[str, Any]:
    answer = send(city, GOOD | changes)
    assert answer.status_code == 201, answer.text
    return answer.json


def redeem_as(city: City, known: dict[str, Any], flow: Flow, code: str) -> Any:
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": flow.redirect_uri}
    return token(city.app, {**form, "code_verifier": flow.verifier}, basic(known["client_id"], known["client_secret"]))


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A public web of documents; what is not in it is not there."""
    pages: dict[str, Any] = {}

    def get_json(url: str, **_options: Any) -> Any:
        if url not in pages:
            raise outbound.OutboundRefused("status")
        return pages[url]

    monkeypatch.setattr(outbound, "get_json", get_json)
    return pages


# --- who registers himself can work


def test_oidcc_server_a_registered_client_logs_a_person_in(city: City) -> None:
    known = registered(city)
    assert known["client_secret_expires_at"] == 0
    assert known["token_endpoint_auth_method"] == "client_secret_basic"
    flow, browser = Flow(known["client_id"], scope="openid offline_access"), city.browser()
    page = browser.open(flow.url())
    page = browser.log_in(page)
    assert "自助接入的应用" in page.text
    assert "滨州市自助接入单位" in page.text, "who answers for it is who got the initial token"
    answer = answer_of(browser.submit(page, decision="allow"))
    got = redeem_as(city, known, flow, answer["code"])
    assert got.status_code == 200
    assert claims_of(got.json["id_token"])["aud"] == known["client_id"]


def test_the_metadata_names_the_endpoint(city: City) -> None:
    found = city.app.test_client().get("/.well-known/openid-configuration").json
    assert found["registration_endpoint"] == "http://127.0.0.1:8000/oauth/register"


def test_secrets_and_tokens_are_kept_as_hashes_alone(city: City) -> None:
    known = registered(city)
    row = act(city.house, lambda call: call.session.get_one(Client, known["client_id"]))
    stored = repr({column.name: getattr(row, column.name) for column in Client.__table__.columns})
    assert known["client_secret"] not in stored
    assert known["registration_access_token"] not in stored
    deeds = act(city.house, lambda call: list(call.session.scalars(
        select(AuditEntry.facts).where(AuditEntry.deed == "idservice:client:register"))))  # fmt: skip
    assert any(known["client_id"] in facts for facts in deeds)
    assert not any(known["client_secret"] in facts for facts in deeds)


# --- the initial access token


def test_without_a_good_initial_token_nothing_is_registered_or_fetched(city: City, web: dict[str, Any]) -> None:
    over = permission(city)
    for wrong in ("", "x" * 43, "short", "é" * 20):
        answer = send(city, GOOD | {"jwks_uri": "https://keys.example/jwks"}, by=wrong)
        assert (answer.status_code, answer.json["error"]) == (401, "invalid_token")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert city.app.test_client().post("/oauth/register", json=GOOD).status_code == 401
    with time_machine.travel(datetime.now(UTC) + timedelta(days=2), tick=True):
        assert send(city, GOOD, by=over).status_code == 401


def test_of_parallel_uses_no_more_succeed_than_the_token_has(city: City) -> None:
    by, codes = permission(city, uses=3), []

    def try_it() -> None:
        codes.append(send(city, GOOD, by=by).status_code)

    threads = [threading.Thread(target=try_it) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes) == [201] * 3 + [401] * 9


def test_a_refused_registration_uses_nothing_up(city: City) -> None:
    by = permission(city, uses=1)
    assert send(city, GOOD | {"scope": "nonsense"}, by=by).status_code == 400
    assert send(city, GOOD, by=by).status_code == 201
    assert send(city, GOOD, by=by).status_code == 401


def test_a_dry_run_tells_everything_and_keeps_nothing(city: City) -> None:
    by = permission(city, uses=1)
    dry = send(city, GOOD, by=by, **{"Dry-Run": "true"})
    assert (dry.status_code, dry.headers["Dry-Run"]) == (200, "true")
    assert dry.json["client_name"] == GOOD["client_name"]
    assert not {"client_id", "client_secret", "registration_access_token"} & set(dry.json)
    assert send(city, GOOD | {"redirect_uris": []}, by=by, **{"Dry-Run": "true"}).status_code == 400
    assert send(city, GOOD, by=by, **{"Dry-Run": "maybe"}).status_code == 400
    assert send(city, GOOD, by=by).status_code == 201


# --- what may be stated

REFUSED = {
    "not_an_object": ([1], "invalid_client_metadata"),
    "no_name": ({"client_name": ""}, "invalid_client_metadata"),
    "name_with_control": ({"client_name": "a\u202eb"}, "invalid_client_metadata"),
    "software_statement": ({"software_statement": "a.b.c"}, "invalid_software_statement"),
    "scope_beyond_the_token": ({"scope": "openid licences.issue"}, "invalid_client_metadata"),
    "unknown_scope": ({"scope": "openid nonsense"}, "invalid_client_metadata"),
    "implicit": ({"response_types": ["id_token token"]}, "invalid_client_metadata"),
    "password_grant": ({"grant_types": ["password"]}, "invalid_client_metadata"),
    "ciba": ({"grant_types": ["urn:openid:params:grant-type:ciba"]}, "invalid_client_metadata"),
    "exchange": (
        {"grant_types": ["urn:ietf:params:oauth:grant-type:token-exchange"]}, "invalid_client_metadata",
    ),
    "no_redirect": ({"redirect_uris": []}, "invalid_redirect_uri"),
    "redirect_javascript": ({"redirect_uris": ["JaVaScRiPt:alert(1)"]}, "invalid_redirect_uri"),
    "redirect_data": ({"redirect_uris": ["data:text/html,x"]}, "invalid_redirect_uri"),
    "redirect_fragment": ({"redirect_uris": ["https://app.example/cb#x"]}, "invalid_redirect_uri"),
    "redirect_http": ({"redirect_uris": ["http://app.example/cb"]}, "invalid_redirect_uri"),
    "redirect_not_text": ({"redirect_uris": [1]}, "invalid_client_metadata"),
    "logout_javascript": ({"post_logout_redirect_uris": ["javascript:alert(1)"]}, "invalid_redirect_uri"),
    "public_with_client_credentials": (
        {"token_endpoint_auth_method": "none", "grant_types": ["client_credentials"], "redirect_uris": []},
        "invalid_client_metadata",
    ),
    "unknown_method": ({"token_endpoint_auth_method": "client_secret_jwt"}, "invalid_client_metadata"),
    "key_method_without_key": ({"token_endpoint_auth_method": "private_key_jwt"}, "invalid_client_metadata"),
    "two_places_of_keys": (
        {"token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": []}, "jwks_uri": "https://k.example/"},
        "invalid_client_metadata",
    ),
    "weak_key": (
        {"token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": [{"kty": "oct", "k": "AAAA"}]}},
        "invalid_client_metadata",
    ),
    "public_subject": ({"subject_type": "public"}, "invalid_client_metadata"),
    "userinfo_rs256": ({"userinfo_signed_response_alg": "RS256"}, "invalid_client_metadata"),
    "idtoken_rs256": ({"id_token_signed_response_alg": "RS256"}, "invalid_client_metadata"),
    "idtoken_none": ({"id_token_signed_response_alg": "none"}, "invalid_client_metadata"),
    "encrypted": ({"id_token_encrypted_response_alg": "RSA-OAEP"}, "invalid_client_metadata"),
    "certificates_do_not_reach_us": (
        {"token_endpoint_auth_method": "tls_client_auth", "tls_client_auth_san_dns": "app.example"},
        "invalid_client_metadata",
    ),
    "flag_as_text": ({"dpop_bound_access_tokens": "true"}, "invalid_client_metadata"),
    "fapi2_with_secret": ({"profile": "fapi2"}, "invalid_client_metadata"),
}  # fmt: skip


@pytest.mark.parametrize(("changes", "error"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_unsafe_or_would_not_be_honoured_is_refused(
    city: City, web: dict[str, Any], changes: Any, error: str
) -> None:
    answer = send(city, GOOD | changes if isinstance(changes, dict) else changes)
    assert (answer.status_code, answer.json["error"]) == (400, error), answer.text
    assert answer.headers["Cache-Control"] == "no-store"


URI_FIELDS = (
    "logo_uri", "client_uri", "policy_uri", "tos_uri", "jwks_uri", "sector_identifier_uri", "initiate_login_uri",
    "backchannel_logout_uri", "frontchannel_logout_uri",
)  # fmt: skip
BAD_URIS = (
    "JaVaScRiPt:alert(1)", "data:text/html,x", "http://app.example/", "file:///etc/passwd", "https://127.0.0.1/",
    "https://169.254.169.254/latest", "https://10.0.0.1/", "https://[::1]/", "https://[::ffff:10.0.0.1]/",
    "https://localhost/", "https://x.localhost/", "https://intranet/", "https://db.internal/", "https://2130706433/",
    "https://0x7f.1/", "https://user@app.example/", "https://app.example\\@evil.example/", "https://", "", 7,
)  # fmt: skip


@pytest.mark.parametrize("name", URI_FIELDS)
def test_no_uri_field_takes_code_or_a_private_address(city: City, web: dict[str, Any], name: str) -> None:
    by = permission(city)
    for uri in BAD_URIS:
        answer = send(city, GOOD | {name: uri}, by=by)
        assert (answer.status_code, answer.json["error"]) == (400, "invalid_client_metadata"), (name, uri)


def test_a_body_that_is_no_json_is_refused(city: City) -> None:
    by = {"Authorization": f"Bearer {permission(city)}"}
    client = city.app.test_client()
    for body, kind in (
        ("{", "application/json"), ('{"a":1,"a":2}', "application/json"), ("[" * 9000, "application/json"),
        ("client_name=x", "application/x-www-form-urlencoded"),
    ):  # fmt: skip
        answer = client.post("/oauth/register", data=body, content_type=kind, headers=by)
        assert answer.status_code == 400, body[:20]
        assert answer.json["error"] in {"invalid_client_metadata", "invalid_request"}
    assert (
        client.post("/oauth/register", data="x" * 70_000, content_type="application/json", headers=by).status_code
        == 413
    )
    assert client.post("/oauth/register?x=1", json=GOOD, headers=by).status_code == 400


# --- the conformance suite's modules


def test_a_client_of_the_fapi2_profile_registers_itself(city: City) -> None:
    known = registered(
        city, profile="fapi2", token_endpoint_auth_method="private_key_jwt", jwks={"keys": [public_jwk(city.key)]}
    )
    assert known["profile"] == "fapi2"
    page = city.browser().open(Flow(known["client_id"]).url())
    assert "code" not in answer_of(page), "its requests must be pushed"


def test_oidcc_registration_logo_uri(city: City) -> None:
    assert registered(city, logo_uri="https://app.example/logo.png")["logo_uri"] == "https://app.example/logo.png"


def test_oidcc_registration_policy_uri(city: City) -> None:
    assert registered(city, policy_uri="https://app.example/policy")["policy_uri"] == "https://app.example/policy"


def test_oidcc_registration_tos_uri(city: City) -> None:
    assert registered(city, tos_uri="https://app.example/terms")["tos_uri"] == "https://app.example/terms"


def test_oidcc_server_rotate_keys(city: City) -> None:
    def kid_and_published() -> tuple[str, set[str]]:
        known = registered(city)
        flow = Flow(known["client_id"])
        hint = redeem_as(city, known, flow, city.browser().code(flow)).json["id_token"]
        keys = city.app.test_client().get("/.well-known/jwks.json").json["keys"]
        return header_of(hint)["kid"], {key["kid"] for key in keys}

    before, published = kid_and_published()
    assert before in published
    city.house.keys.rotate(Purpose.ID_TOKEN, now=datetime.now(UTC))
    after, published = kid_and_published()
    assert after != before
    assert {before, after} <= published, "what was signed before can still be verified"


def test_oidcc_registration_jwks_uri(city: City, web: dict[str, Any]) -> None:
    web["https://app.example/jwks.json"] = {"keys": [public_jwk(city.key)]}
    known = registered(city, jwks_uri="https://app.example/jwks.json", token_endpoint_auth_method="private_key_jwt")
    assert known["jwks_uri"] == "https://app.example/jwks.json"
    assert "jwks" not in known
    assert "client_secret" not in known
    for missing in ("https://app.example/other.json", "https://gone.example/"):
        answer = send(city, GOOD | {"jwks_uri": missing, "token_endpoint_auth_method": "private_key_jwt"})
        assert answer.status_code == 400


def test_oidcc_registration_jwks(city: City) -> None:
    known = registered(city, jwks={"keys": [public_jwk(city.key)]}, token_endpoint_auth_method="private_key_jwt")
    assert known["jwks"]["keys"][0]["kid"] == "k1"


def test_oidcc_registration_sector_uri(city: City, web: dict[str, Any]) -> None:
    web["https://sector.example/uris.json"] = [CALLBACK, "https://other.example/cb"]
    subjects = []
    for _ in range(2):
        known = registered(city, sector_identifier_uri="https://sector.example/uris.json")
        flow = Flow(known["client_id"])
        got = redeem_as(city, known, flow, city.browser().code(flow))
        subjects.append(claims_of(got.json["id_token"])["sub"])
    assert subjects[0] == subjects[1], "one sector, one subject"
    assert subjects[0] != claims_of(logged_in(city)["id_token"])["sub"]


def test_oidcc_registration_sector_bad(city: City, web: dict[str, Any]) -> None:
    for number, document in enumerate((["https://other.example/cb"], {"uris": [CALLBACK]}, "x", [[CALLBACK]], None)):
        uri = f"https://sector.example/{number}"
        web[uri] = document
        answer = send(city, GOOD | {"sector_identifier_uri": uri})
        assert (answer.status_code, answer.json["error"]) == (400, "invalid_client_metadata")
    assert send(city, GOOD | {"sector_identifier_uri": "https://gone.example/"}).status_code == 400


def test_oidcc_redirect_uri_query_ok(city: City) -> None:
    known = registered(city, redirect_uris=[f"{CALLBACK}?foo=bar"])
    flow = Flow(known["client_id"], redirect_uri=f"{CALLBACK}?foo=bar")
    browser = city.browser()
    page = browser.submit(browser.log_in(browser.open(flow.url())), decision="allow")
    assert answer_of(page)["foo"] == "bar"
    assert answer_of(page)["code"]


@pytest.mark.parametrize("asked", [f"{CALLBACK}?foo=baz", CALLBACK])
def test_oidcc_redirect_uri_query_mismatch(city: City, asked: str) -> None:
    known = registered(city, redirect_uris=[f"{CALLBACK}?foo=bar"])
    page = city.browser().open(Flow(known["client_id"], redirect_uri=asked).url())
    assert page.status == 400


def test_oidcc_redirect_uri_query_added(city: City) -> None:
    known = registered(city)
    assert city.browser().open(Flow(known["client_id"], redirect_uri=f"{CALLBACK}?foo=bar").url()).status == 400


def test_oidcc_redirect_uri_regfrag(city: City) -> None:
    answer = send(city, GOOD | {"redirect_uris": ["https://app.example/cb#foobar"]})
    assert (answer.status_code, answer.json["error"]) == (400, "invalid_redirect_uri")


def test_oidcc_3rd_party_init_login(city: City) -> None:
    known = registered(city, initiate_login_uri="https://app.example/start")
    assert known["initiate_login_uri"] == "https://app.example/start"


def test_oidcc_refresh_token_rp_key_rotation(city: City, web: dict[str, Any]) -> None:
    from cryptography.hazmat.primitives.asymmetric import ec

    from tests.functional.test_oauth_assertion import assertion_for, introspects

    uri, new_key = "https://rotating.example/jwks", ec.generate_private_key(ec.SECP256R1())
    web[uri] = {"keys": [public_jwk(city.key)]}
    known = registered(city, jwks_uri=uri, token_endpoint_auth_method="private_key_jwt")
    new_jwk = public_jwk(new_key) | {"kid": "k2"}

    def ask(key: Any, kid: str) -> int:
        own = {"iss": known["client_id"], "sub": known["client_id"]}
        return introspects(city, assertion_for(city, key=key, headers={"kid": kid}, **own)).status_code

    assert ask(city.key, "k1") == 200
    web[uri] = {"keys": [new_jwk]}
    assert ask(new_key, "k2") == 401, "asked for at most once a minute"
    with time_machine.travel(datetime.now(UTC) + timedelta(seconds=61), tick=True):
        assert ask(new_key, "k2") == 200
        assert ask(city.key, "k1") == 401, "what is not published any more is not trusted any more"
