from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from authlib.oauth2.rfc6749 import AccessDeniedError, InvalidGrantError
from authlib.oauth2.rfc8628 import AuthorizationPendingError, ExpiredTokenError, SlowDownError
from sqlalchemy import func, select

from idservice import expiry
from idservice.call import Caller, House
from idservice.errors import Problem
from idservice.oauth import clients, pending
from idservice.oauth.deeds import GrantDeed
from idservice.oauth.grant_policy import DEVICE_GRANT
from idservice.oauth.models import PendingRequest
from tests.builders import act, build_house, migrate
from tests.databases import SqliteDatabases

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
LIFE = timedelta(minutes=5)
PERSON = Caller(channel="page", person="p" * 32)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    built = build_house(tmp_path, SqliteDatabases(tmp_path).fresh(migrate))
    act(
        built,
        lambda call: clients.register(
            call, client_id="tv", name="x", unit="x", auth_method="none", grant_types=[DEVICE_GRANT], scope="openid"
        ),
    )
    yield built
    built.database.engine.dispose()


def start(house: House, sent: str = "s", **more: object) -> bytes:
    def add(call):
        return pending.add(
            call, sent, kind=pending.DEVICE, app=clients.find(call, "tv"), scope=["openid"], life=LIFE, **more
        )

    return act(house, add, now=NOW)


def answer(house: House, request_hash: bytes, family_id: str | None, at: datetime = NOW) -> None:
    def deed(call):
        found = pending.find_waiting(replace_now(call), request_hash)
        assert found is not None
        pending.answer(call, found, family_id=family_id)

    def replace_now(call):
        return replace(call, now=NOW)

    act(house, deed, caller=PERSON, now=at)


def claim(house: House, sent: str = "s", at: datetime = NOW) -> pending.Claimed:
    return act(house, lambda call: pending.claim(call, sent, kind=pending.DEVICE, client_id="tv"), now=at)


def test_what_was_sealed_comes_back_and_the_row_shows_nothing(house: House) -> None:
    request_hash = start(house, origin="203.0.113.9", message="说明", notice="{}", choices=["AAAA", "BBBB"])
    found = act(house, lambda call: pending.find_waiting(call, request_hash), now=NOW)
    assert found is not None
    assert (found.origin, found.message, found.notice, found.choices) == ("203.0.113.9", "说明", "{}", ("AAAA", "BBBB"))
    assert "prompt" in repr(found.asked)
    assert found.asked.prompt == {"consent"}
    row = act(house, lambda call: call.session.get(PendingRequest, request_hash))
    assert b"203.0.113.9" not in row.origin_sealed


def test_it_is_redeemed_once_after_a_yes(house: House) -> None:
    request_hash = start(house)
    with pytest.raises(AuthorizationPendingError):
        claim(house)
    answer(house, request_hash, "f" * 32)
    assert claim(house) == pending.Claimed("p" * 32, "f" * 32, ("openid",))
    with pytest.raises(InvalidGrantError):
        claim(house)


def test_after_a_no_it_is_denied_for_good(house: House) -> None:
    answer(house, start(house), None)
    for _ in range(2):
        with pytest.raises(AccessDeniedError):
            claim(house)


@pytest.mark.parametrize("at", [NOW + LIFE, NOW + LIFE + timedelta(days=1)])
def test_it_is_over_when_its_time_is(house: House, at: datetime) -> None:
    request_hash = start(house)
    assert act(house, lambda call: pending.find_waiting(call, request_hash), now=at) is None
    with pytest.raises(Problem, match="answered"):
        answer(house, request_hash, "f" * 32, at)
    answer(house, request_hash, "f" * 32)
    with pytest.raises(ExpiredTokenError):
        claim(house, at=at)


def test_it_is_answered_once(house: House) -> None:
    request_hash = start(house)
    found = act(house, lambda call: pending.find_waiting(call, request_hash), now=NOW)
    answer(house, request_hash, None)
    with pytest.raises(Problem, match="answered"):
        act(house, lambda call: pending.answer(call, found, family_id="f" * 32), caller=PERSON, now=NOW)


def test_an_early_poll_slows_the_next_ones_down(house: House) -> None:
    start(house)
    act(house, lambda call: pending.note_poll(call, "s", too_early=False), now=NOW)
    with pytest.raises(SlowDownError):
        claim(house, at=NOW + timedelta(seconds=3))
    with pytest.raises(AuthorizationPendingError):
        claim(house, at=NOW + timedelta(seconds=5))
    act(house, lambda call: pending.note_poll(call, "s", too_early=True), now=NOW)
    with pytest.raises(SlowDownError):
        claim(house, at=NOW + timedelta(seconds=8))


def test_other_kinds_and_clients_see_nothing(house: House) -> None:
    answer(house, start(house), "f" * 32)
    for kind, client_id in ((pending.CIBA, "tv"), (pending.DEVICE, "other")):
        with pytest.raises(InvalidGrantError):
            act(house, lambda call, k=kind, c=client_id: pending.claim(call, "s", kind=k, client_id=c), now=NOW)


def test_requests_that_are_long_over_are_swept(house: House) -> None:
    start(house)
    count = select(func.count()).select_from(PendingRequest)
    expiry.sweep(house, NOW + timedelta(hours=23))
    assert act(house, lambda call: call.session.scalar(count)) == 1
    expiry.sweep(house, NOW + timedelta(hours=25))
    assert act(house, lambda call: call.session.scalar(count)) == 0


def test_deeds_are_named_room_thing_deed() -> None:
    assert all(len(str(deed).split(":")) == 3 and str(deed).startswith("idservice:") for deed in GrantDeed)
