"""PATCH by RFC 7644 section 3.5.2: what each operation does, and what none may do."""

from typing import Any

import pytest

from idservice.errors import Problem
from idservice.scim import patching
from idservice.scim.patching import PATCH_OP
from idservice.scim.resource_types import GROUP, STAFF_URN, USER

WORK = {"value": "a@example.com", "type": "work", "primary": True}
OTHER = {"value": "b@example.com", "type": "other"}


def resource() -> dict[str, Any]:
    return {
        "userName": "a",
        "name": {"familyName": "王", "givenName": "芳"},
        "active": True,
        "emails": [dict(WORK), dict(OTHER)],
        "groups": [{"value": "g"}],
        STAFF_URN: {"department": "d", "counter": "1"},
    }


def patched(*operations: Any, kind: Any = USER, before: dict[str, Any] | None = None) -> dict[str, Any]:
    return patching.patched(kind, before or resource(), {"schemas": [PATCH_OP], "Operations": list(operations)})


@pytest.mark.parametrize(
    ("operation", "changed"),
    [
        ({"op": "replace", "path": "userName", "value": "b"}, {"userName": "b"}),
        ({"op": "Replace", "path": "USERNAME", "value": "b"}, {"userName": "b"}),
        ({"op": "add", "path": "title", "value": "科长"}, {"title": "科长"}),
        ({"op": "remove", "path": "name"}, {"name": None}),
        ({"op": "remove", "path": "title"}, {}),
        ({"op": "replace", "path": "name.givenName", "value": "x"}, {"name": {"familyName": "王", "givenName": "x"}}),
        ({"op": "replace", "path": "name", "value": {"givenName": "x"}},
         {"name": {"familyName": "王", "givenName": "x"}}),
        ({"op": "remove", "path": "name.givenName"}, {"name": {"familyName": "王"}}),
        ({"op": "replace", "value": {"title": "t", "name.familyName": "李"}},
         {"title": "t", "name": {"familyName": "李", "givenName": "芳"}}),
        ({"op": "add", "path": "emails", "value": [WORK]}, {}),
        ({"op": "add", "path": "emails", "value": {"value": "c@example.com", "primary": True}},
         {"emails": [{**WORK, "primary": False}, OTHER, {"value": "c@example.com", "primary": True}]}),
        ({"op": "replace", "path": "emails", "value": [OTHER]}, {"emails": [OTHER]}),
        ({"op": "remove", "path": "emails"}, {"emails": None}),
        ({"op": "replace", "path": "emails", "value": []}, {"emails": None}),
        ({"op": "remove", "path": 'emails[type eq "work"]'}, {"emails": [OTHER]}),
        ({"op": "remove", "path": "emails", "value": [OTHER]}, {"emails": [WORK]}),
        ({"op": "replace", "path": 'emails[type eq "other"].value', "value": "n@example.com"},
         {"emails": [WORK, {**OTHER, "value": "n@example.com"}]}),
        ({"op": "replace", "path": 'emails[type eq "other"]', "value": {"value": "n@example.com"}},
         {"emails": [WORK, {"value": "n@example.com"}]}),
        ({"op": "add", "path": 'emails[type eq "other"]', "value": {"primary": True}},
         {"emails": [{**WORK, "primary": False}, {**OTHER, "primary": True}]}),
        ({"op": "replace", "path": 'emails[type eq "other"].primary', "value": True},
         {"emails": [{**WORK, "primary": False}, {**OTHER, "primary": True}]}),
        ({"op": "replace", "path": "emails.type", "value": "work"},
         {"emails": [WORK, {**OTHER, "type": "work"}]}),
        ({"op": "replace", "path": f"{STAFF_URN}:counter", "value": "2"},
         {STAFF_URN: {"department": "d", "counter": "2"}}),
        ({"op": "add", "path": STAFF_URN, "value": {"counter": "2", "schemas": []}},
         {STAFF_URN: {"department": "d", "counter": "2"}}),
        ({"op": "replace", "value": {STAFF_URN: {"counter": "2"}, "schemas": []}},
         {STAFF_URN: {"department": "d", "counter": "2"}}),
        ({"op": "remove", "path": STAFF_URN}, {STAFF_URN: None}),
    ],
)  # fmt: skip
def test_an_operation(operation: dict[str, Any], changed: dict[str, Any]) -> None:
    expected = {name: value for name, value in {**resource(), **changed}.items() if value is not None}
    assert patched(operation) == expected


@pytest.mark.parametrize(
    ("operation", "code"),
    [
        ({"op": "replace", "path": "id", "value": "x"}, "scim_mutability"),
        ({"op": "add", "path": "groups", "value": [{"value": "administrator.system"}]}, "scim_mutability"),
        ({"op": "add", "path": 'groups[value eq "g"].value', "value": "x"}, "scim_mutability"),
        ({"op": "add", "value": {"groups": [{"value": "x"}]}}, "scim_mutability"),
        ({"op": "replace", "path": "meta.version", "value": "x"}, "scim_mutability"),
        ({"op": "replace", "path": f"{STAFF_URN}:linked", "value": True}, "scim_mutability"),
        ({"op": "add", "path": STAFF_URN, "value": {"linked": True}}, "scim_mutability"),
        ({"op": "remove", "path": "userName"}, "scim_mutability"),
        ({"op": "remove", "path": f"{STAFF_URN}:department"}, "scim_mutability"),
        ({"op": "replace", "path": "userName", "value": ""}, "scim_value"),
        ({"op": "replace", "path": "userName", "value": None}, "scim_value"),
        ({"op": "replace", "path": "userName", "value": 7}, "scim_value"),
        ({"op": "replace", "path": "active", "value": "False"}, "scim_value"),
        ({"op": "replace", "path": "active"}, "scim_value"),
        ({"op": "add", "path": "emails", "value": "x"}, "scim_value"),
        ({"op": "add", "path": "emails", "value": [WORK, {**OTHER, "primary": True}]}, "scim_value"),
        ({"op": "replace", "path": "emails.primary", "value": True}, "scim_value"),
        ({"op": "replace", "path": 'emails[type eq "home"].value', "value": "x"}, "scim_no_target"),
        ({"op": "remove", "path": 'emails[type eq "home"]'}, "scim_no_target"),
        ({"op": "add", "path": "phoneNumbers.type", "value": "work"}, "scim_no_target"),
        ({"op": "remove"}, "scim_no_target"),
        ({"op": "replace", "path": "password", "value": "x"}, "scim_path"),
        ({"op": "replace", "path": "roles", "value": [{"value": "admin"}]}, "scim_path"),
        ({"op": "add", "value": {"roles": [{"value": "admin"}]}}, "scim_path"),
        ({"op": "add", "path": STAFF_URN, "value": {"subject": "x"}}, "scim_path"),
        ({"op": "add", "path": STAFF_URN, "value": "x"}, "scim_value"),
        ({"op": "add", "value": [1]}, "scim_value"),
        ({"op": "move", "path": "userName", "value": "x"}, "scim_syntax"),
        ({"op": ["add"], "path": "userName", "value": "x"}, "scim_syntax"),
        ({"op": "add", "path": 7, "value": "x"}, "scim_syntax"),
        (7, "scim_syntax"),
        ({"op": "replace", "path": "emails[", "value": "x"}, "scim_filter"),
    ],
)
def test_an_operation_that_is_refused(operation: Any, code: str) -> None:
    with pytest.raises(Problem) as refused:
        patched(operation)
    assert refused.value.code == code


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        {},
        {"Operations": [{"op": "remove", "path": "title"}]},
        {"schemas": ["x"], "Operations": [{"op": "remove", "path": "title"}]},
        {"schemas": [PATCH_OP]},
        {"schemas": [PATCH_OP], "Operations": []},
        {"schemas": [PATCH_OP], "Operations": {}},
        {"schemas": [PATCH_OP], "Operations": [{"op": "remove", "path": "title"}] * 101},
    ],
)
def test_a_body_that_is_no_patch(body: Any) -> None:
    with pytest.raises(Problem) as refused:
        patching.patched(USER, resource(), body)
    assert refused.value.code == "scim_syntax"


def test_a_refused_operation_leaves_everything_as_it_was() -> None:
    before = resource()
    with pytest.raises(Problem):
        patched(
            {"op": "replace", "path": "emails.value", "value": "x"}, {"op": "replace", "path": "id", "value": "x"},
            before=before,
        )  # fmt: skip
    assert before == resource()


def group() -> dict[str, Any]:
    return {"id": "g", "members": [{"value": "1", "display": "a", "type": "User"}, {"value": "2", "display": "b"}]}


def members(*operations: Any) -> list[str]:
    return [one["value"] for one in patched(*operations, kind=GROUP, before=group()).get("members", [])]


def test_members_come_and_go() -> None:
    assert members({"op": "add", "path": "members", "value": [{"value": "3"}, {"value": "1"}]}) == ["1", "2", "3"]
    assert members({"op": "remove", "path": 'members[value eq "1"]'}) == ["2"]
    assert members({"op": "remove", "path": "members", "value": [{"value": "2"}]}) == ["1"]
    assert members({"op": "remove", "path": "members"}) == []
    assert members({"op": "replace", "path": "members", "value": [{"value": "9"}]}) == ["9"]


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "replace", "path": 'members[value eq "1"].value', "value": "9"},
        {"op": "replace", "path": 'members[value eq "1"]', "value": {"value": "9"}},
        {"op": "replace", "path": "members.value", "value": "9"},
        {"op": "replace", "path": "displayName", "value": "系统管理员"},
    ],
)
def test_a_member_is_never_turned_into_another_one(operation: dict[str, Any]) -> None:
    with pytest.raises(Problem) as refused:
        members(operation)
    assert refused.value.code == "scim_mutability"
