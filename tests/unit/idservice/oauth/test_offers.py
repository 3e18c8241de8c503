"""Offers to wallets: taken once, in time, with the second code; and only by whom they were made for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import pytest
from sqlalchemy import select

from idservice.call import Call
from idservice.errors import Problem
from idservice.models import AuditEntry
from idservice.oauth import offers
from idservice.oauth.families import Login
from idservice.oauth.granted import Granted
from idservice.oauth.models import Offer
from tests.builders import act, build_house, migrate
from tests.databases import Databases

T = TypeVar("T")
NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)
PERSON = "p" * 32
LOGIN = Login(b"\1" * 32, NOW - timedelta(minutes=1), ["pwd", "otp"], 2, ("new_device",))
WHAT = Granted(details=({"type": "mandate", "principal": "x"},))

Run = Callable[..., T]


@pytest.fixture(scope="module")
def run(databases: Databases, tmp_path_factory: pytest.TempPathFactory):  # type: ignore[no-untyped-def]
    url = databases.fresh(migrate)
    house = build_house(tmp_path_factory.mktemp("offers"), url)
    yield lambda deed, at=NOW: act(house, deed, now=at)
    house.database.engine.dispose()
    databases.drop(url)


def allow(call: Call) -> offers.Allowed:
    return offers.allow(call, PERSON, WHAT, LOGIN)


def test_what_was_allowed_is_taken_once(run: Run) -> None:
    made = run(allow)
    taken = run(lambda call: offers.take(call, made.code, made.second))
    assert (taken.subject, taken.granted, taken.login) == (PERSON, WHAT, LOGIN)
    assert run(lambda call: offers.take(call, made.code, made.second)) is None


def test_the_second_code_is_digits_and_none_is_like_another(run: Run) -> None:
    made = [run(allow) for _ in range(20)]
    assert all(len(one.second) == offers.DIGITS and one.second.isdecimal() for one in made)
    assert len({one.second for one in made}) > 15
    assert run(lambda call: offers.take(call, made[0].code, made[1].second)) is None  # it belongs to its own code


def test_its_time_ends(run: Run) -> None:
    made = run(allow)
    late = NOW + offers.LIFE
    assert run(lambda call: offers.take(call, made.code, made.second), late) is None


def test_wrong_second_codes_count_and_end_it(run: Run) -> None:
    made = run(allow)
    for _ in range(offers.MAX_TRIES):
        assert run(lambda call: offers.take(call, made.code, "x")) is None
    assert run(lambda call: offers.take(call, made.code, made.second)) is None
    deeds = run(lambda call: list(call.session.scalars(select(AuditEntry.deed).where(AuditEntry.outcome == "refused"))))
    assert deeds.count("idservice:offer:guess") >= offers.MAX_TRIES


def test_one_wrong_second_code_is_forgiven(run: Run) -> None:
    made = run(allow)
    assert run(lambda call: offers.take(call, made.code, "000000" if made.second != "000000" else "1")) is None
    assert run(lambda call: offers.take(call, made.code, made.second)) is not None


@pytest.mark.parametrize("code", ["", "x", "A" * 43, "A" * 10_000, "é"])
def test_what_is_no_code_takes_nothing(run: Run, code: str) -> None:
    assert run(lambda call: offers.take(call, code, "123456")) is None


def test_no_code_is_stored(run: Run) -> None:
    made = run(allow)
    rows = run(lambda call: [dict(vars(row)) for row in call.session.scalars(select(Offer))])
    assert made.code not in str(rows)
    assert made.second.encode() not in {row["second_hash"] for row in rows}


def test_a_state_is_for_one_person_and_once(run: Run) -> None:
    state = run(lambda call: offers.invite(call, PERSON))
    assert run(lambda call: offers.invited(call, state)) == PERSON
    assert run(lambda call: offers.invited(call, state), NOW + offers.LIFE) is None
    assert run(lambda call: offers.take(call, state, "")) is None  # a state is no code
    run(lambda call: offers.accept(call, state))
    assert run(lambda call: offers.invited(call, state)) is None
    with pytest.raises(Problem, match="offer_over"):
        run(lambda call: offers.accept(call, state))


def test_a_code_is_no_state(run: Run) -> None:
    made = run(allow)
    assert run(lambda call: offers.invited(call, made.code)) is None
