"""From application to seal: two persons, one number, one life."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from idservice.call import Call, Caller, House
from idservice.errors import Problem
from idservice.models import AuditEntry, Department
from seals.approval import apply, may_decide
from seals.change import change
from seals.decoding import read_seal
from seals.lifecycle import Change, State
from seals.models import Seal, SealApplication
from seals.picture_kinds import Design, Kind
from seals.register import find, find_application, listed, shown
from seals.uses import history
from tests.builders import SYSTEM, act
from tests.unit.seals.conftest import DEPARTMENT, NAME, OTHER
from tests.unit.seals.officers import NUMBERS, Officers, enrol_officers

NOW = datetime(2026, 6, 1, 8, 30, 15, tzinfo=UTC)
DESIGN = Design(Kind.SPECIAL, special="证照专用章")
PROGRAM = Caller(channel="api", client_id="app", departments=frozenset({DEPARTMENT}))


@pytest.fixture(scope="module")
def officers(house: House) -> Officers:
    return enrol_officers(house)


def applied(house: House, caller: Caller, **facts: Any) -> str:
    wanted = {"department": DEPARTMENT, "design": DESIGN, "reason": "启用新业务"} | facts
    return act(house, lambda call: apply(call, **wanted).seal_id, caller=caller, now=NOW)


def changed(house: House, caller: Caller, seal_id: str, deed: Change, *, now: datetime = NOW) -> dict[str, Any]:
    return act(house, lambda call: change(call, seal_id, deed, reason="演示"), caller=caller, now=now)


def refused(deed: Callable[[], object]) -> str:
    with pytest.raises(Problem) as caught:
        deed()
    return caught.value.code


def test_an_application_becomes_a_seal_through_two_persons(house: House, officers: Officers) -> None:
    seal_id = applied(house, officers.first, purposes=["许可"], custodian=NUMBERS[1])
    row = act(house, lambda call: shown(call, find_application(call, seal_id)), caller=officers.second)  # type: ignore[arg-type]
    assert (row["state"], row["name"], row["kind"]) == (State.APPLIED, NAME + "证照专用章", Kind.SPECIAL)
    later = [NOW + timedelta(hours=hours) for hours in (1, 2)]
    assert changed(house, officers.second, seal_id, Change.APPROVE, now=later[0])["state"] is State.APPROVED
    assert changed(house, officers.first, seal_id, Change.MAKE, now=later[1])["state"] is State.IN_FORCE
    seal = act(house, lambda call: find(call, seal_id), caller=officers.first)
    assert (seal.seal_id, seal.name, seal.kind) == (seal_id, NAME + "证照专用章", "special")
    assert (seal.custodian, seal.purposes) == (officers.second.person, ["许可"])
    assert read_seal(seal.seal_der).info.seal_id == seal_id
    lines = act(house, lambda call: history(call, seal_id), caller=officers.first)
    assert [(line["change"], line["state"], line["who"]) for line in lines] == [
        ("apply", "applied", "王**"),
        ("approve", "approved", "李**"),
        ("make", "in_force", "王**"),
    ]
    assert lines[0]["reason"] == "启用新业务"


@pytest.mark.parametrize("deed", [Change.APPROVE, Change.REFUSE])
def test_the_applicant_does_not_decide(house: House, officers: Officers, deed: Change) -> None:
    seal_id = applied(house, officers.first)
    assert refused(lambda: changed(house, officers.first, seal_id, deed)) == "second_person_needed"
    assert refused(lambda: changed(house, officers.other, seal_id, deed)) == "forbidden"
    assert refused(lambda: changed(house, PROGRAM, seal_id, deed)) == "second_person_needed"  # not a person
    assert changed(house, officers.second, seal_id, deed)["state"] in {State.APPROVED, State.REFUSED}


def test_a_program_applies_and_a_person_or_the_operator_approves(house: House, officers: Officers) -> None:
    for decider in (officers.first, SYSTEM):
        seal_id = applied(house, PROGRAM)
        assert changed(house, decider, seal_id, Change.APPROVE)["state"] is State.APPROVED


def test_who_may_decide(house: House, officers: Officers) -> None:
    seal_id = applied(house, officers.first)
    found = act(house, lambda call: call.session.get_one(SealApplication, seal_id))
    answers = [
        act(house, lambda call: may_decide(call, found), caller=caller)
        for caller in (officers.first, officers.second, PROGRAM, SYSTEM)
    ]
    assert answers == [False, True, False, True]


def test_nothing_is_made_without_approval_or_twice(house: House, officers: Officers) -> None:
    seal_id = applied(house, officers.first)
    before = len(house.keys.list())
    assert refused(lambda: changed(house, officers.second, seal_id, Change.MAKE)) == "seal_change_not_allowed"
    assert refused(lambda: changed(house, officers.second, seal_id, Change.SUSPEND)) == "seal_change_not_allowed"
    assert len(house.keys.list()) == before
    changed(house, officers.second, seal_id, Change.APPROVE)
    assert refused(lambda: changed(house, officers.second, seal_id, Change.APPROVE)) == "seal_change_not_allowed"
    changed(house, officers.first, seal_id, Change.MAKE)
    assert refused(lambda: changed(house, officers.first, seal_id, Change.MAKE)) == "seal_change_not_allowed"


def test_what_was_refused_stays_refused(house: House, officers: Officers) -> None:
    seal_id = applied(house, officers.first)
    changed(house, officers.second, seal_id, Change.REFUSE)
    for deed in Change:
        assert refused(lambda deed=deed: changed(house, officers.second, seal_id, deed)) == "seal_change_not_allowed"  # type: ignore[misc]


def test_two_decisions_at_once_are_one(house: House, officers: Officers) -> None:
    seal_id = applied(house, officers.first)

    def meet(call: Call) -> None:
        found = call.session.get_one(SealApplication, seal_id)  # as read before the other decision
        other = update(SealApplication).where(SealApplication.seal_id == seal_id).values(state=State.REFUSED)
        call.session.execute(other, execution_options={"synchronize_session": False})
        assert found.state == State.APPLIED
        change(call, seal_id, Change.APPROVE, reason="演示")

    assert refused(lambda: act(house, meet, caller=officers.second)) == "conflict"


def test_a_new_name_of_the_unit_ends_the_application(house: House, officers: Officers) -> None:
    seal_id = applied(house, officers.other, department=OTHER)

    def rename(name: str) -> None:
        act(
            house,
            lambda call: call.session.execute(
                update(Department).where(Department.credit_code == OTHER).values(name=name)
            ),
        )

    rename("示范市新名部门")
    operator = SYSTEM
    assert refused(lambda: changed(house, operator, seal_id, Change.APPROVE)) == "seal_name_changed"
    assert changed(house, operator, seal_id, Change.REFUSE)["state"] is State.REFUSED
    rename("示范市其他部门")


def test_a_begin_that_has_passed_is_moved_to_the_making(house: House, officers: Officers) -> None:
    seal_id = applied(house, officers.first, valid_from=NOW + timedelta(days=1))
    changed(house, officers.second, seal_id, Change.APPROVE)
    later = NOW + timedelta(days=3)
    changed(house, officers.first, seal_id, Change.MAKE, now=later)
    assert act(house, lambda call: find(call, seal_id).valid_from) == later


@pytest.mark.parametrize(
    ("facts", "pointer"),
    [
        ({"design": Design(Kind.SPECIAL, special="公安局")}, "/special"),
        ({"design": Design(Kind.SPECIAL)}, "/special"),
        ({"design": Design(Kind.CONTRACT, special="合同专用章")}, "/special"),
        ({"design": Design(Kind.OFFICIAL, number=2)}, "/number"),
        ({"design": Design(Kind.INVOICE)}, "/code"),
        ({"valid_from": NOW - timedelta(days=1)}, "/valid_from"),
        ({"valid_until": NOW}, "/valid_until"),
        ({"custodian": "x"}, "/custodian"),
        ({"custodian": NUMBERS[2]}, "/custodian"),  # of another department
        ({"users": (NUMBERS[0], "11010519491231002X")}, "/users/1"),  # nobody we know
    ],
)
def test_what_cannot_be_made_is_not_applied_for(
    house: House, officers: Officers, facts: dict[str, Any], pointer: str
) -> None:
    with pytest.raises(Problem) as caught:
        applied(house, officers.first, **facts)
    assert caught.value.code == "invalid"
    assert [error.pointer for error in caught.value.errors] == [pointer]


@pytest.mark.parametrize("kind", [Kind.OFFICIAL, Kind.CONTRACT, Kind.FINANCE, Kind.INVOICE])
def test_every_kind_is_made(house: House, officers: Officers, kind: Kind) -> None:
    design = Design(kind, code=DEPARTMENT, number=None if kind is Kind.OFFICIAL else 3)
    seal_id = applied(house, officers.first, design=design)
    changed(house, officers.second, seal_id, Change.APPROVE)
    changed(house, officers.first, seal_id, Change.MAKE)
    picture = read_seal(act(house, lambda call: find(call, seal_id)).seal_der).info.picture
    assert (picture.width, picture.height) == ((40, 30) if kind is Kind.INVOICE else (42, 42))


def test_applications_are_listed_apart(house: House, officers: Officers) -> None:
    seal_id = applied(house, officers.first)

    def numbers(caller: Caller, state: str | None) -> list[str]:
        return [
            row["id"] for row in act(house, lambda call: listed(call, limit=200, state=state), caller=caller)["items"]
        ]

    assert seal_id in numbers(officers.second, "applied")
    assert seal_id not in numbers(officers.second, None)
    assert seal_id not in numbers(officers.other, "applied")


def test_the_audit_log_names_nobody(house: House, officers: Officers) -> None:
    seal_id = applied(house, officers.first, custodian=NUMBERS[0], users=(NUMBERS[1],))
    entries = act(
        house, lambda call: call.session.scalars(select(AuditEntry).where(AuditEntry.deed == "seals:seal:apply")).all()
    )
    facts = [json.loads(entry.facts) for entry in entries]
    assert {"seal": seal_id, "department": DEPARTMENT, "kind": "special"} in facts
    stored = act(house, lambda call: call.session.get_one(SealApplication, seal_id))
    assert not {NUMBERS[0], NUMBERS[1], "王小明"} & {str(value) for value in vars(stored).values()}


def test_a_seal_and_its_application_have_one_number(house: House, officers: Officers) -> None:
    seal_id = applied(house, officers.first)
    changed(house, officers.second, seal_id, Change.APPROVE)
    changed(house, officers.first, seal_id, Change.MAKE)

    def read(call: Call) -> tuple[object, str]:
        return find_application(call, seal_id), call.session.get_one(Seal, seal_id).seal_id

    assert act(house, read) == (None, seal_id)
