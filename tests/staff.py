"""A city with two departments and the directories that keep their staff accounts over SCIM."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, select

from idservice.admin.models import Administrator, AdminRequest
from idservice.call import Call
from idservice.models import Client, Department, Staff
from idservice.oauth import clients
from idservice.scim.models import StaffAccount
from tests.builders import act
from tests.identity import ALICE, SECRET, City, basic, bearer, company_code, token

HOUSING, HEALTH = company_code("1137160010005000"), company_code("1137160010006000")
NAMES = {HOUSING: "示范市住房局", HEALTH: "示范市卫生局"}
DIRECTORY, ELSEWHERE, BOTH, NOWHERE = "directory", "directory-health", "directory-both", "directory-none"
REACHES = {DIRECTORY: [HOUSING], ELSEWHERE: [HEALTH], BOTH: [HOUSING, HEALTH], NOWHERE: []}
USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
STAFF = "urn:ona:scim:schemas:2.0:Staff"
PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
SEARCH = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"
ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"
MEDIA_TYPE = "application/scim+json"
OFFICERS, CLERKS = f"officer.{HOUSING}", f"clerk.{HOUSING}"


def staffed(city: City) -> City:
    """Enter the departments and their directories."""

    def enter(call: Call) -> None:
        for code, name in NAMES.items():
            call.session.add(Department(credit_code=code, name=name, name_en="Demo bureau", region="371600"))
        for client_id, departments in REACHES.items():
            if call.session.get(Client, client_id) is None:
                clients.register(
                    call,
                    client_id=client_id,
                    name=f"人事系统 {client_id}",
                    unit="示范单位",
                    auth_method="client_secret_basic",
                    secret=SECRET,
                    grant_types=["client_credentials"],
                    scope="scim.read scim.write matters.read",
                    departments=departments,
                )

    act(city.house, enter)
    return city


def directory_token(city: City, client_id: str = DIRECTORY, scope: str = "scim.read scim.write") -> str:
    form = {"grant_type": "client_credentials", "scope": scope}
    found: str = token(city.app, form, basic(client_id)).json["access_token"]
    return found


class Scim:
    """A directory's program."""

    def __init__(self, city: City, client_id: str = DIRECTORY, scope: str = "scim.read scim.write") -> None:
        self.city = city
        self.headers = bearer(directory_token(city, client_id, scope))
        self.client = city.app.test_client()

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.open(
            f"/scim/v2{path}",
            method=method,
            json=body,
            headers={**self.headers, **({"Content-Type": MEDIA_TYPE} if body is not None else {}), **sent},
        )

    def user(self, name: str, **members: Any) -> dict[str, Any]:
        answer = self("POST", "/Users", {"schemas": [USER], "userName": name, **members})
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json
        return found

    def linked(self, name: str, number: str = ALICE, **members: Any) -> dict[str, Any]:
        return self.user(name, **{STAFF: {"idNumber": number}, **members})

    def patch(self, path: str, *operations: dict[str, Any], **headers: str) -> Any:
        return self("PATCH", path, {"schemas": [PATCH_OP], "Operations": list(operations)}, **headers)

    def join(self, group: str, *accounts: dict[str, Any]) -> Any:
        value = [{"value": account["id"]} for account in accounts]
        return self.patch(f"/Groups/{group}", {"op": "add", "path": "members", "value": value})

    def names(self, query: str, path: str = "/Users") -> list[str]:
        answer = self("GET", f"{path}?{query}")
        assert answer.status_code == 200, answer.text
        return [found.get("userName", found["id"]) for found in answer.json["Resources"]]


def posts_of(place: Any, subject: str) -> set[tuple[str, str]]:
    """The posts a person holds in a city, or in anything else that has a house."""
    query = select(Staff.role, Staff.department).where(Staff.subject == subject)
    return act(place.house, lambda call: {(role, department) for role, department in call.session.execute(query)})


def refused(answer: Any) -> tuple[int, str | None]:
    """Status and scimType of a refusal, which has SCIM's form and no other."""
    assert answer.headers["Content-Type"].startswith(MEDIA_TYPE), answer.text
    assert answer.json["schemas"] == [ERROR]
    assert answer.json["status"] == str(answer.status_code)
    assert answer.json["detail"]
    return answer.status_code, answer.json.get("scimType")


def forget_staff(city: City) -> None:
    """Take every account, post and request away, and every administrator but those for security."""

    def clear(call: Call) -> None:
        for model in (Staff, StaffAccount, AdminRequest):
            call.session.execute(delete(model))
        call.session.execute(delete(Administrator).where(Administrator.role != "security"))

    act(city.house, clear)
