"""Access tokens at our own API: RFC 6750, RFC 9068, and everything that only looks like an access token."""

import hmac
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import update

from idservice.call import Call, Post
from idservice.login.levels import LoginTooWeak
from idservice.models import Client, Department, Staff
from idservice.oauth import bearer, clients
from idservice.oauth.tokens import resource
from keys.base64url import b64u
from keys.jws import encode
from keys.ring import Purpose
from tests.builders import TWO_FACTORS, act
from tests.identity import AGENT, ISSUER, City, Flow, basic, claims_of, now, redeem, refresh, token, userinfo_status
from tests.identity import bearer as header

SCOPE = "openid accesses.read"


def access_token(city: City, **walk: str) -> str:
    flow = Flow(scope=SCOPE)
    text: str = redeem(city.app, flow, city.browser().code(flow, **walk)).json["access_token"]
    return text


def accesses(city: City, headers: dict[str, str]) -> Any:
    return city.app.test_client().get("/v1/accesses", headers=headers)


def forged(city: City, *, purpose: Purpose = Purpose.ACCESS_TOKEN, typ: str = "at+jwt", **changes: Any) -> str:
    """Return a token signed with one of our own keys that says something else."""
    payload = {**claims_of(access_token(city)), **changes}
    payload = {name: value for name, value in payload.items() if value is not None}
    return encode(payload, signer=city.house.keys.signer(purpose), typ=typ)


def test_a_token_opens_what_its_scope_says(city: City) -> None:
    good = access_token(city)
    assert accesses(city, header(good)).status_code == 200
    assert accesses(city, {"Authorization": f"bearer {good}"}).status_code == 200, "the scheme is case-insensitive"
    refused = city.app.test_client().get("/v1/consents", headers=header(good))
    assert refused.status_code == 403
    assert refused.headers["WWW-Authenticate"] == 'Bearer error="insufficient_scope", scope="consents.manage"'


@pytest.mark.parametrize(
    "value", [None, "", "Bearer", "Bearer ", "Basic eDp5", "Bearer a b", "Bearer a.b.c", "Token x"]
)
def test_a_header_without_a_token_is_told_how(city: City, value: str | None) -> None:
    answer = accesses(city, {} if value is None else {"Authorization": value})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert answer.json["code"] == "unauthenticated"


def test_a_token_in_the_url_is_not_read(city: City) -> None:
    answer = city.app.test_client().get(f"/v1/accesses?access_token={access_token(city)}")
    assert answer.status_code == 401


WRONG: dict[str, dict[str, Any]] = {
    "for_another_api": {"aud": "https://other.example/v1"},
    "for_a_client": {"aud": "basic"},
    "no_audience": {"aud": None},
    "from_another_issuer": {"iss": "https://other.example"},
    "expired": {"exp": 1},
    "expiry_as_text": {"exp": "9999999999"},
    "no_expiry": {"exp": None},
    "not_issued": {"jti": "made-up"},
    "no_jti": {"jti": None},
    "jti_not_text": {"jti": 5},
    "no_client": {"client_id": None},
    "other_client": {"client_id": "other"},
    "unknown_client": {"client_id": "nobody"},
    "scope_in_an_array": {"scope": ["accesses.read"]},
    "no_subject": {"sub": None},
    "type_jwt": {"typ": "JWT"},
    "id_token_key": {"purpose": Purpose.ID_TOKEN},
    "licence_key": {"purpose": Purpose.LICENCE},
}


@pytest.mark.parametrize("changes", WRONG.values(), ids=WRONG.keys())
def test_a_token_that_says_something_else_is_refused(city: City, changes: dict[str, Any]) -> None:
    answer = accesses(city, header(forged(city, **changes)))
    assert answer.status_code == 401
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]


def test_id_tokens_and_refresh_tokens_are_no_access_tokens(city: City) -> None:
    flow = Flow(scope="openid offline_access accesses.read")
    got = redeem(city.app, flow, city.browser().code(flow)).json
    for name in ("id_token", "refresh_token"):
        assert accesses(city, header(got[name])).status_code == 401


def test_algorithms_and_header_keys_of_the_senders_choosing_are_refused(city: City) -> None:
    payload = claims_of(access_token(city))
    kid = city.house.keys.signer(Purpose.ACCESS_TOKEN).kid
    stranger = ec.generate_private_key(ec.SECP256R1())
    published = city.app.test_client().get("/.well-known/jwks.json").data
    head, body = (
        b64u(json.dumps({"alg": "HS256", "kid": kid, "typ": "at+jwt"}).encode()),
        access_token(city).split(".")[1],
    )
    mac = hmac.digest(published, f"{head}.{body}".encode(), "sha256")
    for text in (
        jwt.encode(payload, None, algorithm="none", headers={"kid": kid, "typ": "at+jwt"}),
        f"{head}.{body}.{b64u(mac)}",
        jwt.encode(payload, stranger, algorithm="ES256", headers={"kid": kid, "typ": "at+jwt"}),
        jwt.encode(payload, stranger, algorithm="ES256", headers={"kid": "unknown", "typ": "at+jwt"}),
        jwt.encode(payload, stranger, algorithm="ES256", headers={"kid": kid, "typ": "at+jwt", "jwk": {"kty": "EC"}}),
    ):
        assert accesses(city, header(text)).status_code == 401


def test_mutants_of_a_token_are_refused(city: City) -> None:
    good, chance = access_token(city), random.Random(20261124)
    for _ in range(300):
        mutant = list(good)
        place = chance.randrange(len(mutant))
        mutant[place : place + chance.randint(0, 3)] = chance.choice(["", ".", "A", "_", "=", "AA", "eyJ"])
        text = "".join(mutant)
        if text != good:
            assert bearer.verify(city.house, text, now=datetime.now(UTC)) is None
    for bomb in ("A" * 10_000_000, "." * 100_000, f"{'A' * 3000}.e30.AA"):
        assert bearer.verify(city.house, bomb, now=datetime.now(UTC)) is None
    assert bearer.verify(city.house, good, now=datetime.now(UTC)) is not None
    assert bearer.verify(city.house, good, now=datetime.now(UTC) + timedelta(seconds=601)) is None


def test_a_rotated_key_leaves_tokens_good_and_a_revoked_one_does_not(city: City) -> None:
    before = access_token(city)
    old = city.house.keys.signer(Purpose.ACCESS_TOKEN).kid
    city.house.keys.rotate(Purpose.ACCESS_TOKEN, now=datetime.now(UTC))
    assert accesses(city, header(before)).status_code == 200
    after = access_token(city)
    assert accesses(city, header(after)).status_code == 200
    city.house.keys.revoke(old)
    assert accesses(city, header(before)).status_code == 401
    assert accesses(city, header(after)).status_code == 200


def test_who_calls(city: City) -> None:
    code = "11371600004300001A"
    agent_post = {"subject": city.agent, "department": code, "role": "officer", "counter": "3"}

    def give_post(call):
        call.session.add(Department(credit_code=code, name="示范局", name_en="Demo bureau", region="371600"))
        call.session.flush()
        call.session.add(Staff(**agent_post))

    act(city.house, give_post)

    def caller_of(text: str):
        found = bearer.read(
            city.house, f"Bearer {text}", scope=claims_of(text)["scope"].split()[0], now=datetime.now(UTC)
        )
        return act(city.house, lambda call: bearer.caller(call, found, address="192.0.2.1"))

    officer = caller_of(access_token(city, number=AGENT))
    assert (officer.person, officer.principal) == (city.agent, None)
    assert (officer.posts, officer.counter) == (frozenset({("officer", code)}), "3")
    with pytest.raises(LoginTooWeak):
        officer.may_act_for(code, Post.OFFICER)
    officer = replace(officer, amr=TWO_FACTORS)
    assert officer.may_act_for(code, Post.OFFICER)
    assert not officer.may_act_for(code, Post.CLERK)
    assert not officer.may_act_for("x", Post.OFFICER)
    agent = caller_of(access_token(city, number=AGENT, acting=city.mandate))
    assert (agent.person, agent.principal, agent.holder) == (city.agent, city.company, city.company)
    assert not agent.posts
    assert not agent.departments_as(Post.OFFICER)
    system = caller_of(token(city.app, {"grant_type": "client_credentials"}, basic("counter")).json["access_token"])
    assert (system.person, system.client_name, system.all_departments) == (None, "综合窗口", True)
    assert system.address == "192.0.2.1"


def test_the_resource_is_announced(city: City) -> None:
    metadata = city.app.test_client().get("/.well-known/oauth-authorization-server").json
    assert metadata["protected_resources"] == [resource(city.house.settings)]
    assert metadata["issuer"] == ISSUER
    assert claims_of(access_token(city))["exp"] - now() <= 600


@pytest.fixture
def narrowed(city: City) -> Iterator[Callable[..., None]]:
    """Take the scope of one app down to less; it is as it was afterwards."""

    def put(scope: str) -> None:
        def change(call: Call) -> None:
            call.session.execute(update(Client).where(Client.client_id == "other").values(scope=scope))
            clients.forget(call.house, "other")

        act(city.house, change)

    before = act(city.house, lambda call: call.session.get_one(Client, "other").scope)
    yield lambda scope="openid offline_access": put(scope)
    put(before)


def test_what_an_app_may_ask_for_no_more_its_tokens_do_no_more(city: City, narrowed: Callable[..., None]) -> None:
    flow = Flow("other", f"{SCOPE} offline_access")
    got = redeem(city.app, flow, city.browser().code(flow)).json
    assert accesses(city, header(got["access_token"])).status_code == 200
    narrowed()
    assert accesses(city, header(got["access_token"])).status_code == 401
    again = refresh(city, got["refresh_token"], "other").json
    assert again["scope"].split() == ["offline_access", "openid"]
    assert userinfo_status(city, again["access_token"]) == 200
    assert accesses(city, header(again["access_token"])).status_code == 403


def test_a_code_from_before_gives_what_the_app_may_still_ask_for(city: City, narrowed: Callable[..., None]) -> None:
    flow = Flow("other", f"{SCOPE} offline_access")
    code = city.browser().code(flow)
    narrowed()
    got = redeem(city.app, flow, code).json
    assert got["scope"].split() == ["openid", "offline_access"]
    assert userinfo_status(city, got["access_token"]) == 200


def test_an_app_that_may_not_outlast_its_sessions_any_more_does_not(city: City, narrowed: Callable[..., None]) -> None:
    flow = Flow("other", "openid offline_access")
    got = redeem(city.app, flow, city.browser().code(flow)).json
    code = city.browser().code(flow)
    narrowed("openid")
    assert refresh(city, got["refresh_token"], "other").json["error"] == "invalid_scope"
    assert "refresh_token" not in redeem(city.app, flow, code).json
