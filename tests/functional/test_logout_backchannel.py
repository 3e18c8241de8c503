"""Back-channel logout: every app that took part is told, by a token it can verify, until it has taken it."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from unittest.mock import Mock
from urllib.parse import parse_qs

import jwt
import pytest
from sqlalchemy import delete, select

from idservice import background
from idservice.call import Call
from idservice.events import courier, outbox
from idservice.events.models import Notice
from idservice.models import AuditEntry
from idservice.oauth import clients, signing_out
from tests.builders import act
from tests.identity import (
    AFTER_LOGOUT,
    AGENT,
    CALLBACK,
    HOLDER_SCOPE,
    ISSUER,
    SECRET,
    City,
    Flow,
    basic,
    claims_of,
    redeem,
    token,
)
from tests.receiver import Receiver, receiving


@pytest.fixture
def receiver(city: City) -> Iterator[Receiver]:
    with receiving() as found:
        for client_id in ("told", "told-too"):
            register(city, client_id, {"backchannel_logout_uri": f"{found.origin}/{client_id}"})
        yield found
    act(city.house, lambda call: call.session.execute(delete(Notice)) and None)


def register(city: City, client_id: str, logout: dict[str, object]) -> None:
    from idservice.models import Client

    values = {
        "name": client_id, "unit": "滨州市示范单位", "grant_types": ["authorization_code", "refresh_token"],
        "scope": HOLDER_SCOPE, "redirect_uris": [CALLBACK], "post_logout_redirect_uris": [AFTER_LOGOUT],
        "auth_method": "client_secret_basic", "secret": SECRET, "logout": logout,
    }  # fmt: skip

    def enter(call) -> None:
        if (row := call.session.get(Client, client_id)) is None:
            clients.register(call, client_id=client_id, **values)
        else:
            row.logout = logout

    act(city.house, enter)
    clients._caches.clear()


def log_in_to(city: City, browser, *client_ids: str) -> list[dict[str, str]]:
    got = []
    for client_id in client_ids:
        flow = Flow(client_id)
        form = {"grant_type": "authorization_code", "code": browser.code(flow), "redirect_uri": CALLBACK}
        got.append(token(city.app, {**form, "code_verifier": flow.verifier}, basic(client_id)).json)
    return got


def waiting(city: City) -> list[Notice]:
    return act(city.house, lambda call: list(call.session.scalars(select(Notice).order_by(Notice.notice_id))))


def outcomes(city: City) -> list[str]:
    query = select(AuditEntry.outcome).where(AuditEntry.deed == "idservice:notice:send")
    return act(city.house, lambda call: list(call.session.scalars(query)))


def token_in(body: bytes) -> str:
    form = parse_qs(body.decode(), strict_parsing=True)
    assert list(form) == ["logout_token"]
    return form["logout_token"][0]


def verified(city: City, text: str, audience: str) -> dict[str, object]:
    """What a stranger's library makes of a logout token, with our published keys."""
    keys = jwt.PyJWKSet.from_dict(city.app.test_client().get("/.well-known/jwks.json").json)
    header = jwt.get_unverified_header(text)
    assert header["typ"] == "logout+jwt"
    required = {"require": ["iss", "aud", "iat", "exp", "jti"]}
    return jwt.decode(
        text, keys[header["kid"]].key, algorithms=["ES256"], audience=audience, issuer=ISSUER, options=required
    )


def test_oidcc_backchannel_rp_initiated_logout(city: City, receiver: Receiver) -> None:
    browser, before = city.browser(), outcomes(city)
    first, second, _silent = log_in_to(city, browser, "told", "told-too", "basic")
    browser.submit(browser.open(f"/oauth/end_session?id_token_hint={first['id_token']}"), decision="logout")
    assert receiver.requests == [], "nothing is sent inside the request"
    assert courier.deliver(city.house, datetime.now(UTC)) == 2
    for client_id, got in (("told", first), ("told-too", second)):
        (request,) = receiver.at(f"/{client_id}")
        claims = verified(city, token_in(request.body), client_id)
        known = claims_of(got["id_token"])
        assert (claims["sub"], claims["sid"]) == (known["sub"], known["sid"])
        assert claims["events"] == {"http://schemas.openid.net/event/backchannel-logout": {}}
        assert claims["exp"] - claims["iat"] <= 120
        assert "nonce" not in claims
    assert waiting(city) == []
    assert sorted(outcomes(city)) == sorted([*before, "done", "done"])


def test_an_app_is_told_of_everybody_whom_its_logins_were_about(city: City, receiver: Receiver) -> None:
    """`sub` is that of the ID token: the company for its agent, the person where he was there for himself."""
    browser, known = city.browser(), []
    for acting in (city.mandate, "self"):
        flow = Flow("told")
        code = browser.code(flow, number=AGENT, acting=acting, prompt="consent")
        known.append(claims_of(redeem(city.app, flow, code).json["id_token"]))
    browser.submit(browser.open("/logout"))
    assert courier.deliver(city.house, datetime.now(UTC)) == 2
    told = [verified(city, token_in(request.body), "told") for request in receiver.at("/told")]
    assert {claims["sub"] for claims in told} == {claims["sub"] for claims in known}
    assert len({claims["sub"] for claims in known}) == len({claims["jti"] for claims in told}) == 2
    assert {claims["sid"] for claims in told} == {claims["sid"] for claims in known}


def test_who_did_not_take_part_hears_nothing(city: City, receiver: Receiver) -> None:
    browser, other = city.browser(), city.browser()
    log_in_to(city, browser, "told")
    log_in_to(city, other, "told-too")
    browser.submit(browser.open("/logout"))
    assert [notice.target for notice in waiting(city)] == ["told"]
    browser.submit(browser.open("/logout"))
    assert len(waiting(city)) == 1, "a second logout ends nothing"


def test_a_failing_app_is_tried_again_later_and_later_with_a_fresh_token_of_the_same_jti(
    city: City, receiver: Receiver
) -> None:
    browser = city.browser()
    log_in_to(city, browser, "told")
    browser.submit(browser.open("/logout"))
    receiver.status = 503
    now, waits = datetime.now(UTC) + timedelta(seconds=1), []
    for _ in range(4):
        assert courier.deliver(city.house, now) == 0
        (left,) = waiting(city)
        assert courier.deliver(city.house, left.due_at - timedelta(seconds=1)) == 0, "not before its time"
        waits.append((left.due_at - now).total_seconds())
        now = left.due_at
    assert waits == [5, 10, 20, 40]
    receiver.status = 204
    assert courier.deliver(city.house, now) == 1
    tokens = [claims_of(token_in(request.body)) for request in receiver.at("/told")]
    assert len(tokens) == 5
    assert len({claims["jti"] for claims in tokens}) == 1
    assert tokens[-1]["iat"] > tokens[0]["iat"]


def test_an_app_that_refuses_the_token_is_not_asked_again(city: City, receiver: Receiver) -> None:
    browser = city.browser()
    log_in_to(city, browser, "told")
    browser.submit(browser.open("/logout"))
    refused, receiver.status = outcomes(city).count("refused"), 400
    courier.deliver(city.house, datetime.now(UTC))
    assert waiting(city) == []
    assert outcomes(city).count("refused") == refused + 1


def test_an_app_that_is_gone_is_given_up_in_the_end(city: City, receiver: Receiver) -> None:
    browser = city.browser()
    log_in_to(city, browser, "told")
    browser.submit(browser.open("/logout"))
    receiver.status = 500
    courier.deliver(city.house, waiting(city)[0].expires_at - timedelta(seconds=1))
    assert waiting(city) == []


def test_several_couriers_send_a_notice_once(city: City, receiver: Receiver) -> None:
    for _ in range(3):
        browser = city.browser()
        log_in_to(city, browser, "told", "told-too")
        browser.submit(browser.open("/logout"))
    now = datetime.now(UTC)
    threads = [threading.Thread(target=courier.deliver, args=(city.house, now)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(receiver.requests) == 6
    assert waiting(city) == []


def test_of_parallel_logouts_of_one_session_one_tells_the_apps(city: City, receiver: Receiver) -> None:
    browser = city.browser()
    log_in_to(city, browser, "told")
    (row,) = act(city.house, lambda call: [
        row for row in signing_out.of_person(call, city.alice) if signing_out.apps_of(call, row)
        and signing_out.apps_of(call, row)[0].client_id == "told"
    ])  # fmt: skip
    ready = threading.Barrier(8)

    def end() -> None:
        ready.wait()
        act(city.house, lambda call: signing_out.end(call, row) and None)

    threads = [threading.Thread(target=end) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [notice.target for notice in waiting(city)] == ["told"]


def test_a_private_address_is_not_asked(city: City, receiver: Receiver) -> None:
    register(city, "inside", {"backchannel_logout_uri": "https://10.0.0.1/logout"})
    browser = city.browser()
    log_in_to(city, browser, "inside")
    browser.submit(browser.open("/logout"))
    assert courier.deliver(city.house, datetime.now(UTC)) == 0
    assert waiting(city)[0].attempts == 1


def test_a_notice_that_cannot_be_sent_holds_up_no_other(
    city: City, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = city.browser()
    log_in_to(city, browser, "told")
    browser.submit(browser.open("/logout"))
    (good,) = waiting(city)
    lead = timedelta(seconds=1)

    def leave(call: Call) -> None:
        outbox.put(call, "forgotten", "told", {}, keep=timedelta(hours=1))

    act(city.house, leave, now=good.due_at - lead)  # ahead of the other
    log = Mock()
    monkeypatch.setattr(background, "log", log)
    assert courier.deliver(city.house, datetime.now(UTC)) == 1
    (left,) = waiting(city)
    assert (left.kind, left.attempts) == ("forgotten", 1), "put off, and tried again"
    assert left.due_at > datetime.now(UTC)
    assert log.error.call_args.kwargs["what"] == left.kind


def test_a_courier_runs_beside_the_requests(city: City, receiver: Receiver) -> None:
    browser = city.browser()
    log_in_to(city, browser, "told")
    arrived = threading.Event()
    receiver_requests = receiver.requests

    class Telling(list):
        def append(self, request) -> None:
            super().append(request)
            arrived.set()

    receiver.requests = Telling(receiver_requests)
    stop = threading.Event()
    thread = threading.Thread(target=courier.run_forever, args=(city.house, stop, 0.02))
    thread.start()
    browser.submit(browser.open("/logout"))
    try:
        assert arrived.wait(60)
    finally:
        stop.set()
        thread.join()
    assert waiting(city) == []
