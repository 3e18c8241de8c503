"""SCIM as others read it: scim2-tester walks the service, scim2-client speaks to it with the models it discovers."""

from typing import Any

import pytest
from scim2_client.engines.wsgi import WSGISCIMClient
from scim2_models import ListResponse, ResourceType, Schema, ScimProvider, ServiceProviderConfig
from scim2_tester import Status, check_server

from tests.identity import ISSUER, City
from tests.staff import DIRECTORY, HOUSING, STAFF, Scim, directory_token, staffed

PASSED = {Status.SUCCESS, Status.SKIPPED}


@pytest.fixture(scope="module")
def office(city: City) -> City:
    return staffed(city)


def described(office: City) -> ScimProvider:
    """What the service says of itself, with two facts that no stranger can guess from a schema.

    A random text is neither a department nor a citizen number: the one is given as the example, the other left out.
    """
    ask = Scim(office)
    schemas = ask("GET", "/Schemas").json["Resources"]
    for schema in schemas:
        if schema["id"] == STAFF:
            schema["attributes"] = [one for one in schema["attributes"] if one["name"] != "idNumber"]
            schema["attributes"][0]["canonicalValues"] = [HOUSING]
    types = ask("GET", "/ResourceTypes").json["Resources"]
    config = ServiceProviderConfig.model_validate(ask("GET", "/ServiceProviderConfig").json)
    found = [Schema.model_validate(schema) for schema in schemas]
    return ScimProvider.from_discovery(found, [ResourceType.model_validate(kind) for kind in types], config)


def stranger(office: City, **more: Any) -> WSGISCIMClient:
    headers = {"Authorization": f"Bearer {directory_token(office, DIRECTORY)}"}
    return WSGISCIMClient(office.app, f"{ISSUER}/scim/v2", headers, **more)


def test_scim2_tester_finds_nothing_wrong_with_accounts(office: City) -> None:
    """It would take away what every account has: whether it works, and where; and overlooks the readOnly `linked`."""
    results = check_server(stranger(office, provider=described(office)), resource_types=["User"])
    wrong = {(one.title, one.data["urn"]): one.reason for one in results if one.status is not Status.SUCCESS}
    whole = {(title, STAFF) for title in ("check_add_attribute", "check_replace_attribute", "check_remove_attribute")}
    assert set(wrong) == {("check_remove_attribute", "active"), *whole}, wrong
    assert len(results) > 40


def test_scim2_tester_discovers_the_service(office: City) -> None:
    found = check_server(stranger(office), include_tags={"discovery", "misc", "service-provider-config", "schemas"})
    assert len(found) > 10
    assert [(one.title, one.reason) for one in found if one.status not in PASSED] == []


def test_scim2_client_keeps_accounts_and_groups(office: City) -> None:
    client = stranger(office)
    client.discover()
    user_model, group_model = client.get_resource_model("User"), client.get_resource_model("Group")
    made = client.create(user_model(user_name="wang.fang", display_name="王芳"))
    assert client.query(user_model, made.id).display_name == "王芳"
    made.display_name = "王小芳"
    assert client.replace(made).display_name == "王小芳"
    listed: ListResponse[Any] = client.query(user_model, query_parameters={"filter": 'displayName eq "王小芳"'})
    assert [one.id for one in listed.resources] == [made.id]
    groups = client.query(group_model)
    assert {group.id for group in groups.resources} == {f"officer.{HOUSING}", f"clerk.{HOUSING}"}
    client.delete(user_model, made.id)
    assert client.query(user_model, made.id, raise_scim_errors=False).status == 404
