"""Advisories against other providers, replayed against this one; each test is named after what it was reported as.

Those whose test stands nearer to the code are listed in docs/conformance.md.
"""

import re
import zlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

import pytest
import time_machine
from sqlalchemy import update

from idservice import expiry
from idservice.models import Person
from idservice.oauth import clients
from idservice.oauth.assertion import ASSERTION_TYPE
from idservice.register import people
from keys.ring import Purpose
from tests.builders import act, build_app, house_of
from tests.cost import costs_less
from tests.functional.attacks.doors import DOORS, Door, encoded, raw
from tests.grants import register_apps
from tests.identity import (
    ALICE,
    ISSUER,
    OFFLINE,
    SECRET,
    City,
    Flow,
    basic,
    bearer,
    claims_of,
    header_of,
    is_alive,
    logged_in,
    redeem,
    refresh,
    token,
    userinfo_status,
)


@pytest.fixture(scope="module")
def another_node(city: City) -> City:
    """A second process over the same database and keys, as a restart or a load balancer would have it."""
    settings = city.house.settings
    app = build_app(Path(settings.keys_dir).parent, settings.database_url, keys_dir=settings.keys_dir)
    return City(app, house_of(app), city.alice, city.agent, city.company, city.mandate, city.key)


def test_cve_2026_9802_a_used_refresh_token_stays_used_after_a_restart_and_on_another_node(
    city: City, another_node: City
) -> None:
    first = logged_in(city)
    second = refresh(another_node, first["refresh_token"]).json
    assert is_alive(city, second)
    assert refresh(another_node, first["refresh_token"]).json["error"] == "invalid_grant"
    assert not is_alive(city, second), "and the family is dead on the node that did not see it"
    restarted = build_app(Path(city.house.settings.keys_dir).parent, city.house.settings.database_url)
    form = {"grant_type": "refresh_token"}
    for used in (first["refresh_token"], second["refresh_token"]):
        answer = token(restarted, form | {"refresh_token": used}, basic("basic"))
        assert answer.json["error"] == "invalid_grant"
    house_of(restarted).database.engine.dispose()


def test_keycloak_52666_what_was_used_stays_used_when_the_session_is_gone(city: City) -> None:
    browser, flow = city.browser(), Flow(scope=OFFLINE)
    code = browser.code(flow)
    got = redeem(city.app, flow, code).json
    kept = refresh(city, got["refresh_token"]).json
    browser.submit(browser.open("/oauth/end_session?id_token_hint=" + got["id_token"]), decision="logout")
    with time_machine.travel(datetime.now(UTC) + timedelta(hours=13), tick=True):
        expiry.sweep(city.house, datetime.now(UTC))
        assert redeem(city.app, flow, code).json["error"] == "invalid_grant"
        assert refresh(city, got["refresh_token"]).json["error"] == "invalid_grant"
        assert refresh(city, kept["refresh_token"]).json["error"] == "invalid_grant", "the reuse killed the family"


def test_cve_2026_9798_locked_while_the_consent_page_was_open(city: City) -> None:
    browser, flow = city.browser(), Flow("other", scope="openid phone")
    consent = browser.log_in(browser.open(flow.url()))
    assert 'name="decision"' in consent.text

    def become(status: str) -> None:
        stmt = update(Person).where(Person.subject == city.alice).values(status=status)
        act(city.house, lambda call: call.session.execute(stmt) and None)

    become("locked")
    try:
        assert "code=" not in browser.submit(consent, decision="allow").url
        assert browser.open(flow.url()).asks_to_log_in
    finally:
        become("active")


def test_duende_every_token_verifies_on_both_nodes_through_a_rotation(city: City, another_node: City) -> None:
    nodes = (city, another_node)

    def issue(at: City) -> str:
        text: str = token(at.app, {"grant_type": "client_credentials"}, basic("counter")).json["access_token"]
        return text

    def opens(at: City, text: str) -> bool:
        status = at.app.test_client().post("/v1/lookups", json={}, headers=bearer(text)).status_code
        assert status < 500
        return status not in {401, 403}

    held = [issue(node) for node in nodes]
    city.house.keys.rotate(Purpose.ACCESS_TOKEN, now=datetime.now(UTC))
    held.append(issue(city))
    assert header_of(held[-1])["kid"] != header_of(held[0])["kid"]
    assert all(opens(node, text) for node in nodes for text in held)
    with time_machine.travel(datetime.now(UTC) + timedelta(seconds=2), tick=True):
        held.append(issue(another_node))
        published = [{key["kid"] for key in jwks(node)} for node in nodes]
        assert published[0] == published[1]
        assert all(opens(node, text) for node in nodes for text in held)


def jwks(city: City) -> list[dict[str, str]]:
    found: list[dict[str, str]] = city.app.test_client().get("/.well-known/jwks.json").json["keys"]
    return found


def test_login_gov_a_person_entered_again_keeps_his_pairwise_subject(city: City) -> None:
    before = claims_of(logged_in(city)["id_token"])["sub"]
    close = update(Person).where(Person.subject == city.alice)
    act(city.house, lambda call: call.session.execute(close.values(status="closed")) and None)
    again = act(city.house, lambda call: people.enrol(call, number=ALICE, name="王小明", phone="13800001234", level=3))
    act(city.house, lambda call: call.session.execute(close.values(status="active")) and None)
    assert again == city.alice
    assert claims_of(logged_in(city)["id_token"])["sub"] == before


# --- links and addresses are ours, whatever the request says of the host

ELSEWHERE = {
    "host": {"Host": "evil.example"},
    "forwarded_host": {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "gopher"},
    "forwarded": {"Forwarded": "host=evil.example;proto=gopher"},
    "original_host": {
        "X-Original-Host": "evil.example",
        "X-Host": "evil.example",
        "X-Forwarded-Server": "evil.example",
    },
    "prefix": {"X-Forwarded-Prefix": "//evil.example"},
}


@pytest.mark.parametrize("headers", ELSEWHERE.values(), ids=ELSEWHERE.keys())
def test_zitadel_cve_2025_64101_no_link_is_made_of_the_requests_host(city: City, headers: dict[str, str]) -> None:
    if act(city.house, lambda call: clients.find(call, "tv")) is None:
        register_apps(city)
    client = city.app.test_client()
    flow = Flow()
    answers = (
        client.get("/.well-known/openid-configuration", headers=headers),
        client.get("/.well-known/oauth-protected-resource/v1", headers=headers),
        client.get(flow.url(), headers=headers),
        client.get(flow.url(prompt="none"), headers=headers),
        client.get("/login", headers=headers),
        client.get("/recover", headers=headers),
        client.get("/oauth/end_session", headers=headers),
        client.post("/oauth/device_authorization", data={"client_id": "tv", "scope": "openid"}, headers=headers),
        client.post(
            "/oauth/backchannel_authentication", data={"scope": "openid", "login_hint": ALICE, "binding_message": "1"},
            headers=headers | basic("desk"),
        ),
        client.get("/v1/accesses", headers=headers),
    )  # fmt: skip
    for answer in answers:
        assert answer.status_code < 500
        assert "evil.example" not in answer.text + str(answer.headers)
        assert "gopher" not in answer.text + str(answer.headers)


# --- bombs at every door that reads a JWT


def bombs() -> dict[str, str]:
    deep = b'{"alg":"ES256","a":' + b"[" * 10_000 + b"]" * 10_000 + b"}"
    packed = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = packed.compress(bytes(10_000_000)) + packed.flush()
    good, zipped = encoded({"alg": "ES256", "kid": "k1"}), encoded({"alg": "ES256", "kid": "k1", "zip": "DEF"})
    slow = {"alg": "PBES2-HS512+A256KW", "enc": "A256GCM", "p2c": 2**31 - 1, "p2s": "AAAA"}
    return {
        "header_10_mb": f"{'A' * 10_000_000}.e30.AA",
        "signature_10_mb": f"{good}.e30.{'A' * 10_000_000}",
        "deep_header": f"{raw(deep)}.e30.AA",
        "deep_payload": f"{good}.{raw(deep)}.AA",
        "zip": f"{zipped}.{raw(bomb)}.AA",
        "pbes2": f"{encoded(slow)}.AAAA.AAAA.AAAA.AAAA",
        "rsa1_5": f"{encoded({'alg': 'RSA1_5', 'enc': 'A128CBC-HS256'})}.{'A' * 342}.AAAA.AAAA.AAAA",
        "dots": "." * 100_000,
    }


BOMBS = bombs()


@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS.keys())
@pytest.mark.parametrize("bomb", BOMBS.keys())
def test_authlib_cve_2025_61920_no_bomb_costs_more_than_a_moment(city: City, door: Door, bomb: str) -> None:
    def send() -> None:
        answer = door(city, BOMBS[bomb])
        assert answer.status_code in {200, 400, 401, 413}
        assert answer.status_code != 200 or answer.json == {"active": False}

    assert costs_less(0.5, send), "under 0.15 s as measured, the sending included"


def test_no_accepted_algorithm_is_symmetric_unsigned_or_a_password(city: City) -> None:
    metadata = city.app.test_client().get("/.well-known/openid-configuration").json
    offered = {name: values for name, values in metadata.items() if re.search(r"_(alg|enc)_values_supported$", name)}
    assert offered
    assert {value for values in offered.values() for value in values} <= {"ES256", "EdDSA", "PS256"}
    assert not any("encryption" in name for name in metadata), "nothing encrypted is read: no RSA1_5, no PBES2"


# --- cursors


CURSORS = ("", "x", "' OR '1'='1", "0" * 32 + "'--", "\0", "é", "-1", "9" * 400, "../../etc", "eyJpZCI6MX0", "%", "[]")


@pytest.mark.parametrize("path", ["/v1/accesses", "/v1/licences", "/v1/sessions", "/v1/consents"])
def test_hydra_ghsa_r9w3_57w2_gch2_a_cursor_builds_no_query(city: City, path: str) -> None:
    flow = Flow(scope="openid accesses.read licences.read consents.manage sessions.manage")
    headers = bearer(redeem(city.app, flow, city.browser().code(flow)).json["access_token"])
    client = city.app.test_client()
    assert client.get(path, headers=headers).status_code == 200
    for cursor in CURSORS:
        answer = client.get(f"{path}?{urlencode({'cursor': cursor})}", headers=headers)
        nothing = answer.status_code == 200 and answer.json == {"items": [], "next_cursor": None}
        assert nothing or answer.status_code in {400, 422}, (cursor, answer.text)


def test_cve_2026_16093_a_secret_does_not_help_who_must_show_a_key(city: City) -> None:
    fake = f"{encoded({'alg': 'none'})}.{encoded({'iss': 'jwt', 'sub': 'jwt', 'aud': ISSUER})}."
    form = {"token": "x", "client_assertion_type": ASSERTION_TYPE, "client_assertion": fake}
    assert token(city.app, form, basic("jwt"), "/oauth/introspect").json["error"] == "invalid_request"
    both = form | {"client_id": "jwt", "client_secret": SECRET}
    assert token(city.app, both, path="/oauth/introspect").json["error"] == "invalid_request"
    assert token(city.app, form, path="/oauth/introspect").json["error"] == "invalid_client"


def test_ory_a_token_for_nobody_opens_no_persons_facts(city: City) -> None:
    """A machine's token is good, yet there is nobody behind it whose facts it could open."""
    machine = token(city.app, {"grant_type": "client_credentials"}, basic("counter")).json["access_token"]
    assert userinfo_status(city, machine) == 403
