"""Token exchange (RFC 8693): every rule narrows, whoever acts is named, and what came of a token ends with it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import time_machine
from sqlalchemy import update

from idservice.models import Person
from idservice.oauth import clients
from idservice.oauth.grant_policy import EXCHANGE_GRANT
from tests.builders import act
from tests.grants import ACCESS, actor_token, exchange, register_apps
from tests.identity import (
    AGENT,
    CALLBACK,
    SECRET,
    City,
    Flow,
    basic,
    bearer,
    claims_of,
    introspect,
    logged_in,
    refresh,
    token,
)

SCOPE = "openid profile licences.read offline_access"


@pytest.fixture(autouse=True, scope="module")
def _apps(city: City) -> None:
    register_apps(city)


def error_of(answer) -> tuple[int, str]:
    return answer.status_code, answer.json["error"]


def fronts_token(city: City, **walk: str) -> dict[str, str]:
    """Return tokens of an app whose registration names the gateway in `may_act`."""
    return logged_in(city, Flow("front", scope=SCOPE), **walk)


def test_the_gateway_acts_for_a_person_who_is_named_by_the_front(city: City) -> None:
    given = fronts_token(city)
    assert claims_of(given["access_token"])["may_act"] == {"sub": "gateway"}
    answer = exchange(city, given["access_token"], scope="openid profile", **actor_token(city))
    assert answer.status_code == 200, answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    found = answer.json
    assert found.keys() == {"access_token", "issued_token_type", "token_type", "expires_in", "scope"}
    assert (found["issued_token_type"], found["scope"]) == (ACCESS, "openid profile")
    claims = claims_of(found["access_token"])
    assert claims["act"] == {"sub": "gateway"}
    assert claims["client_id"] == "gateway"
    assert "may_act" not in claims
    shown = introspect(city, found["access_token"], "gateway")
    assert (shown["active"], shown["act"], shown["sub"]) == (True, {"sub": "gateway"}, claims["sub"])
    me = city.app.test_client().get("/oauth/userinfo", headers=bearer(found["access_token"]))
    assert (me.json["name"], me.json["sub"]) == ("王小明", claims["sub"])
    assert claims["sub"] != claims_of(given["access_token"])["sub"], "subjects stay pairwise"


def test_keycloak_50690_no_exchange_without_the_actor_that_may_act_names(city: City) -> None:
    given = fronts_token(city)["access_token"]
    assert error_of(exchange(city, given)) == (400, "invalid_request")
    assert error_of(exchange(city, given, "archive", **actor_token(city, "archive"))) == (400, "invalid_request")
    assert error_of(exchange(city, given, "archive", **actor_token(city, "gateway"))) == (400, "invalid_request")
    persons = logged_in(city)["access_token"]
    wrong = {"actor_token": persons, "actor_token_type": ACCESS}
    assert error_of(exchange(city, given, **wrong)) == (400, "invalid_request")
    broken = {**actor_token(city), "actor_token": actor_token(city)["actor_token"][:-4] + "AAAA"}
    assert error_of(exchange(city, given, **broken)) == (400, "invalid_request")


def test_a_token_that_names_nobody_is_nobody_elses(city: City) -> None:
    given = logged_in(city)["access_token"]
    assert error_of(exchange(city, given)) == (400, "invalid_request")
    assert error_of(exchange(city, given, **actor_token(city))) == (400, "invalid_request")


def test_keycloak_53029_the_chain_is_in_token_and_introspection_and_has_an_end(city: City) -> None:
    given = fronts_token(city)["access_token"]
    first = exchange(city, given, audience="archive", scope="profile", **actor_token(city)).json["access_token"]
    second = exchange(city, first, "archive", audience="vault", **actor_token(city, "archive")).json["access_token"]
    third = exchange(city, second, "vault", audience="cellar", **actor_token(city, "vault")).json["access_token"]
    chain = {"sub": "vault", "act": {"sub": "archive", "act": {"sub": "gateway"}}}
    assert claims_of(third)["act"] == chain
    assert introspect(city, third, "cellar")["act"] == chain
    assert error_of(exchange(city, third, "cellar", **actor_token(city, "cellar"))) == (400, "invalid_request")


def test_the_person_who_acts_for_a_company_stays_in_the_chain(city: City) -> None:
    given = fronts_token(city, number=AGENT, acting=city.mandate)
    found = exchange(city, given["access_token"], **actor_token(city)).json["access_token"]
    acting = claims_of(found)["act"]
    assert acting["sub"] == "gateway"
    assert acting["act"].keys() == {"sub"}
    assert acting["act"]["sub"] not in {claims_of(found)["sub"], claims_of(given["access_token"])["act"]["sub"]}


# --- audience


def test_a_token_for_a_named_audience_is_for_nobody_else(city: City) -> None:
    given = fronts_token(city)["access_token"]
    found = exchange(city, given, audience="basic", **actor_token(city)).json["access_token"]
    assert claims_of(found)["aud"] == "basic"
    own = claims_of(logged_in(city)["access_token"])["sub"]
    assert claims_of(found)["sub"] == own, "the audience knows the person by its own name for him"
    assert introspect(city, found, "basic")["active"] is True
    assert introspect(city, found, "other") == {"active": False}
    for path in ("/oauth/userinfo", "/v1/consents"):
        assert city.app.test_client().get(path, headers=bearer(found)).status_code == 401


@pytest.mark.parametrize(
    "target",
    [
        {"audience": "vault"},
        {"audience": "gateway"},
        {"audience": "http://127.0.0.1:8000"},
        {"resource": "https://api.example/"},
        {"audience": "basic", "resource": "http://127.0.0.1:8000/v1"},
    ],
)
def test_an_audience_the_client_is_not_registered_for_is_invalid_target(city: City, target: dict[str, str]) -> None:
    given = fronts_token(city)["access_token"]
    assert error_of(exchange(city, given, **target, **actor_token(city))) == (400, "invalid_target")


# --- narrower, never wider


@pytest.mark.parametrize(
    "scope", ["phone", "openid phone", "matters.read", "offline_access", "nothing", "openid  profile"]
)
def test_scope_is_never_widened(city: City, scope: str) -> None:
    given = fronts_token(city)["access_token"]
    assert error_of(exchange(city, given, scope=scope, **actor_token(city))) == (400, "invalid_scope")


def test_by_default_all_that_both_have_and_never_a_refresh_token(city: City) -> None:
    found = exchange(city, fronts_token(city)["access_token"], **actor_token(city)).json
    assert found["scope"] == "licences.read openid profile"
    assert "refresh_token" not in found
    assert "id_token" not in found


def test_an_app_narrows_a_token_of_its_own(city: City) -> None:
    """The gateway's own exchanged token is its own: nobody else has to be named to do less with it."""
    first = exchange(city, fronts_token(city)["access_token"], **actor_token(city)).json["access_token"]
    found = exchange(city, first, scope="profile")
    assert (found.status_code, found.json["scope"]) == (200, "profile")
    assert claims_of(found.json["access_token"])["act"] == {"sub": "gateway"}
    wider = exchange(city, found.json["access_token"], scope="openid")
    assert error_of(wider) == (400, "invalid_scope")


def test_the_new_token_ends_no_later_than_the_old(city: City) -> None:
    with time_machine.travel(datetime.now(UTC), tick=False) as clock:
        given = fronts_token(city)["access_token"]
        clock.shift(500)
        found = exchange(city, given, **actor_token(city)).json
        assert found["expires_in"] == 100
        assert claims_of(found["access_token"])["exp"] == claims_of(given)["exp"]
        clock.shift(101)
        assert error_of(exchange(city, given, **actor_token(city))) == (400, "invalid_request")


# --- it dies with what it came from


def test_what_came_of_a_family_dies_with_it(city: City) -> None:
    given = fronts_token(city)
    found = exchange(city, given["access_token"], **actor_token(city)).json["access_token"]
    archived = exchange(city, given["access_token"], audience="archive", **actor_token(city)).json["access_token"]
    token(city.app, {"token": given["refresh_token"]}, basic("front"), "/oauth/revoke")
    assert introspect(city, found, "gateway") == {"active": False}
    assert introspect(city, archived, "archive") == {"active": False}
    assert city.app.test_client().get("/oauth/userinfo", headers=bearer(found)).status_code == 401
    assert error_of(exchange(city, found, scope="profile")) == (400, "invalid_request")


def test_what_came_of_a_token_dies_with_that_token(city: City) -> None:
    given = fronts_token(city)
    first = exchange(city, given["access_token"], **actor_token(city)).json["access_token"]
    second = exchange(city, first, scope="profile").json["access_token"]
    token(city.app, {"token": given["access_token"]}, basic("front"), "/oauth/revoke")
    for dead in (first, second):
        assert introspect(city, dead, "gateway") == {"active": False}
    fresh = refresh(city, given["refresh_token"], "front").json["access_token"]
    assert exchange(city, fresh, **actor_token(city)).status_code == 200, "the family goes on"


def test_what_an_app_got_for_its_own_token_dies_with_that_token(city: City) -> None:
    grants = ["authorization_code", "refresh_token", EXCHANGE_GRANT]
    app = {"name": "x", "unit": "x", "auth_method": "client_secret_basic", "secret": SECRET, "grant_types": grants}
    act(
        city.house,
        lambda call: clients.register(call, client_id="own", scope=SCOPE, redirect_uris=[CALLBACK], **app),
    )
    given = logged_in(city, Flow("own", scope=SCOPE))
    narrow = exchange(city, given["access_token"], "own", scope="openid").json["access_token"]
    assert introspect(city, narrow, "own")["active"]
    token(city.app, {"token": given["access_token"]}, basic("own"), "/oauth/revoke")
    assert introspect(city, narrow, "own") == {"active": False}
    assert city.app.test_client().get("/oauth/userinfo", headers=bearer(narrow)).status_code == 401
    assert refresh(city, given["refresh_token"], "own").status_code == 200, "the family goes on"


def test_who_got_a_token_for_another_audience_sees_and_ends_it(city: City) -> None:
    given = fronts_token(city)["access_token"]
    found = exchange(city, given, audience="archive", **actor_token(city)).json["access_token"]
    assert introspect(city, found, "gateway")["aud"] == "archive"
    token(city.app, {"token": found}, basic("archive"), "/oauth/revoke")
    assert introspect(city, found, "archive")["active"] is True, "it is not the archive's to end"
    token(city.app, {"token": found}, basic("gateway"), "/oauth/revoke")
    for client_id in ("gateway", "archive"):
        assert introspect(city, found, client_id) == {"active": False}


@pytest.mark.parametrize("status", ["locked", "closed", "deceased"])
def test_cve_2026_9798_an_account_that_ended_is_refused(city: City, status: str) -> None:
    given = fronts_token(city)["access_token"]
    found = exchange(city, given, **actor_token(city)).json["access_token"]
    _set_status(city, status)
    try:
        assert error_of(exchange(city, given, **actor_token(city))) == (400, "invalid_request")
        assert introspect(city, found, "gateway") == {"active": False}
    finally:
        _set_status(city, "active")


def _set_status(city: City, status: str) -> None:
    changed = update(Person).where(Person.subject == city.alice).values(status=status)
    act(city.house, lambda call: call.session.execute(changed) and None)


# --- malformed


@pytest.mark.parametrize(
    "changes",
    [
        {"subject_token_type": "urn:ietf:params:oauth:token-type:id_token"},
        {"subject_token_type": "urn:ietf:params:oauth:token-type:refresh_token"},
        {"subject_token_type": ""},
        {"requested_token_type": "urn:ietf:params:oauth:token-type:refresh_token"},
        {"requested_token_type": "urn:ietf:params:oauth:token-type:saml2"},
        {"actor_token_type": ""},
        {"actor_token": ""},
        {"actor_token_type": "urn:ietf:params:oauth:token-type:id_token"},
        {"subject_token": ""},
        {"subject_token": "x"},
        {"subject_token": "a.b.c"},
    ],
)
def test_a_malformed_exchange_is_refused(city: City, changes: dict[str, str]) -> None:
    form = {"subject_token": fronts_token(city)["access_token"], **actor_token(city), **changes}
    assert error_of(exchange(city, form.pop("subject_token"), **form)) == (400, "invalid_request")


def test_no_other_token_passes_for_a_persons_access_token(city: City) -> None:
    given = fronts_token(city)
    for other in (given["id_token"], given["refresh_token"], actor_token(city)["actor_token"]):
        assert error_of(exchange(city, other, **actor_token(city))) == (400, "invalid_request")


def test_a_client_must_be_registered_for_it(city: City) -> None:
    given = fronts_token(city)["access_token"]
    assert error_of(exchange(city, given, "front")) == (400, "unauthorized_client")
    public = {"client_id": "public", "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange"}
    assert error_of(token(city.app, {**public, "subject_token": given, "subject_token_type": ACCESS})) == (
        400,
        "unauthorized_client",
    )


def test_the_holder_reads_who_got_access(city: City) -> None:
    flow = Flow("front", scope=SCOPE + " accesses.read")
    given = logged_in(city, flow)["access_token"]
    exchange(city, given, scope="openid profile", **actor_token(city))
    newest = city.app.test_client().get("/v1/accesses?limit=1", headers=bearer(given)).json["items"][0]
    assert (newest["who"], newest["purpose"], newest["fields"]) == ("网关", "exchange", ["name", "real_name_level"])
