"""A registered client's own hand on its registration (RFC 7592): read, replaced, removed, by its token alone."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from idservice.models import Client
from idservice.oauth import client_settings, clients
from idservice.oauth.grant_policy import CIBA_GRANT, EXCHANGE_GRANT, PING, GrantPolicy
from idservice.oauth.profiles import Demand
from idservice.oauth.registration import NOT_FOR_STRANGERS
from idservice.oauth.registration_routes import NOT_TO_BE_SENT
from tests.builders import act
from tests.functional.test_registration import GOOD, redeem_as, registered
from tests.identity import City, Flow, basic, public_jwk, token

POLICIES: dict[str, dict[str, Any]] = {
    CIBA_GRANT: {"delivery": PING, "notification_endpoint": "https://app.example/ping"},
    EXCHANGE_GRANT: {"audiences": ("basic",)},
}
given_grants = pytest.mark.parametrize("grant", sorted(NOT_FOR_STRANGERS), ids=["exchange", "ciba"])


def without(members: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in members.items() if name not in names}


def manage(city: City, method: str, known: dict[str, Any], members: Any = None, *, by: str | None = None) -> Any:
    path = known["registration_client_uri"].removeprefix("http://127.0.0.1:8000")
    headers = {"Authorization": f"Bearer {by or known['registration_access_token']}"}
    return city.app.test_client().open(path, method=method, json=members, headers=headers)


def test_a_client_reads_what_is_registered_of_it(city: City) -> None:
    known = registered(city, contacts=["ops@app.example"])
    found = manage(city, "GET", known)
    assert found.status_code == 200
    kept = {name: value for name, value in known.items() if not name.startswith("client_secret")}
    assert found.json == kept


def test_an_update_replaces_everything_and_rotates_the_token(city: City) -> None:
    known = registered(city, logo_uri="https://app.example/logo.png")
    changed = manage(city, "PUT", known, {**GOOD, "client_id": known["client_id"], "client_name": "新名称"})
    assert changed.status_code == 200
    assert changed.json["client_name"] == "新名称"
    assert "logo_uri" not in changed.json, "what is left out is forgotten"
    assert changed.json["registration_access_token"] != known["registration_access_token"]
    assert manage(city, "GET", known).status_code == 401, "the old token is dead"
    assert manage(city, "GET", changed.json).status_code == 200
    flow = Flow(known["client_id"])
    assert redeem_as(city, known, flow, city.browser().code(flow)).status_code == 200, "the secret is still good"


def test_an_update_never_widens_the_scope(city: City) -> None:
    known = registered(city)
    wider = {**GOOD, "client_id": known["client_id"], "scope": "openid offline_access profile"}
    assert manage(city, "PUT", known, wider).status_code == 400
    assert manage(city, "GET", known).status_code == 200, "a refused update changes nothing"


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": "other"},
        {"registration_access_token": "x"},
        {"client_secret_expires_at": 0},
        {"client_secret": "x" * 43},
        {"client_secret": 7},
        {"redirect_uris": ["javascript:alert(1)"]},
    ],
)
def test_a_bad_update_changes_nothing(city: City, changes: dict[str, Any]) -> None:
    known = registered(city)
    assert manage(city, "PUT", known, {**GOOD, "client_id": known["client_id"], **changes}).status_code == 400
    assert manage(city, "GET", known).json["redirect_uris"] == GOOD["redirect_uris"]


def settle(city: City, known: dict[str, Any], **changed: Any) -> None:
    """Change settings of a client as administrators do."""

    def change(call: Any) -> None:
        client_settings.change(call, call.session.get(Client, known["client_id"]), changed)

    act(city.house, change)


def test_an_update_does_not_undo_what_an_administrator_has_set(city: City) -> None:
    known = registered(city, redirect_uris=[*GOOD["redirect_uris"], "https://app.example/other"])
    stricter = [str(Demand.PUSHED)]
    settle(city, known, demands=stricter, redirect_uris=GOOD["redirect_uris"], name="管理员定的名称")
    sent = {**GOOD, "client_id": known["client_id"], "logo_uri": "https://app.example/2.png"}
    changed = manage(city, "PUT", known, {**sent, "redirect_uris": ["https://app.example/other"], stricter[0]: False})
    assert changed.status_code == 200, changed.text
    told = changed.json
    assert (told[stricter[0]], told["redirect_uris"], told["client_name"]) == (
        True, GOOD["redirect_uris"], "管理员定的名称",
    )  # fmt: skip
    assert told["logo_uri"] == "https://app.example/2.png", "what is its own is its own"
    more = manage(city, "PUT", told, {**sent, str(Demand.DPOP): True})
    assert more.json[str(Demand.DPOP)] is True, "it may demand more of itself"
    assert more.json[stricter[0]] is True
    assert manage(city, "GET", more.json).json["redirect_uris"] == GOOD["redirect_uris"]


def given(city: City, grant: str) -> dict[str, Any]:
    """Register an app, to which an administrator then gives a grant that it may not ask for."""
    known = registered(city, token_endpoint_auth_method="private_key_jwt", jwks={"keys": [public_jwk(city.key)]})
    settle(city, known, grant_types=[*known["grant_types"], grant], policy=asdict(GrantPolicy(**POLICIES[grant])))
    return known


def held(city: City, known: dict[str, Any]) -> dict[str, Any]:
    return act(city.house, lambda call: client_settings.read(call, call.session.get(Client, known["client_id"])))


@given_grants
def test_an_app_may_send_back_what_it_was_told(city: City, grant: str) -> None:
    known = given(city, grant)
    before = held(city, known)
    told = manage(city, "GET", known).json
    assert grant in told["grant_types"]
    back = manage(city, "PUT", known, without(told, *NOT_TO_BE_SENT))
    assert back.status_code == 200, back.text
    assert without(back.json, "registration_access_token") == without(told, "registration_access_token")
    assert held(city, known) == before


@given_grants
def test_an_app_that_leaves_out_what_an_administrator_gave_keeps_it(city: City, grant: str) -> None:
    known = given(city, grant)
    before = held(city, known)
    told = without(manage(city, "GET", known).json, *NOT_TO_BE_SENT)
    for sent in (without(told, "grant_types"), {**told, "grant_types": ["authorization_code"]}):
        known = manage(city, "PUT", known, sent).json
        assert grant in known["grant_types"]
    assert held(city, known) == before


@given_grants
def test_an_app_is_given_no_grant_by_stating_it(city: City, grant: str) -> None:
    (other,) = NOT_FOR_STRANGERS - {grant}
    known, plain = given(city, grant), registered(city)
    told = without(manage(city, "GET", known).json, *NOT_TO_BE_SENT)
    before = held(city, known)
    for grants in ([*told["grant_types"], other], [other]):
        refused = manage(city, "PUT", known, {**told, "grant_types": grants})
        assert (refused.status_code, refused.json["error"]) == (400, "invalid_client_metadata")
        assert held(city, known) == before
    theirs = {**told, "client_id": plain["client_id"]}
    assert manage(city, "PUT", plain, theirs).status_code == 400, "it is another app's"
    settle(city, known, grant_types=GOOD["grant_types"], policy=asdict(GrantPolicy()))
    assert manage(city, "PUT", known, told).status_code == 400, "an administrator has taken it back"
    assert held(city, known)["grant_types"] == GOOD["grant_types"]


@given_grants
def test_what_was_given_gives_nothing_beside_it(city: City, grant: str) -> None:
    known = given(city, grant)
    before = held(city, known)
    told = without(manage(city, "GET", known).json, *NOT_TO_BE_SENT)
    unknown = {"policy": {"audiences": ["basic"]}, "departments": ["*"], "resources": ["https://api.example"]}
    sent = {**told, **unknown, "backchannel_client_notification_endpoint": "https://evil.example/ping"}
    known = manage(city, "PUT", known, sent | {"grant_types": [*told["grant_types"], "client_credentials"]}).json
    assert held(city, known) == before
    open_to_all = {**told, "token_endpoint_auth_method": "none"}
    assert manage(city, "PUT", known, without(open_to_all, "jwks")).status_code == 400


def test_an_update_brings_back_no_key_that_an_administrator_has_taken(city: City) -> None:
    good, bad = public_jwk(city.key), public_jwk(ec.generate_private_key(ec.SECP256R1()))
    keys = {"token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": [good, bad | {"kid": "bad"}]}}
    known = registered(city, **keys)
    settle(city, known, jwks={"keys": [good]})
    sent = {**GOOD, **keys, "client_id": known["client_id"]}
    assert manage(city, "PUT", known, sent).json["jwks"] == {"keys": [good]}


def test_a_client_that_moves_to_keys_has_no_secret_any_more(city: City) -> None:
    known = registered(city)
    to_keys = {
        **GOOD, "client_id": known["client_id"], "client_secret": known["client_secret"],
        "token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": [public_jwk(city.key)]},
    }  # fmt: skip
    changed = manage(city, "PUT", known, to_keys)
    assert changed.status_code == 200, changed.text
    answer = token(city.app, {"token": "x"}, basic(known["client_id"], known["client_secret"]), "/oauth/revoke")
    assert answer.status_code == 401
    back = manage(city, "PUT", changed.json, {**GOOD, "client_id": known["client_id"]})
    assert back.json["client_secret"] != known["client_secret"]


def test_a_removed_client_and_its_tokens_are_dead(city: City) -> None:
    known = registered(city)
    flow = Flow(known["client_id"], scope="openid offline_access")
    got = redeem_as(city, known, flow, city.browser().code(flow)).json
    assert manage(city, "DELETE", known).status_code == 204
    assert manage(city, "GET", known).status_code == 401
    assert manage(city, "DELETE", known).status_code == 401
    userinfo = city.app.test_client().get("/oauth/userinfo", headers={"Authorization": f"Bearer {got['access_token']}"})
    assert userinfo.status_code == 401
    form = {"grant_type": "refresh_token", "refresh_token": got["refresh_token"]}
    assert token(city.app, form, basic(known["client_id"], known["client_secret"])).json["error"] == "invalid_client"
    assert city.browser().open(flow.url()).status == 400


def test_nobody_manages_a_client_with_anothers_token(city: City) -> None:
    mine, other = registered(city), registered(city)
    for method in ("GET", "PUT", "DELETE"):
        answer = manage(
            city, method, mine, {**GOOD, "client_id": mine["client_id"]}, by=other["registration_access_token"]
        )
        assert (answer.status_code, answer.json["error"]) == (401, "invalid_token")
    fixed = {**mine, "registration_client_uri": "http://127.0.0.1:8000/oauth/register/basic"}
    assert manage(city, "GET", fixed).status_code == 401, "a client that was entered by hand has no such token"


def test_what_is_registered_is_read_back_by_every_process_soon(city: City) -> None:
    known = registered(city)
    app = clients.find_outside(city.house, known["client_id"], datetime.now(UTC))
    assert app is not None
    assert app.logout == {}
