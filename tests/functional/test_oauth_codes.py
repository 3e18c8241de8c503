"""Codes and refresh tokens: one use each, in the right hands, for people who may still log in."""

import random
import time
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from idservice.models import AuthorizationCode, Client, Consent, Mandate, Organisation, Person
from tests.builders import act
from tests.identity import (
    AGENT,
    OFFLINE,
    SECRET,
    City,
    Flow,
    basic,
    claims_of,
    introspect,
    is_alive,
    logged_in,
    redeem,
    refresh,
    token,
    userinfo_status,
)

# --- codes


def test_a_second_use_of_a_code_is_refused_and_kills_what_the_first_gave(city: City) -> None:
    flow = Flow(scope=OFFLINE)
    code = city.browser().code(flow)
    got = redeem(city.app, flow, code).json
    assert is_alive(city, got)
    again = redeem(city.app, flow, code)
    assert (again.status_code, again.json["error"]) == (400, "invalid_grant")
    assert not is_alive(city, got)
    assert refresh(city, got["refresh_token"]).json["error"] == "invalid_grant"


def test_a_code_in_the_wrong_hands_is_refused_and_stays_the_owners(city: City) -> None:
    flow = Flow()
    code = city.browser().code(flow)
    stolen = token(
        city.app,
        {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": flow.redirect_uri,
            "code_verifier": flow.verifier,
        },
        basic("other"),
    )
    assert stolen.json["error"] == "invalid_grant"
    got = redeem(city.app, flow, code)
    assert got.status_code == 200
    token(
        city.app, {"grant_type": "authorization_code", "code": code, "redirect_uri": flow.redirect_uri}, basic("other")
    )
    assert is_alive(city, got.json)


@pytest.mark.parametrize(
    "changes",
    [
        {"code_verifier": "x" * 43},
        {"code_verifier": ""},
        {"code_verifier": "short"},
        {"redirect_uri": "http://127.0.0.1:4001/other"},
        {"redirect_uri": ""},
        {"resource": "https://other.example"},
    ],
    ids=["wrong_verifier", "no_verifier", "short_verifier", "other_redirect", "no_redirect", "other_resource"],
)
def test_a_failed_redemption_leaves_the_code_as_it_was(city: City, changes: dict[str, str]) -> None:
    flow = Flow()
    code = city.browser().code(flow)
    assert redeem(city.app, flow, code, **changes).status_code == 400
    assert redeem(city.app, flow, code).status_code == 200


def test_a_code_lives_a_minute(city: City) -> None:
    flow = Flow()
    code = city.browser().code(flow)
    past = datetime.now(UTC) - timedelta(seconds=1)
    stmt = update(AuthorizationCode).where(AuthorizationCode.used_at.is_(None))
    lives = act(city.house, lambda call: call.session.scalars(select(AuthorizationCode.expires_at)).all())
    assert max(lives) - datetime.now(UTC) <= timedelta(seconds=60)
    act(city.house, lambda call: call.session.execute(stmt.values(expires_at=past)) and None)
    assert redeem(city.app, flow, code).json["error"] == "invalid_grant"


def test_an_altered_code_is_nobodys(city: City) -> None:
    flow = Flow()
    code = city.browser().code(flow)
    chance = random.Random(7)
    for _ in range(60):
        place = chance.randrange(len(code))
        altered = code[:place] + chance.choice("AZaz09-_\0é ") + code[place + 1 :]
        if altered != code:
            assert redeem(city.app, flow, altered).json["error"] in {"invalid_grant", "invalid_request"}
    assert redeem(city.app, flow, code).status_code == 200


# --- refresh tokens


def test_a_refresh_token_is_replaced_and_its_second_use_kills_the_family(city: City) -> None:
    first = logged_in(city)
    second = refresh(city, first["refresh_token"])
    assert second.status_code == 200
    assert second.json["refresh_token"] != first["refresh_token"]
    assert is_alive(city, second.json)
    assert refresh(city, first["refresh_token"]).json["error"] == "invalid_grant"
    assert not is_alive(city, second.json)
    assert not is_alive(city, first)
    assert refresh(city, second.json["refresh_token"]).json["error"] == "invalid_grant"


def test_another_clients_refresh_token_is_refused_and_lives_on(city: City) -> None:
    got = logged_in(city)
    assert refresh(city, got["refresh_token"], "other").json["error"] == "invalid_grant"
    assert refresh(city, got["refresh_token"]).status_code == 200


def test_a_refresh_narrows_and_never_widens(city: City) -> None:
    got = logged_in(city)
    wider = refresh(city, got["refresh_token"], scope="openid profile")
    assert wider.json["error"] == "invalid_scope"
    narrow = refresh(city, got["refresh_token"], scope="offline_access")
    assert narrow.json["scope"] == "offline_access"
    assert "id_token" not in narrow.json
    assert (
        refresh(city, narrow.json["refresh_token"], resource="https://other.example").json["error"] == "invalid_target"
    )
    again = refresh(city, narrow.json["refresh_token"]).json
    assert set(again["scope"].split()) == {"openid", "offline_access"}
    assert "nonce" not in claims_of(again["id_token"])


def test_without_offline_access_there_is_no_refresh_token(city: City) -> None:
    assert "refresh_token" not in logged_in(city, Flow())


def test_rotation_does_not_lengthen_the_life_of_a_login(city: City) -> None:
    got = logged_in(city)
    end = introspect(city, got["refresh_token"])["exp"]
    time.sleep(1.1)
    assert introspect(city, refresh(city, got["refresh_token"]).json["refresh_token"])["exp"] == end


# --- who may still be logged in


@pytest.mark.parametrize("status", ["locked", "deceased", "closed"])
def test_a_person_who_may_not_log_in_any_more_is_out_on_every_path(city: City, status: str) -> None:
    browser, flow, waiting = city.browser(), Flow(scope=OFFLINE), Flow(scope=OFFLINE)
    got = redeem(city.app, flow, browser.code(flow)).json
    unspent = browser.code(waiting)

    def become(value: str) -> None:
        act(
            city.house,
            lambda call: (
                call.session.execute(update(Person).where(Person.subject == city.alice).values(status=value)) and None
            ),
        )

    become(status)
    try:
        assert not is_alive(city, got)
        assert refresh(city, got["refresh_token"]).json["error"] == "invalid_grant"
        assert redeem(city.app, waiting, unspent).json["error"] == "invalid_grant"
        assert browser.open(Flow().url()).asks_to_log_in, "the session has ended too"
        assert browser.log_in().status == 400
    finally:
        become("active")


def test_a_withdrawn_mandate_ends_the_agents_tokens(city: City) -> None:
    got = logged_in(city, Flow(scope=OFFLINE), number=AGENT, acting=city.mandate)
    own = logged_in(city, Flow(scope=OFFLINE), number=AGENT)
    assert is_alive(city, got)

    def withdrawn(value: datetime | None) -> None:
        act(city.house, lambda call: call.session.execute(update(Mandate).values(withdrawn_at=value)) and None)

    withdrawn(datetime.now(UTC))
    try:
        assert not is_alive(city, got)
        assert refresh(city, got["refresh_token"]).json["error"] == "invalid_grant"
        assert is_alive(city, own)
    finally:
        withdrawn(None)
    act(city.house, lambda call: call.session.execute(update(Organisation).values(status="closed")) and None)
    assert not is_alive(city, got)
    act(city.house, lambda call: call.session.execute(update(Organisation).values(status="active")) and None)


def test_an_organisations_consent_withdrawn_by_one_agent_ends_it_for_all_families_before(city: City) -> None:
    flow = Flow("sector-a", scope="openid profile")
    got = redeem(city.app, flow, city.browser().code(flow, number=AGENT, acting=city.mandate)).json
    introspected = introspect(city, got["access_token"], "sector-a")
    assert introspected["active"]
    past = datetime.now(UTC)
    stmt = update(Consent).where(Consent.subject == city.company)
    act(city.house, lambda call: call.session.execute(stmt.values(withdrawn_at=past)) and None)
    assert not introspect(city, got["access_token"], "sector-a")["active"]
    flow = Flow("sector-a", scope="openid profile")
    later = redeem(city.app, flow, city.browser().code(flow, number=AGENT, acting=city.mandate)).json
    assert introspect(city, later["access_token"], "sector-a")["active"]
    assert not introspect(city, got["access_token"], "sector-a")["active"], "a new consent revives nothing old"


def test_a_disabled_client_is_out_within_two_seconds(city: City) -> None:
    got = logged_in(city, Flow("post", scope=OFFLINE))

    def disable(value: datetime | None) -> None:
        stmt = update(Client).where(Client.client_id == "post").values(disabled_at=value)
        act(city.house, lambda call: call.session.execute(stmt) and None)

    disable(datetime.now(UTC))
    time.sleep(2.1)
    try:
        assert userinfo_status(city, got["access_token"]) == 401
        answer = token(
            city.app,
            {
                "grant_type": "refresh_token",
                "refresh_token": got["refresh_token"],
                "client_id": "post",
                "client_secret": SECRET,
            },
        )
        assert (answer.status_code, answer.json["error"]) == (401, "invalid_client")
        assert city.browser().open(Flow("post").url()).status == 400
    finally:
        disable(None)
