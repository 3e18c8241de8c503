"""Clients at the back-channel endpoints: who they are, what they may send, which grants are theirs."""

import base64

import pytest
from sqlalchemy import func, select

from idservice.models import AuditEntry
from tests.builders import act
from tests.identity import (
    SECRET,
    City,
    Flow,
    basic,
    claims_of,
    logged_in,
    refresh,
    token,
    userinfo_status,
)

# --- clients


BAD_CLIENTS = {
    "wrong_secret": ({}, basic("basic", "x" * 40)),
    "unknown": ({}, basic("nobody")),
    "empty_secret": ({}, basic("basic", "")),
    "no_colon": ({}, {"Authorization": "Basic " + base64.b64encode(b"basic").decode()}),
    "not_base64": ({}, {"Authorization": "Basic ***"}),
    "not_utf8": ({}, {"Authorization": "Basic " + base64.b64encode(b"\xff:\xff").decode()}),
    "bearer": ({}, {"Authorization": "Bearer x"}),
    "post_instead_of_basic": ({"client_id": "basic", "client_secret": SECRET}, {}),
    "basic_instead_of_post": ({}, basic("post")),
    "none_instead_of_basic": ({"client_id": "basic"}, {}),
    "nothing": ({}, {}),
}


@pytest.mark.parametrize(("form", "headers"), BAD_CLIENTS.values(), ids=BAD_CLIENTS.keys())
@pytest.mark.parametrize("path", ["/oauth/token", "/oauth/introspect", "/oauth/revoke"])
def test_a_client_that_is_not_who_it_says_is_refused_everywhere(
    city: City, path: str, form: dict[str, str], headers: dict[str, str]
) -> None:
    answer = token(city.app, {"grant_type": "client_credentials", "token": "x", **form}, headers, path)
    assert (answer.status_code, answer.json["error"]) == (401, "invalid_client")
    assert answer.headers["WWW-Authenticate"].startswith("Basic")


def test_a_public_client_may_not_introspect(city: City) -> None:
    got = logged_in(city, Flow("public"))
    answer = token(city.app, {"token": got["access_token"], "client_id": "public"}, path="/oauth/introspect")
    assert answer.json["error"] == "invalid_client"


@pytest.mark.parametrize(
    "form",
    [
        {"client_secret": SECRET, "client_id": "basic"},
        {"client_assertion": "x", "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
        {"client_assertion": "x"},
        {"client_id": "other"},
    ],
)
def test_two_ways_to_say_who_one_is_are_one_too_many(city: City, form: dict[str, str]) -> None:
    answer = token(city.app, {"grant_type": "client_credentials", **form}, basic("basic"))
    assert (answer.status_code, answer.json["error"]) == (400, "invalid_request")


# --- the form


def test_parameters_in_the_url_or_sent_twice_are_refused(city: City) -> None:
    client = city.app.test_client()
    in_url = client.post(
        "/oauth/token?scope=matters.read", data={"grant_type": "client_credentials"}, headers=basic("counter")
    )
    assert in_url.json["error"] == "invalid_request"
    twice = {"grant_type": "client_credentials", "scope": ["matters.read", "matters.read"]}
    assert client.post("/oauth/token", data=twice, headers=basic("counter")).json["error"] == "invalid_request"
    as_json = client.post("/oauth/token", json={"grant_type": "client_credentials"}, headers=basic("counter"))
    assert as_json.json["error"] == "invalid_request"
    assert client.get("/oauth/token").status_code == 405
    for form in ({}, {"grant_type": ""}):
        assert (
            client.post("/oauth/token", data={"x": "y", **form}, headers=basic("counter")).json["error"]
            == "invalid_request"
        )
    many = {f"p{i}": "x" for i in range(40)}
    assert client.post("/oauth/token", data=many, headers=basic("counter")).json["error"] == "invalid_request"


@pytest.mark.parametrize(
    "grant_type", ["password", "implicit", "urn:ietf:params:oauth:grant-type:jwt-bearer", 'x"\\\n<script>']
)
def test_other_grants_do_not_exist(city: City, grant_type: str) -> None:
    form = {"grant_type": grant_type, "username": "x", "password": "y"}
    answer = token(city.app, form, basic("basic"))
    assert (answer.status_code, answer.json["error"]) == (400, "unsupported_grant_type")
    assert "<script" not in answer.text
    metadata = city.app.test_client().get("/.well-known/openid-configuration").json
    assert grant_type not in metadata["grant_types_supported"]
    assert metadata["response_types_supported"] == ["code"]
    assert metadata["code_challenge_methods_supported"] == ["S256"]


def test_a_client_uses_only_the_grants_it_is_registered_for(city: City) -> None:
    assert token(city.app, {"grant_type": "client_credentials"}, basic("basic")).json["error"] == "unauthorized_client"
    answer = token(city.app, {"grant_type": "authorization_code", "code": "x"}, basic("counter"))
    assert answer.json["error"] == "unauthorized_client"


# --- client credentials


def test_a_client_on_its_own_gets_its_own_scopes_and_is_no_person(city: City) -> None:
    got = token(city.app, {"grant_type": "client_credentials"}, basic("counter")).json
    assert set(got["scope"].split()) == {"verifications.create", "lookups.create", "matters.read"}
    assert "refresh_token" not in got
    claims = claims_of(got["access_token"])
    assert claims["sub"] == claims["client_id"] == "counter"
    assert userinfo_status(city, got["access_token"]) == 403
    for scope in ("openid", "licences.issue", "matters.read nonsense", "matters.read  lookups.create", " "):
        answer = token(city.app, {"grant_type": "client_credentials", "scope": scope}, basic("counter"))
        assert answer.json["error"] == "invalid_scope", scope


def test_every_token_of_a_person_leaves_an_audit_row(city: City) -> None:
    def count(deed: str) -> int:
        query = select(func.count()).select_from(AuditEntry).where(AuditEntry.deed == deed)
        return act(city.house, lambda call: call.session.scalar(query)) or 0

    issued, refreshed = count("idservice:token:issue"), count("idservice:token:refresh")
    got = logged_in(city)
    refresh(city, got["refresh_token"])
    refresh(city, got["refresh_token"])
    assert (count("idservice:token:issue"), count("idservice:token:refresh")) == (issued + 1, refreshed + 1)
