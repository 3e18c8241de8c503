"""What the demonstration's department system may read of others' licences (共享授权): a few types, agreed by two."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from idservice.call import Call, Caller
from licences import catalogue
from licences.sharing import permissions
from licences.sharing.models import SharingPermission
from licences.sharing.permissions import Operation

if TYPE_CHECKING:
    from licences.demo.city import DemoCity

CLIENT: Final = "share"
_GROUND: Final = "《国务院关于在线政务服务的若干规定》（国务院令第716号）第七条（演示）"
_AGREES: Final = Caller(channel="cli", client_id="demo-second")  # who builds the city stands for both persons
#: Slug of the type -> the matter that needs it.
_MATTERS: Final = {
    "resident_card": "DM-M-028",
    "real_estate_title": "DM-M-028",
    "marriage_certificate": "DM-M-028",
    "business_licence": "DM-M-007",
}


def permit(call: Call, town: DemoCity) -> None:
    """Enter the permissions that are not there yet."""
    agreeing = Call(call.house, call.session, _AGREES, call.now, call.request_id)
    department = town.departments[0].credit_code
    for code, entry in catalogue.entries(call).items():
        matter = _MATTERS.get(entry.type.slug)
        if matter is None or call.session.get(SharingPermission, (CLIENT, code)) is not None:
            continue
        wanted = {"client_id": CLIENT, "type": code, "operations": list(map(str, Operation)), "matter": matter}
        asked = permissions.ask(call, wanted | {"department": department, "ground": _GROUND, "unattended": True})
        permissions.agree(agreeing, CLIENT, code, asked_at=asked.asked_at)
