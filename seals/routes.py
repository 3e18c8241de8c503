"""The API of seals (用章接口)."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from flask_smorest import Blueprint

from idservice.errors import Kind, Problem, register
from idservice.http.endpoint import endpoint
from seals import register as seal_register
from seals.change import change
from seals.models import Seal
from seals.ofd_page import Position
from seals.schemas import (
    ChangeBody,
    ChangeSchema,
    ReportSchema,
    SealBody,
    SealSchema,
    SealsQuery,
    SealsSchema,
    UseBody,
    UseSchema,
    VerificationBody,
)
from seals.use import intend, use
from seals.use_ofd import draft, use_ofd
from seals.verify import verify

if TYPE_CHECKING:
    from idservice.call import Call
    from seals.ofd_writer import Draft

register({"format_not_offered": Kind(422, "暂不提供这种格式", "This format is not offered yet")})

SCOPE = "seals.use"
blueprint = Blueprint("seals", __name__, url_prefix="/v1", description="Electronic seals")
BLUEPRINTS = (blueprint,)
PLAIN_BLUEPRINTS: tuple[object, ...] = ()


@endpoint(
    blueprint,
    "POST",
    "/seals",
    scope=SCOPE,
    body=SealBody,
    answer=SealSchema,
    status=201,
    write=True,
    limit="30/minute",
)
def make_seal(call: Call, body: dict[str, Any]) -> dict[str, Any]:
    """Make a department's seal."""
    seal_id = seal_register.make(call, **body)
    return seal_register.shown(call, call.session.get_one(Seal, seal_id))


@endpoint(blueprint, "GET", "/seals", scope=SCOPE, query=SealsQuery, answer=SealsSchema)
def list_seals(call: Call, query: dict[str, Any]) -> dict[str, Any]:
    """List the seals of the departments that the caller acts for."""
    return seal_register.listed(call, limit=query["limit"], cursor=query["cursor"])


@endpoint(
    blueprint,
    "POST",
    "/seals/<seal_id>/changes",
    scope=SCOPE,
    body=ChangeBody,
    answer=ChangeSchema,
    status=201,
    write=True,
)
def change_seal(call: Call, seal_id: str, body: dict[str, Any]) -> dict[str, Any]:
    """Suspend, resume or destroy a seal."""
    return change(call, seal_id, body["change"], reason=body["reason"])


def _intend(call: Call, seal_id: str, body: dict[str, Any]) -> tuple[str, Draft | None]:
    """Record the intent; a document that cannot be sealed is refused before."""
    document, ready = body["file"], None
    if body["format"] == "pdf":
        raise Problem("format_not_offered", "For now: detached or ofd.")
    if body["format"] == "ofd":
        position = Position(body["page"] or 1, body["x"], body["y"])
        ready = draft(call, seal_id=seal_id, document=document, position=position, lock=bool(body["lock"]))
    return intend(call, seal_id=seal_id, document=document), ready


@endpoint(
    blueprint,
    "POST",
    "/seals/<seal_id>/uses",
    scope=SCOPE,
    body=UseBody,
    answer=UseSchema,
    status=201,
    write=True,
    prepare=_intend,
    upload=True,
)
def use_seal(call: Call, seal_id: str, body: dict[str, Any], prepared: tuple[str, Draft | None]) -> dict[str, Any]:
    """Seal a file; the answer carries the seal signature or the sealed OFD. The file itself is not kept."""
    use_id, ready = prepared
    facts = {"seal_id": seal_id, "use_id": use_id, "document": body["file"], "purpose": body["purpose"]}
    if ready is None:
        used, ending, media_type = use(call, **facts), "ses", "application/octet-stream"
    else:
        used, ending, media_type = use_ofd(call, **facts, ready=ready), "ofd", "application/ofd"
    data = base64.b64encode(used.result).decode()
    return {
        "id": used.use_id,
        "sealed_at": used.sealed_at,
        "digest": used.digest.hex(),
        "result": {"name": f"{used.use_id}.{ending}", "media_type": media_type, "data": data},
    }


@endpoint(
    blueprint,
    "POST",
    "/seal-verifications",
    scope=None,
    body=VerificationBody,
    answer=ReportSchema,
    upload=True,
    limit="120/minute",
)
def verify_seal(call: Call, body: dict[str, Any]) -> dict[str, object]:
    """Tell whose seals are on a file and whether they hold. Open to everybody; nothing is kept."""
    return verify(call, body["file"], document=body.get("document")).as_json()
