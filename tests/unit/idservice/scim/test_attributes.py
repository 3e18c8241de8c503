"""Attributes are found by every name that the standard allows, and by no other."""

import pytest

from idservice.scim.attributes import ALWAYS, NEVER, READ_ONLY, WRITE_ONLY
from idservice.scim.discovery import resource_types, schemas
from idservice.scim.resource_types import GROUP, STAFF_URN, TYPES, USER, USER_URN


@pytest.mark.parametrize(
    "text",
    ["userName", "username", f"{USER_URN}:userName", "name.familyName", f"{STAFF_URN}:counter", "meta.version", "id"],
)
def test_a_name(text: str) -> None:
    assert USER.find(text) is not None


@pytest.mark.parametrize(
    "text", ["", ".", "name.", "name.x", "counter", f"{STAFF_URN}:userName", f"{USER_URN}:", "userName.x", "urn:x:y"]
)
def test_no_name(text: str) -> None:
    assert USER.find(text) is None


def test_the_number_is_written_and_never_read() -> None:
    number = USER.find(f"{STAFF_URN}:idNumber")
    assert number is not None
    assert (number.leaf.mutability, number.leaf.returned) == (WRITE_ONLY, NEVER)


def test_what_is_held_is_not_the_clients_to_write() -> None:
    for name in ("groups", "id", "meta", "schemas"):
        found = USER.find(name)
        assert found is not None
        assert found.leaf.mutability == READ_ONLY
    identifier = GROUP.find("id")
    assert identifier is not None
    assert identifier.leaf.returned == ALWAYS


def test_schemas_tell_every_attribute() -> None:
    told = {schema["id"]: schema for schema in schemas("https://x/scim/v2")}
    assert set(told) == {schema.urn for kind in TYPES for schema in kind.schemas}
    for kind in TYPES:
        for schema in kind.schemas:
            assert [one["name"] for one in told[schema.urn]["attributes"]] == [one.name for one in schema.attributes]
    assert [kind["endpoint"] for kind in resource_types("")] == ["/Users", "/Groups"]
