"""Three administrators apart: the database itself lets no account hold two roles."""

import threading
import time

import pytest
from sqlalchemy import insert, update
from sqlalchemy.exc import IntegrityError

from idservice.admin import approvals, person_acts, roles
from idservice.admin.acts import RiskyAct
from idservice.admin.approvals import Asked
from idservice.admin.models import Administrator
from idservice.admin.roles import Role
from idservice.call import Call
from idservice.models import Person
from tests.unit.idservice.admin.conftest import NOW, Desk


@pytest.mark.parametrize("role", Role)
def test_no_account_holds_two_roles(desk: Desk, role: Role) -> None:
    for who in ("system", "security", "audit"):
        assert desk.refusal(lambda call, s=desk.subject[who]: roles.give(call, s, role)) == "role_taken"


def test_a_second_role_written_past_every_check_is_refused_by_the_database(desk: Desk) -> None:
    row = {"subject": desk.subject["system"], "role": "audit", "given_at": NOW}
    with pytest.raises(IntegrityError):
        desk.do(lambda call: call.session.execute(insert(Administrator), row))


def test_of_two_roles_given_at_once_one_holds(desk: Desk) -> None:
    start, outcomes = threading.Barrier(len(Role)), []

    def run(role: Role) -> None:
        start.wait(timeout=60)
        try:
            desk.do(lambda call: roles.give(call, desk.subject["citizen"], role))
            outcomes.append(role)
        except Exception as error:
            outcomes.append(error)

    threads = [threading.Thread(target=run, args=(role,)) for role in Role]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    (won,) = [outcome for outcome in outcomes if isinstance(outcome, Role)]
    assert desk.do(lambda call: roles.of(call, desk.subject["citizen"])) is won


def test_whoever_lost_his_role_can_get_another(desk: Desk) -> None:
    desk.do(lambda call: roles.take(call, desk.subject["system"]))
    assert desk.refusal(lambda call: roles.take(call, desk.subject["system"])) == "not_found"
    desk.do(lambda call: roles.give(call, desk.subject["system"], Role.AUDIT))
    assert desk.do(lambda call: roles.of(call, desk.subject["system"])) is Role.AUDIT


def taken(desk: Desk, whose: str, who: str = "security") -> Asked:
    facts = {"subject": desk.subject[whose]}
    asked: Asked = desk.do(lambda call: approvals.ask(call, RiskyAct.ROLE_TAKE, facts), who)
    return asked


def decided(desk: Desk, asked: Asked, who: str) -> None:
    desk.do(lambda call: approvals.decide(call, asked.request_id, approve=True), who)


def test_a_role_is_taken_by_two(desk: Desk) -> None:
    asked = taken(desk, "system")
    assert asked.facts["role"] == "system"
    assert desk.do(lambda call: roles.of(call, desk.subject["system"])) is Role.SYSTEM
    decide = approvals.decide
    assert desk.refusal(lambda call: decide(call, asked.request_id, approve=True), "security") == "second_person"
    assert desk.refusal(lambda call: decide(call, asked.request_id, approve=True), "audit") == "forbidden"
    decided(desk, asked, "security2")
    assert desk.do(lambda call: roles.of(call, desk.subject["system"])) is None
    facts = {"subject": desk.subject["security2"]}
    assert desk.refusal(lambda call: approvals.ask(call, RiskyAct.ROLE_TAKE, facts), "system2") == "forbidden"


def test_the_last_account_of_a_role_keeps_it(desk: Desk) -> None:
    audit = {"subject": desk.subject["audit"]}
    assert desk.refusal(lambda call: approvals.ask(call, RiskyAct.ROLE_TAKE, audit), "security") == "conflict"
    first, second = taken(desk, "system"), taken(desk, "system2")
    decided(desk, first, "security2")
    assert desk.refusal(lambda call: approvals.decide(call, second.request_id, approve=True), "security2") == "conflict"
    assert desk.refusal(person_acts.lay_down_role, "system2") == "conflict"


def test_an_account_that_is_stopped_is_not_another_that_holds_the_role(desk: Desk) -> None:
    stopped = update(Person).where(Person.subject == desk.subject["security2"]).values(status="locked")
    desk.do(lambda call: call.session.execute(stopped) and None)
    assert desk.refusal(person_acts.lay_down_role, "security") == "conflict"
    asked = taken(desk, "security2")
    decided(desk, asked, "system")
    assert desk.do(lambda call: roles.of(call, desk.subject["security2"])) is None


def stopped(desk: Desk, whose: str, who: str = "system") -> Asked:
    facts = {"subject": desk.subject[whose]}
    asked: Asked = desk.do(lambda call: approvals.ask(call, RiskyAct.PERSON_DISABLE, facts), who)
    return asked


def test_the_last_able_account_of_a_role_is_not_stopped(desk: Desk) -> None:
    assert desk.refusal(lambda call: stopped_in(call, desk, "audit")) == "conflict"
    first, second = stopped(desk, "security2"), stopped(desk, "security")
    decided(desk, first, "security")
    decide = approvals.decide
    assert desk.refusal(lambda call: decide(call, second.request_id, approve=True), "security") == "conflict"
    assert desk.refusal(lambda call: stopped_in(call, desk, "security")) == "conflict"


def stopped_in(call: Call, desk: Desk, whose: str) -> Asked:
    return approvals.ask(call, RiskyAct.PERSON_DISABLE, {"subject": desk.subject[whose]})


def test_of_two_who_are_stopped_at_once_one_goes_on(desk: Desk) -> None:
    """The second one waits for the first, and sees what became of it."""
    requests = [stopped(desk, "security2"), stopped(desk, "security")]
    started, outcomes = threading.Event(), []

    def first(call: Call) -> None:
        approvals.decide(call, requests[0].request_id, approve=True)
        started.set()
        time.sleep(0.5)

    def second() -> None:
        started.wait(timeout=60)
        outcomes.append(
            desk.refusal(lambda call: approvals.decide(call, requests[1].request_id, approve=True), "security")
        )

    thread = threading.Thread(target=second)
    thread.start()
    desk.do(first, "security")
    thread.join(timeout=60)
    assert outcomes == ["conflict"]


def test_another_role_than_was_spoken_of_is_not_taken(desk: Desk) -> None:
    asked = taken(desk, "system")
    desk.do(lambda call: roles.take(call, desk.subject["system"]))
    desk.do(lambda call: roles.give(call, desk.subject["system"], Role.AUDIT))
    assert desk.refusal(lambda call: approvals.decide(call, asked.request_id, approve=True), "security2") == "conflict"


def test_ones_own_role_is_laid_down_at_once(desk: Desk) -> None:
    desk.do(person_acts.lay_down_role, "security2")
    assert desk.do(lambda call: roles.of(call, desk.subject["security2"])) is None
    assert desk.refusal(person_acts.lay_down_role, "security2") == "forbidden"


def test_the_role_is_demanded(desk: Desk) -> None:
    assert desk.do(lambda call: roles.demand(call, Role.SYSTEM)) is Role.SYSTEM
    assert desk.do(roles.demand, "audit") is Role.AUDIT
    assert desk.refusal(lambda call: roles.demand(call, Role.SYSTEM), "security") == "forbidden"
    for nobody in ("citizen", None):
        assert desk.refusal(roles.demand, nobody) == "forbidden"
    assert desk.refusal(roles.demand, "system", principal="0" * 32) == "forbidden", "he acts for somebody else"


@pytest.mark.parametrize("amr", [(), ("pwd",), ("otp",)])
def test_a_second_factor_is_demanded(desk: Desk, amr: tuple[str, ...]) -> None:
    assert desk.refusal(roles.demand, "system", amr=amr) == "insufficient_user_authentication"


def test_administrators_are_listed(desk: Desk) -> None:
    assert [row.role for row in desk.do(roles.everybody)] == ["audit", "security", "security", "system", "system"]
