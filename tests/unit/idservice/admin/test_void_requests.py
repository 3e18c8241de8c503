"""A request whose author could not ask for it any more is void, and nobody approves it."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import update

from idservice.admin import approvals, roles
from idservice.admin.acts import RiskyAct
from idservice.admin.approvals import Asked
from idservice.admin.models import AdminRequest
from idservice.admin.roles import Role
from idservice.models import Person
from tests.unit.idservice.admin.conftest import Desk
from tests.unit.idservice.admin.test_approvals import APP, app, approve, ask


def disable(desk: Desk, who: str, status: str = "locked") -> None:
    changed = update(Person).where(Person.subject == desk.subject[who]).values(status=status)
    desk.do(lambda call: call.session.execute(changed))


def change_role(desk: Desk, who: str) -> None:
    desk.do(lambda call: roles.take(call, desk.subject[who]))
    desk.do(lambda call: roles.give(call, desk.subject[who], Role.SECURITY))


def state_of(desk: Desk, asked: Asked) -> tuple[str, bool]:
    """Return the state of a request, and whether it is listed with those that wait."""

    def look(call: Any) -> tuple[str, bool]:
        waiting = approvals.listed(call, limit=9, cursor=None, waiting=True)
        row = call.session.get_one(AdminRequest, asked.request_id)
        return approvals.state(row, call), row in waiting

    found: tuple[str, bool] = desk.do(look, "audit")
    return found


@pytest.mark.parametrize(
    "lose",
    [
        disable,
        lambda desk, who: disable(desk, who, "deceased"),
        lambda desk, who: desk.do(lambda call: roles.take(call, desk.subject[who])),
        change_role,
    ],
    ids=["disabled", "dead", "no role", "another role"],
)
def test_what_its_author_could_not_ask_for_any_more_is_void(desk: Desk, lose: Callable[[Desk, str], None]) -> None:
    asked, other = ask(desk, RiskyAct.CLIENT_CREATE, APP), ask(desk, RiskyAct.CLIENT_CREATE, APP, "system2")
    lose(desk, "system")
    decide = approvals.decide
    assert desk.refusal(lambda call: decide(call, asked.request_id, approve=True), "security") == "request_void"
    assert [state_of(desk, one) for one in (asked, other)] == [("void", False), ("waiting", True)]
    assert app(desk) is None
    desk.do(lambda call: decide(call, asked.request_id, approve=False), "security")
    assert state_of(desk, asked) == ("refused", False), "whoever refuses it makes sure that it never holds again"
    approve(desk, other)
    assert app(desk) is not None


def test_a_request_of_one_who_is_let_go_on_stands_again(desk: Desk) -> None:
    asked = ask(desk, RiskyAct.CLIENT_CREATE, APP)
    disable(desk, "system")
    disable(desk, "system", "active")
    assert state_of(desk, asked) == ("waiting", True)
    approve(desk, asked)
