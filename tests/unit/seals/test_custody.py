"""Who may use a seal, for what, and until when; what a new name of its department does to it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import true

from idservice.call import Call, Caller, House
from idservice.errors import Problem
from idservice.oauth import clients
from seals import custody
from seals.change import rename, retire_outdated
from seals.custody import permit, users
from seals.lifecycle import State
from seals.models import Seal
from seals.register import find, make
from seals.use import intend, use
from tests.builders import SYSTEM, act
from tests.unit.seals.conftest import DEPARTMENT, NAME, OTHER
from tests.unit.seals.officers import NUMBERS, Officers, enrol_officers

NOW = datetime(2026, 6, 1, 8, 30, 15, tzinfo=UTC)
PROGRAM = Caller(channel="api", client_id="office", departments=frozenset({DEPARTMENT}))


@pytest.fixture(scope="module")
def officers(house: House) -> Officers:
    def register(call: Call) -> None:
        for client_id, unit in (("office", DEPARTMENT), ("elsewhere", OTHER)):
            clients.register(
                call, client_id=client_id, name="办公系统", unit=NAME, auth_method="client_secret_basic",
                secret="s" * 32,
                grant_types=["client_credentials"], scope="seals.use", departments=[unit],
            )  # fmt: skip

    act(house, register)
    return enrol_officers(house)


@pytest.fixture
def seal_id(house: House) -> str:
    return act(house, lambda call: make(call, department=DEPARTMENT), now=NOW)


def announce(house: House, seal_id: str, caller: Caller, *, purpose: str = "函件", now: datetime = NOW) -> str:
    return act(
        house, lambda call: intend(call, seal_id=seal_id, document=b"x", purpose=purpose), caller=caller, now=now
    )


def name(
    house: House, seal_id: str, caller: Caller, who: str, *, until: datetime | None = None, now: datetime = NOW
) -> dict[str, object]:
    return act(house, lambda call: permit(call, find(call, seal_id), who, until=until), caller=caller, now=now)


def refused(deed: Callable[[], object]) -> str:
    with pytest.raises(Problem) as caught:
        deed()
    return caught.value.code


def test_a_seal_that_names_nobody_is_its_officers(house: House, officers: Officers, seal_id: str) -> None:
    for caller in (officers.first, officers.second, PROGRAM):
        assert announce(house, seal_id, caller)
    assert refused(lambda: announce(house, seal_id, officers.other)) == "forbidden"


def test_who_is_named_and_nobody_else(house: House, officers: Officers, seal_id: str) -> None:
    assert name(house, seal_id, officers.first, NUMBERS[1])["who"] == "李**"
    assert announce(house, seal_id, officers.second)
    for caller in (officers.first, PROGRAM, SYSTEM):
        assert refused(lambda caller=caller: announce(house, seal_id, caller)) == "seal_use_not_permitted"  # type: ignore[misc]
    assert name(house, seal_id, officers.first, "office", now=NOW + timedelta(hours=1))["who"] == "办公系统"
    assert announce(house, seal_id, PROGRAM)
    assert act(house, lambda call: users(call, seal_id)) == [
        {"who": "李**", "until": None},
        {"who": "办公系统", "until": None},
    ]


def test_a_use_that_was_announced_in_time_is_not_made_too_late(house: House, officers: Officers, seal_id: str) -> None:
    until = NOW + timedelta(hours=1)
    name(house, seal_id, officers.first, NUMBERS[1], until=until)
    use_id = announce(house, seal_id, officers.second, now=until)
    later = until + timedelta(seconds=1)
    assert refused(lambda: announce(house, seal_id, officers.second, now=later)) == "seal_use_not_permitted"

    def seal(call: Call) -> object:
        return use(call, seal_id=seal_id, use_id=use_id, document=b"x", purpose="函件")

    assert refused(lambda: act(house, seal, caller=officers.second, now=later)) == "seal_use_not_permitted"
    name(house, seal_id, officers.first, NUMBERS[1])  # named again, without an end
    assert act(house, seal, caller=officers.second, now=later)


def test_an_end_takes_the_right_away_and_opens_the_seal_to_nobody(
    house: House, officers: Officers, seal_id: str
) -> None:
    name(house, seal_id, officers.first, NUMBERS[1], until=NOW - timedelta(seconds=1))
    for caller in (officers.first, officers.second):
        assert refused(lambda caller=caller: announce(house, seal_id, caller)) == "seal_use_not_permitted"  # type: ignore[misc]


@pytest.mark.parametrize("who", ["x", NUMBERS[2], "11010519491231002X", "elsewhere", "", "\ud800"])
def test_only_people_and_programs_of_the_department_are_named(
    house: House, officers: Officers, seal_id: str, who: str
) -> None:
    assert refused(lambda: name(house, seal_id, officers.first, who)) == "invalid"
    assert announce(house, seal_id, officers.first)


def test_a_keeper_alone_names(house: House, officers: Officers, seal_id: str) -> None:
    def entrust(call: Call) -> None:
        call.session.get_one(Seal, seal_id).custodian = officers.second.person

    act(house, entrust)
    for caller in (officers.first, PROGRAM):
        assert refused(lambda caller=caller: name(house, seal_id, caller, NUMBERS[0])) == "seal_use_not_permitted"  # type: ignore[misc]
    assert name(house, seal_id, officers.second, NUMBERS[0])
    assert name(house, seal_id, SYSTEM, NUMBERS[1])


def test_a_seal_is_used_for_what_it_is_for(house: House, officers: Officers, seal_id: str) -> None:
    def restrict(call: Call) -> None:
        call.session.get_one(Seal, seal_id).purposes = ["函件", "合同"]

    act(house, restrict)
    assert announce(house, seal_id, officers.first, purpose="合同")
    assert refused(lambda: announce(house, seal_id, officers.first, purpose="担保")) == "seal_purpose_not_permitted"


def test_a_new_name_retires_the_seals_that_bear_the_old_one(house: House, officers: Officers, seal_id: str) -> None:
    other = act(house, lambda call: make(call, department=OTHER), now=NOW)
    retired = act(house, lambda call: rename(call, OTHER, "示范市其他部门一科"), now=NOW)
    assert retired == [other]
    assert act(house, lambda call: find(call, other).state) == State.RETIRED
    assert act(house, lambda call: find(call, seal_id).state) == State.IN_FORCE
    assert not [key for key in house.keys.list() if key.name == other and key.state == "active"]
    assert act(house, lambda call: retire_outdated(call, true())) == []
    new = act(house, lambda call: make(call, department=OTHER), now=NOW)
    act(house, lambda call: rename(call, OTHER, "示范市其他部门"), now=NOW)  # shorter: the old name begins with it
    assert act(house, lambda call: find(call, new).state) == State.RETIRED


def test_a_seal_with_a_former_name_is_not_used_before_it_is_retired(
    house: House, officers: Officers, seal_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(custody, "bears_name", lambda _call, _seal: False)
    assert refused(lambda: announce(house, seal_id, officers.first)) == "seal_name_changed"


def test_only_the_operator_renames(house: House, officers: Officers) -> None:
    assert refused(lambda: act(house, lambda call: rename(call, OTHER, "新名"), caller=officers.other)) == "forbidden"
    assert refused(lambda: act(house, lambda call: rename(call, "x" * 18, "新名"))) == "invalid"
