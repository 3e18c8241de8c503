"""Three administrators apart: the database itself lets no account hold two roles."""

import threading

import pytest
from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError

from idservice.admin import roles
from idservice.admin.models import Administrator
from idservice.admin.roles import Role
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
        start.wait(timeout=20)
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
