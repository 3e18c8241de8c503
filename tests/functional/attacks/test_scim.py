"""Attacks on the staff directory: filter bombs, paths into what is not theirs, roles by mass assignment, strangers."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import delete

from idservice.admin import roles
from idservice.models import Staff
from idservice.scim.models import StaffAccount
from tests.builders import act
from tests.cost import costs_less
from tests.identity import ALICE, City
from tests.staff import (
    CLERKS,
    ELSEWHERE,
    GROUP,
    HEALTH,
    HOUSING,
    MEDIA_TYPE,
    OFFICERS,
    PATCH_OP,
    STAFF,
    USER,
    Scim,
    posts_of,
    refused,
    staffed,
)


@pytest.fixture(scope="module")
def office(city: City) -> City:
    return staffed(city)


@pytest.fixture
def scim(office: City) -> Iterator[Scim]:
    yield Scim(office)
    act(office.house, lambda call: [call.session.execute(delete(model)) for model in (Staff, StaffAccount)] and None)


@pytest.mark.parametrize(
    "bomb",
    [
        "(" * 900 + "title pr" + ")" * 900,
        " or ".join(['userName co "a"'] * 100),
        "not (" * 100 + "title pr" + ")" * 100,
        'userName eq "' + "\\" * 1500,
        "emails[" * 100,
        "a." * 900 + "a pr",
    ],
    ids=["parentheses", "terms", "nots", "escapes", "brackets", "dots"],
)
def test_a_filter_bomb_costs_nothing(scim: Scim, bomb: str) -> None:
    account = scim.user("a")

    def send() -> None:
        answer = scim.client.get("/scim/v2/Users", query_string={"filter": bomb}, headers=scim.headers)
        assert refused(answer) == (400, "invalidFilter")
        patched = scim.patch(f"/Users/{account['id']}", {"op": "remove", "path": bomb})
        assert refused(patched)[0] == 400

    assert costs_less(2, send)


def test_no_filter_reaches_the_database(scim: Scim) -> None:
    scim.user("a")
    for text in ("' OR '1'='1", "a%", "_", "a'; DROP TABLE staff_account; --", "\\"):
        quoted = json.dumps(text)
        for operator in ("eq", "co", "sw"):
            answer = scim.client.get(
                "/scim/v2/Users", query_string={"filter": f"userName {operator} {quoted}"}, headers=scim.headers
            )
            assert (answer.status_code, answer.json["totalResults"]) == (200, 0), text
    assert scim.names("") == ["a"]


@pytest.mark.parametrize(
    "members",
    [
        {"groups": [{"value": "administrator.system"}, {"value": OFFICERS}]},
        {"roles": [{"value": "system"}]},
        {"entitlements": [{"value": "admin"}]},
        {"id": "1" * 32, "meta": {"version": "x"}},
        {"subject": "x", "account_id": "y", "facts_sealed": "z"},
        {STAFF: {"linked": True, "subject": "x", "role": "officer", "department": HOUSING}},
    ],
)
def test_nobody_assigns_himself_anything_by_naming_it(office: City, scim: Scim, members: dict[str, Any]) -> None:
    staff = {"idNumber": "", **members.get(STAFF, {})}
    made = scim.user("a", **{**members, STAFF: staff})
    assert made["id"] != "1" * 32
    assert (made["groups"], made[STAFF]["linked"]) == ([], False)
    linked = scim.linked("b", **{name: value for name, value in members.items() if name != STAFF})
    path = f"/Users/{linked['id']}"
    replaced = scim("PUT", path, {"schemas": [USER], "userName": "b", **members})
    assert replaced.status_code == 200, replaced.text
    assert replaced.json["groups"] == []
    assert posts_of(office, office.alice) == set()
    assert act(office.house, lambda call: roles.of(call, office.alice)) is None


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "add", "path": "groups", "value": [{"value": "administrator.system"}]},
        {"op": "replace", "path": 'groups[value eq "x"].value', "value": OFFICERS},
        {"op": "add", "value": {"groups": [{"value": OFFICERS}]}},
        {"op": "replace", "path": "roles", "value": "admin"},
        {"op": "replace", "path": "id", "value": "x"},
        {"op": "replace", "path": f"{STAFF}:linked", "value": True},
        {"op": "replace", "path": f"{STAFF}:department", "value": HEALTH},
        {"op": "replace", "path": STAFF, "value": {"department": HEALTH}},
        {"op": "replace", "path": "__proto__.admin", "value": True},
        {"op": "replace", "path": "__class__", "value": "x"},
        {"op": "replace", "path": "meta.version", "value": "x"},
        {"op": "replace", "path": "../Groups/administrator.system", "value": "x"},
        {"op": "replace", "path": "userName\u0000", "value": "x"},
        {"op": "replace", "path": "urn:ietf:params:scim:schemas:core:2.0:Group:members", "value": []},
    ],
)
def test_a_path_leads_to_nothing_that_is_not_the_clients(office: City, scim: Scim, operation: dict[str, Any]) -> None:
    account = scim.linked("a")
    path = f"/Users/{account['id']}"
    assert refused(scim.patch(path, operation))[0] == 400
    assert scim("GET", path).json == account
    assert posts_of(office, office.alice) == set()


def test_another_departments_people_do_not_exist(office: City, scim: Scim) -> None:
    theirs = Scim(office, ELSEWHERE)
    account = scim.linked("a")
    scim.join(CLERKS, account)
    path = f"/Users/{account['id']}"
    body = {"schemas": [USER], "userName": "x"}
    for answer in (
        theirs("GET", path),
        theirs("PUT", path, body),
        theirs.patch(path, {"op": "add", "path": "title", "value": "x"}),
        theirs("DELETE", path),
        theirs("GET", f"/Groups/{CLERKS}"),
        theirs("PUT", f"/Groups/{CLERKS}", {"schemas": [GROUP]}),
        theirs.join(OFFICERS, account),
        theirs.join(f"officer.{HEALTH}", account),
    ):
        assert refused(answer) == (404, None)
    assert theirs.names("") == theirs.names('filter=userName eq "a"') == []
    assert theirs.names("", "/Groups") == [f"officer.{HEALTH}", f"clerk.{HEALTH}"]
    assert refused(theirs("POST", "/Users", {**body, STAFF: {"department": HOUSING}})) == (400, "invalidValue")
    assert scim("GET", path).json["groups"] != []
    assert posts_of(office, office.alice) == {("clerk", HOUSING)}


@pytest.mark.parametrize("group", ["administrator.system", "administrator.security", "administrator.audit"])
def test_a_directory_makes_no_administrator(office: City, scim: Scim, group: str) -> None:
    account = scim.linked("a")
    assert refused(scim.join(group, account)) == (404, None)
    assert refused(scim("PUT", f"/Groups/{group}", {"schemas": [GROUP], "members": [{"value": account["id"]}]})) == (
        404,
        None,
    )
    assert group not in scim.names("", "/Groups")
    assert act(office.house, lambda call: roles.of(call, office.alice)) is None


def test_a_post_of_one_department_is_not_held_by_an_account_of_another(office: City) -> None:
    both = Scim(office, "directory-both")
    account = both.user("a", **{STAFF: {"idNumber": ALICE, "department": HEALTH}})
    assert refused(both.join(OFFICERS, account)) == (400, "invalidValue")
    both("DELETE", f"/Users/{account['id']}")


def test_a_large_patch_is_bounded(scim: Scim) -> None:
    account = scim.user("a")
    operations = [{"op": "add", "path": "title", "value": "x"}] * 101
    assert refused(scim.patch(f"/Users/{account['id']}", *operations)) == (400, "invalidSyntax")
    deep = '{"a":' * 20 + "1" + "}" * 20
    answer = scim.client.patch(
        f"/scim/v2/Users/{account['id']}", data=deep, content_type=MEDIA_TYPE, headers=scim.headers
    )
    assert refused(answer) == (400, "invalidSyntax")


def test_one_name_made_by_many_at_once_is_made_once(office: City, scim: Scim) -> None:
    def make(_turn: int) -> int:
        body = {"schemas": [USER], "userName": "a"}
        answer = office.app.test_client().post(
            "/scim/v2/Users", json=body, headers={**scim.headers, "Content-Type": MEDIA_TYPE}
        )
        return int(answer.status_code)

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(make, range(8))) == [201] + [409] * 7


def test_of_two_changes_of_one_version_one_is_done(office: City, scim: Scim) -> None:
    account = scim.user("a")

    def change(turn: int) -> int:
        operations = [{"op": "add", "path": "title", "value": f"x{turn}"}]
        answer = office.app.test_client().patch(
            f"/scim/v2/Users/{account['id']}",
            json={"schemas": [PATCH_OP], "Operations": operations},
            headers={**scim.headers, "Content-Type": MEDIA_TYPE, "If-Match": account["meta"]["version"]},
        )
        return int(answer.status_code)

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(change, range(4))) == [200, 412, 412, 412]
