from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import delete, func, select

from idservice.call import Caller, House
from idservice.login import attempt, stand_in
from idservice.login.attempt import Visitor
from idservice.login.password import NOBODY, set_password
from idservice.models import AuditEntry, Password
from idservice.register import people
from tests.builders import act, build_house, migrate
from tests.databases import Databases
from tests.identity import ALICE, PASSWORD, STRANGER

VISITOR = Visitor("127.0.0.1", "test", None, None)


@pytest.fixture
def house(databases: Databases, tmp_path: Path) -> Iterator[House]:
    url = databases.fresh(migrate)
    built = build_house(tmp_path, url)
    yield built
    built.database.engine.dispose()
    databases.drop(url)


def count(house: House) -> int:
    return act(house, lambda call: call.session.scalar(select(func.count()).select_from(Password))) or 0


def failures(house: House, subject: str) -> int:
    return act(house, lambda call: call.session.get_one(Password, subject)).failures


def test_a_number_has_one_stand_in_and_numbers_spread_over_all(house: House) -> None:
    def chosen(call) -> list[str]:
        return [stand_in.of(call, f"{number:018}") for number in range(4000)]

    first = act(house, chosen)
    one, other = act(house, lambda call: stand_in.pair(call, ALICE))
    assert (one, one != other) == (act(house, lambda call: stand_in.of(call, ALICE)), True)
    assert act(house, chosen) == first
    assert len(set(first)) == stand_in.MANY
    assert {len(subject) for subject in first} == {32}
    assert not any(set(subject) <= set("0123456789abcdef") for subject in first), "no person's subject"


def test_all_stand_ins_are_made_once_whoever_comes_first(house: House) -> None:
    with ThreadPoolExecutor(8) as visitors:
        list(visitors.map(lambda _: stand_in.make_ready(house), range(8)))
    assert count(house) == stand_in.MANY
    act(house, lambda call: call.session.execute(delete(Password)) and None)
    stand_in.make_ready(house)
    assert count(house) == 0, "once in a process"


def test_nobody_logs_in_as_a_stand_in(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even with the password that nobody knows."""
    monkeypatch.setattr("idservice.login.password._verify", lambda known, _given: known == NOBODY)
    assert attempt.log_in(house, STRANGER, "x", VISITOR) is None
    refused = act(house, lambda call: call.session.scalars(select(AuditEntry.outcome)).all())
    assert list(refused) == ["refused"]
    assert failures(house, act(house, lambda call: stand_in.of(call, STRANGER))) == 1


def test_somebody_without_a_password_is_stood_in_for_under_his_own_name(house: House) -> None:
    alice = act(house, lambda call: people.enrol(call, number=ALICE, name="王小明"), caller=Caller(channel="cli"))
    assert attempt.log_in(house, ALICE, PASSWORD, VISITOR) is None
    assert failures(house, act(house, lambda call: stand_in.of(call, ALICE))) == 1
    facts = act(house, lambda call: call.session.scalars(select(AuditEntry.facts).order_by(AuditEntry.entry_id)).all())
    assert alice in facts[-1]
    act(house, lambda call: set_password(call, alice, PASSWORD))
    assert attempt.log_in(house, ALICE, PASSWORD, VISITOR) is not None
