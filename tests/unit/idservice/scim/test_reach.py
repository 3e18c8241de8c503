"""Whose staff a caller sees: a client its departments', an administrator everybody's, and nobody else anybody's."""

from dataclasses import replace
from datetime import UTC, datetime

from idservice.admin import roles
from idservice.admin.roles import Role
from idservice.call import Caller
from idservice.scim import groups, reach
from idservice.scim.reach import Reach
from tests.staff import CLERKS, HEALTH, HOUSING, OFFICERS
from tests.unit.idservice.scim.conftest import DIRECTORY, Desk


def test_a_client_reaches_its_departments(desk: Desk) -> None:
    found = desk.do(reach.of)
    assert found == Reach(frozenset({HOUSING}))
    assert (found.covers(HOUSING), found.covers(HEALTH)) == (True, False)
    assert desk.do(reach.of, replace(DIRECTORY, departments=frozenset(), all_departments=True)).covers(HEALTH)
    assert desk.refusal(reach.of, replace(DIRECTORY, departments=frozenset())) == "forbidden"


def test_a_person_reaches_as_administrator_with_a_strong_login_alone(desk: Desk) -> None:
    login = {"auth_time": datetime.now(UTC), "amr": ("pwd", "otp", "mfa"), "level": 3}
    officer = Caller(channel="api", person=desk.alice, posts=frozenset({("officer", HOUSING)}), **login)
    assert desk.refusal(reach.of, officer) == "forbidden"
    desk.do(lambda call: roles.give(call, desk.alice, Role.AUDIT))
    assert desk.do(reach.of, officer) == Reach(None, is_administrator=True)
    assert desk.refusal(reach.of, replace(officer, amr=("pwd",))) == "insufficient_user_authentication"
    assert desk.refusal(reach.of, replace(officer, principal="x")) == "forbidden"


def test_groups_follow_from_what_is_within_reach(desk: Desk) -> None:
    def ids(of: Reach) -> list[str]:
        return [group["id"] for group in desk.do(lambda call: groups.listed(call, of))]

    assert ids(desk.own) == [OFFICERS, CLERKS]
    assert len(ids(Reach(None))) == 4
    assert ids(Reach(None, is_administrator=True))[4:] == [f"administrator.{role}" for role in Role]
    for name in (f"officer.{HEALTH}", "administrator.system", "x"):
        assert desk.refusal(lambda call, n=name: groups.read(call, desk.own, n)) == "not_found"
