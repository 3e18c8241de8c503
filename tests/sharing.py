"""Apps that share in the town's licences, for the tests of the sharing interface."""

from __future__ import annotations

from typing import Any

from werkzeug.test import TestResponse

from idservice.call import Call, Caller
from idservice.oauth import clients
from licences.sharing import permissions
from licences.sharing.permissions import Operation
from tests.identity import SECRET
from tests.town import ALICE, CLERK, MATTER, SECURITY, WINDOW, Town, type_of

CAUSE = "购房不动产转移登记"
RELIEF = "DM-T-001"
GROUND = "《国务院关于在线政务服务的若干规定》第七条"
AGREES = Caller(channel="cli", client_id="second")
OPERATOR = {"idNumber": CLERK, "counter": WINDOW}


def register(town: Town, client_id: str = "share-app", *, department: str = SECURITY, also: str = "") -> None:
    """Register a department's system; it may read nothing yet."""
    town.act(
        lambda call: clients.register(
            call,
            client_id=client_id,
            name="不动产登记系统",
            unit="示范市公安局",
            auth_method="client_secret_basic",
            secret=SECRET,
            grant_types=["client_credentials"],
            scope="licences.share lookups.create",
            departments=[one for one in (department, also) if one],
        )
    )


def permit(town: Town, slug: str = "resident_card", *operations: Operation, **changes: Any) -> None:
    """Permit an app to read a type, both persons agreeing."""
    wanted = {
        "client_id": "share-app",
        "type": type_of(slug).code,
        "operations": [str(one) for one in operations or Operation],
        "department": SECURITY,
        "matter": MATTER,
        "ground": GROUND,
        "unattended": False,
        **changes,
    }

    def both(call: Call) -> None:
        asked_at = permissions.ask(call, wanted).asked_at
        call.caller = AGREES
        permissions.agree(call, wanted["client_id"], wanted["type"], asked_at=asked_at)

    town.act(both)


def ask(town: Town, operation: str, data: dict[str, Any], client: str = "share-app", **more: Any) -> TestResponse:
    """Call an operation with a purpose and an operator; `...` leaves a member out."""
    whole = {"useCause": CAUSE, "operator": OPERATOR, **data}
    body = {"head": {}, "data": {name: value for name, value in whole.items() if value is not ...}, **more}
    answer: TestResponse = town.web.post(f"/v1/sharing/{operation}", json=body, headers=town.machine(client))
    return answer


def status(answer: TestResponse) -> int:
    assert answer.status_code == 200, answer.text
    found: int = answer.json["head"]["status"]
    return found


def holder(number: str = ALICE, slug: str = "resident_card", **more: Any) -> dict[str, Any]:
    """Whom and which type a look is about."""
    kind = "111" if len(number) == 18 and number[:17].isdigit() else "001"
    return {"holderCode": number, "holderCodeType": kind, "certificateTypeCode": type_of(slug).code, **more}


def link_of(town: Town, code: str, **more: Any) -> str:
    """Ask for a download and return the path of its link."""
    answer = ask(town, "downloadUrl", {"certificateIdentifier": code, **more})
    assert status(answer) == 0, answer.text
    url: str = answer.json["data"]["downloadUrl"]
    return url[url.index("/v1/") :]
