"""What a client writes is held against the schema."""

from typing import Any

import pytest

from idservice.errors import Problem
from idservice.scim import reading
from idservice.scim.resource_types import GROUP, STAFF_URN, USER, USER_URN
from tests.identity import ALICE

GOOD: dict[str, Any] = {"schemas": [USER_URN], "userName": "a"}


def test_names_count_in_any_case_and_get_the_schemas_own() -> None:
    found = reading.resource(USER, {"SCHEMAS": [USER_URN.upper()], "USERNAME": "a", "Name": {"FAMILYNAME": "王"}})
    assert found == {"userName": "a", "name": {"familyName": "王"}}


def test_what_is_not_the_clients_to_write_is_passed_over() -> None:
    sent = GOOD | {
        "id": "1",
        "meta": {"version": "x"},
        "groups": [{"value": "administrator.system"}],
        "roles": [{"value": "admin"}],
        "password": "x",
        "subject": "y",
        STAFF_URN: {"linked": True, "counter": "1", "subject": "z"},
    }
    assert reading.resource(USER, sent) == {"userName": "a", STAFF_URN: {"counter": "1"}}


def test_nothing_is_the_same_as_not_there() -> None:
    assert reading.resource(USER, GOOD | {"title": "", "emails": [], "name": {}, "displayName": None}) == {
        "userName": "a"
    }


@pytest.mark.parametrize(
    "members",
    [
        {"userName": 1},
        {"userName": "a" * 65},
        {"userName": "a\nb"},
        {"userName": "a\u202eb"},
        {"active": 1},
        {"name": "王"},
        {"emails": {"value": "x"}},
        {"emails": ["x"]},
        {"emails": [{"value": "x"}] * 2001},
        {"emails": [{"value": "x", "primary": True}, {"value": "y", "primary": True}]},
        {"title": ["x"]},
        {"externalId": {"a": 1}},
        {STAFF_URN: {"idNumber": "1" * 19}},
    ],
)
def test_a_value_that_is_refused(members: dict[str, Any]) -> None:
    with pytest.raises(Problem) as refused:
        reading.resource(USER, GOOD | members)
    assert refused.value.code in {"scim_value", "scim_syntax"}


@pytest.mark.parametrize("number", [ALICE, ALICE.lower(), f"工号{ALICE}号", f"9{ALICE}9"])
@pytest.mark.parametrize("place", ["userName", "externalId", "displayName", "title", "name", "emails"])
def test_no_number_stands_in_the_wrong_place(place: str, number: str) -> None:
    given = {"name": {"formatted": number}, "emails": [{"value": number}]}.get(place, number)
    with pytest.raises(Problem) as refused:
        reading.resource(USER, GOOD | {place: given})
    assert refused.value.code == "scim_value"


@pytest.mark.parametrize(
    "body",
    [
        None, [], "x", {}, {"schemas": USER_URN}, {"schemas": []}, {"schemas": [7]},
        {"schemas": [GROUP.schema.urn], "userName": "a"}, {**GOOD, "username": "b"}, GOOD | {STAFF_URN: [1]},
    ],
)  # fmt: skip
def test_a_body_that_is_no_such_resource(body: Any) -> None:
    with pytest.raises(Problem) as refused:
        reading.resource(USER, body)
    assert refused.value.code == "scim_syntax"


def test_what_is_required_is_demanded() -> None:
    with pytest.raises(Problem, match="userName"):
        reading.required(USER, {"title": "x"})
