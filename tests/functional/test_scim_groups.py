"""Groups of SCIM: posts in departments, given at once, and administrators' roles, decided by a second person."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select, update

from idservice.admin import approvals, roles
from idservice.admin.models import AdminRequest
from idservice.admin.roles import Role
from idservice.call import Caller
from idservice.login.password import set_password
from idservice.models import Staff, TokenFamily
from idservice.oauth import clients
from idservice.register import people
from tests.builders import act
from tests.identity import (
    AGENT,
    ALICE,
    CALLBACK,
    PASSWORD,
    SECRET,
    City,
    Flow,
    bearer,
    citizen_number,
    redeem,
)
from tests.staff import (
    CLERKS,
    GROUP,
    HOUSING,
    OFFICERS,
    STAFF,
    USER,
    Scim,
    forget_staff,
    posts_of,
    refused,
    staffed,
)

SECURITY = citizen_number("37160219800101001")
TWO_FACTORS = {"amr": ["pwd", "otp", "mfa"], "level": 3}


@pytest.fixture(scope="module")
def office(city: City) -> City:
    def appoint(call: Any) -> None:
        subject = people.enrol(call, number=SECURITY, name="钱管理", level=3)
        set_password(call, subject, PASSWORD)
        roles.give(call, subject, Role.SECURITY)
        clients.register(
            call, client_id="console", name="管理台", unit="示范单位", auth_method="client_secret_basic", secret=SECRET,
            grant_types=["authorization_code"], scope="openid scim.read scim.write", redirect_uris=[CALLBACK],
        )  # fmt: skip

    staffed(city)
    act(city.house, appoint)
    return city


@pytest.fixture(autouse=True)
def no_staff_is_left(office: City) -> Iterator[None]:
    yield
    forget_staff(office)


@pytest.fixture
def scim(office: City) -> Scim:
    return Scim(office)


class Administration(Scim):
    """The console of an administrator who is logged in with two factors, or one."""

    def __init__(self, office: City, number: str = SECURITY, *, factors: dict[str, Any] | None = None) -> None:
        flow = Flow("console", "openid scim.read scim.write")
        got = redeem(office.app, flow, office.browser().code(flow, number=number)).json
        statement = update(TokenFamily).values(**(TWO_FACTORS if factors is None else factors))
        office.house.database.run(lambda session: session.execute(statement) and None, write=True)
        self.city, self.headers, self.client = office, bearer(got["access_token"]), office.app.test_client()


def members(*accounts: dict[str, Any]) -> list[dict[str, str]]:
    return [{"value": account["id"]} for account in accounts]


def test_members_come_and_go_with_their_posts(office: City, scim: Scim) -> None:
    alice, agent = scim.linked("a"), scim.linked("b", AGENT)
    group = scim("PUT", f"/Groups/{CLERKS}", {"schemas": [GROUP], "members": members(alice, agent)})
    assert {one["display"] for one in group.json["members"]} == {"a", "b"}
    assert posts_of(office, office.agent) == {("clerk", HOUSING)}
    version = group.headers["ETag"]
    less = scim.patch(f"/Groups/{CLERKS}", {"op": "remove", "path": f'members[value eq "{alice["id"]}"]'})
    assert [one["value"] for one in less.json["members"]] == [agent["id"]]
    assert less.headers["ETag"] != version
    assert posts_of(office, office.alice) == set()
    assert scim.join(OFFICERS, agent).status_code == 200
    assert posts_of(office, office.agent) == {("clerk", HOUSING), ("officer", HOUSING)}
    emptied = scim("PUT", f"/Groups/{CLERKS}", {"schemas": [GROUP]})
    assert emptied.json.get("members", []) == []
    assert posts_of(office, office.agent) == {("officer", HOUSING)}


def test_a_post_without_an_account_is_left_alone(office: City, scim: Scim) -> None:
    row = {"subject": office.agent, "department": HOUSING, "role": "clerk", "counter": "7"}
    act(office.house, lambda call: call.session.add(Staff(**row)))
    assert scim("PUT", f"/Groups/{CLERKS}", {"schemas": [GROUP]}).status_code == 200
    assert posts_of(office, office.agent) == {("clerk", HOUSING)}
    adopted = scim.linked("b", AGENT)
    assert [one["value"] for one in adopted["groups"]] == [CLERKS], "the account takes over the post"


def test_who_is_not_linked_holds_no_post(scim: Scim) -> None:
    assert refused(scim.join(CLERKS, scim.user("a"))) == (400, "invalidValue")
    assert refused(scim.join(CLERKS, {"id": "unknown"})) == (404, None)
    wrong = {"op": "add", "path": "members", "value": [{"value": OFFICERS, "type": "Group"}]}
    assert refused(scim.patch(f"/Groups/{CLERKS}", wrong)) == (400, "invalidValue")


@pytest.mark.parametrize(("method", "path"), [
    ("POST", "/Groups"), ("DELETE", f"/Groups/{CLERKS}"), ("POST", "/Bulk"), ("GET", "/Me"), ("PATCH", "/Me"),
])  # fmt: skip
def test_what_is_not_offered_says_so(scim: Scim, method: str, path: str) -> None:
    assert refused(scim(method, path)) == (501, None)


# --- administrators


def test_an_administrators_role_waits_for_a_second_person(office: City, scim: Scim) -> None:
    account = scim.linked("a")
    console = Administration(office)
    path = "/Groups/administrator.system"
    asked = console.join("administrator.system", account)
    assert asked.status_code == 202, asked.text
    assert asked.json.get("members", []) == []
    (request,) = act(office.house, lambda call: call.session.scalars(select(AdminRequest)).all())
    assert (request.act, request.decision) == ("role.give", None)
    second = appointed(office, "37160219800102001", Role.SECURITY)
    act(office.house, lambda call: approvals.decide(call, request.request_id, approve=True), caller=second)
    assert [one["value"] for one in console("GET", path).json["members"]] == [account["id"]]
    (held,) = console("GET", f"/Users/{account['id']}").json["groups"]
    assert held["value"] == "administrator.system"
    assert scim("GET", f"/Users/{account['id']}").json["groups"] == [], "not a directory's business"

    another = console.join("administrator.audit", account)
    assert refused(another) == (409, "uniqueness"), "no account holds two roles"
    appointed(office, "37160219800103001", Role.SYSTEM)
    less = console.patch(path, {"op": "remove", "path": "members"})
    assert (less.status_code, less.json["members"]) == (202, [{**less.json["members"][0], "value": account["id"]}])
    assert act(office.house, lambda call: roles.of(call, office.alice)) is Role.SYSTEM, "until another agrees"
    newest = select(AdminRequest).order_by(AdminRequest.request_id.desc()).limit(1)
    (request,) = act(office.house, lambda call: call.session.scalars(newest).all())
    act(office.house, lambda call: approvals.decide(call, request.request_id, approve=True), caller=second)
    assert console("GET", path).json.get("members", []) == []
    assert act(office.house, lambda call: roles.of(call, office.alice)) is None


def appointed(office: City, body: str, role: Role) -> Caller:
    def appoint(call: Any) -> str:
        subject = people.enrol(call, number=citizen_number(body), name="孙管理", level=3)
        if roles.of(call, subject) is None:
            roles.give(call, subject, role)
        return subject

    subject = act(office.house, appoint)
    return Caller(channel="api", person=subject, auth_time=datetime.now(UTC), amr=("pwd", "otp", "mfa"), level=3)


def test_an_administrator_reads_all_and_changes_no_department(office: City, scim: Scim) -> None:
    account = scim.linked("a")
    console = Administration(office)
    assert console.names("") == ["a"]
    assert {"administrator.system", "administrator.security", "administrator.audit"} <= set(
        console.names("", "/Groups")
    )
    for answer in (
        console("POST", "/Users", {"schemas": [USER], "userName": "b", STAFF: {"department": HOUSING}}),
        console("DELETE", f"/Users/{account['id']}"),
        console.patch(f"/Users/{account['id']}", {"op": "add", "path": "title", "value": "x"}),
        console.join(OFFICERS, account),
    ):
        assert refused(answer) == (403, None)


def test_a_person_who_is_no_administrator_sees_nothing(office: City) -> None:
    assert refused(Administration(office, ALICE)("GET", "/Users")) == (403, None)


def test_an_administrator_with_one_factor_is_asked_for_two(office: City) -> None:
    answer = Administration(office, factors={"amr": ["pwd"], "level": 3})("GET", "/Users")
    assert answer.status_code == 401
    assert 'error="insufficient_user_authentication"' in answer.headers["WWW-Authenticate"]
