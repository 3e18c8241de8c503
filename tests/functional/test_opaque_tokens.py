"""Opaque access tokens: they tell nothing, and end as others do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event

from idservice import expiry
from idservice.ids import secret_hash
from idservice.oauth import bearer as access_tokens
from idservice.oauth import families
from idservice.oauth.models import OpaqueToken
from tests.audiences import DARK, got_for, machine, refreshed, register_apis
from tests.builders import act, migrate
from tests.databases import Databases
from tests.identity import (
    AGENT,
    City,
    Flow,
    basic,
    bearer,
    build_city,
    claims_of,
    introspect,
    is_alive,
    logged_in,
    refresh,
    token,
    userinfo_status,
)


@pytest.fixture(scope="module", autouse=True)
def apis(city: City) -> None:
    register_apis(city)


def dark(city: City) -> Any:
    return got_for(city, DARK)


def test_an_opaque_token_tells_nothing_and_introspection_all(city: City) -> None:
    got = dark(city)
    text = got["access_token"]
    assert text.startswith("ona_at_")
    assert len(text) == 7 + 43
    told = introspect(city, text, "dark-api")
    assert (told["active"], told["aud"], told["client_id"]) == (True, DARK, "shop")
    assert {"sub", "exp", "iat", "jti", "acr", "scope"} <= told.keys()
    assert introspect(city, text, "data-api") == {"active": False}
    for altered in (text[:-1] + ("A" if text[-1] != "A" else "B"), text.upper(), f"{text}x", "ona_at_", text[:20]):
        assert introspect(city, altered, "dark-api") == {"active": False}


def test_only_its_hash_is_stored_and_what_it_stands_for_is_sealed(city: City) -> None:
    text = dark(city)["access_token"]

    def look(call: Any) -> None:
        row = call.session.get(OpaqueToken, secret_hash(text))
        assert text.encode() not in row.claims_sealed
        assert b"shop" not in row.claims_sealed

    act(city.house, look)


def test_revocation_ends_it_at_once_and_alone(city: City) -> None:
    got = dark(city)
    assert token(city.app, {"token": got["access_token"]}, basic("few"), "/oauth/revoke").status_code == 200
    assert introspect(city, got["access_token"], "dark-api")["active"] is True, "it is not that client's to end"
    assert token(city.app, {"token": got["access_token"]}, basic("shop"), "/oauth/revoke").status_code == 200
    assert introspect(city, got["access_token"], "dark-api") == {"active": False}
    assert refreshed(city, got).status_code == 200


def test_it_dies_with_its_family(city: City) -> None:
    got = dark(city)
    assert token(city.app, {"token": got["refresh_token"]}, basic("shop"), "/oauth/revoke").status_code == 200
    assert introspect(city, got["access_token"], "dark-api") == {"active": False}
    again = dark(city)
    assert act(city.house, lambda call: families.kill_all(call, city.alice, reason="test")) > 0
    assert introspect(city, again["access_token"], "dark-api") == {"active": False}


def test_it_ends_at_its_time_and_is_swept(city: City) -> None:
    text = dark(city)["access_token"]
    soon, late = datetime.now(UTC), datetime.now(UTC) + timedelta(seconds=601)
    assert access_tokens.verify(city.house, text, now=soon, audience=DARK) is not None
    assert access_tokens.verify(city.house, text, now=late, audience=DARK) is None
    assert expiry.sweep(city.house, soon + timedelta(hours=1)) > 0
    assert act(city.house, lambda call: call.session.get(OpaqueToken, secret_hash(text))) is None
    assert introspect(city, text, "dark-api") == {"active": False}


def test_a_machines_token_is_opaque_too(city: City) -> None:
    text = machine(city, DARK).json["access_token"]
    told = introspect(city, text, "dark-api")
    assert (told["sub"], told["aud"], told["scope"]) == ("system", DARK, "licences.read")


def test_our_own_api_can_be_asked_to_give_opaque_tokens_alone(
    databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> None:
    url = databases.fresh(migrate)
    town = build_city(tmp_path_factory.mktemp("opaque"), url, opaque_access_tokens=True)
    got = logged_in(town, Flow(scope="openid profile offline_access"), number=AGENT, acting=town.mandate)
    assert got["access_token"].startswith("ona_at_")
    assert is_alive(town, got)
    web = town.app.test_client()
    info = web.get("/oauth/userinfo", headers=bearer(got["access_token"])).json
    assert info["name"] == "滨州示范食品有限公司"
    assert info["act"] == claims_of(got["id_token"])["act"]
    assert web.get("/v1/consents", headers=bearer(got["access_token"])).status_code == 403
    after = refresh(town, got["refresh_token"]).json
    assert is_alive(town, after)
    reused = refresh(town, got["refresh_token"])
    assert reused.json["error"] == "invalid_grant"
    assert not is_alive(town, after), "the whole family is dead"
    town.house.database.engine.dispose()
    databases.drop(url)


def test_who_uses_none_of_this_pays_nothing_for_it(city: City) -> None:
    """Tokens, introspection and refreshes of ordinary clients ask no table of resource servers or opaque tokens."""
    said: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        said.append(statement)

    event.listen(city.house.database.engine, "before_cursor_execute", note)
    try:
        assert token(city.app, {"grant_type": "client_credentials"}, basic("counter")).status_code == 200
        got = logged_in(city)
        after = refresh(city, got["refresh_token"]).json
        assert introspect(city, after["access_token"])["active"] is True
        assert userinfo_status(city, after["access_token"]) == 200
    finally:
        event.remove(city.house.database.engine, "before_cursor_execute", note)
    assert said
    assert [one for one in said if "resource_server" in one or "opaque_token" in one] == []
