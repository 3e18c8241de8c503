"""The API of seals (用章接口)."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from flask_smorest import Blueprint

from idservice.http.endpoint import endpoint
from idservice.oauth.authorization_details import demand
from keys.sm2 import sm3
from seals import approval, custody, time_routes, use_document
from seals import register as seal_register
from seals.change import change
from seals.detail_types import SEAL_USE
from seals.lifecycle import Change
from seals.making import waits
from seals.picture_kinds import chosen
from seals.position import Position
from seals.schemas import (
    ChangeBody,
    ChangeSchema,
    HistorySchema,
    ReportSchema,
    SealBody,
    SealSchema,
    SealsQuery,
    SealsSchema,
    UseBody,
    UserBody,
    UserSchema,
    UsersSchema,
    UseSchema,
    UsesQuery,
    UsesSchema,
    VerificationBody,
)
from seals.time_stamping import is_asked_elsewhere
from seals.use import intend
from seals.use_document import Form, Wish
from seals.uses import history, listed_uses
from seals.verify import certificate_of_file, verify

if TYPE_CHECKING:
    from idservice.call import Call
    from seals.models import Seal
    from seals.use import Made
    from seals.use_document import Ready

SCOPE = "seals.use"
blueprint = Blueprint("seals", __name__, url_prefix="/v1", description="Electronic seals")
BLUEPRINTS = (blueprint,)
PLAIN_BLUEPRINTS = (time_routes.blueprint,)


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
def apply_for_seal(call: Call, body: dict[str, Any]) -> dict[str, Any]:
    """Apply for a seal of a department, of an organisation, or of one's own; a second person approves it."""
    facts = dict(body)
    design = chosen(**{name: facts.pop(name) for name in ("kind", "rank", "special", "number", "code")})
    return seal_register.shown(call, approval.apply(call, design=design, **facts))


@endpoint(blueprint, "GET", "/seals", scope=SCOPE, query=SealsQuery, answer=SealsSchema)
def list_seals(call: Call, query: dict[str, Any]) -> dict[str, Any]:
    """List the seals of whom the caller acts for, his own among them, or applications in one state."""
    return seal_register.listed(call, **query)


@endpoint(blueprint, "GET", "/seals/<seal_id>", scope=SCOPE, answer=SealSchema)
def read_seal(call: Call, seal_id: str) -> dict[str, Any]:
    """Read a seal, or the application for it."""
    found = seal_register.find_application(call, seal_id) or seal_register.look_up(call, seal_id)
    return seal_register.shown(call, found)


@endpoint(blueprint, "GET", "/seals/<seal_id>/changes", scope=SCOPE, answer=HistorySchema)
def list_changes(call: Call, seal_id: str) -> dict[str, Any]:
    """Tell the life of a seal, from the application on."""
    return {"items": history(call, seal_id)}


@endpoint(blueprint, "GET", "/seals/<seal_id>/users", scope=SCOPE, answer=UsersSchema)
def list_users(call: Call, seal_id: str) -> dict[str, Any]:
    """Tell who may use a seal; with nobody named, every officer of the department may."""
    return {"items": custody.users(call, seal_register.find(call, seal_id).seal_id)}


@endpoint(
    blueprint,
    "POST",
    "/seals/<seal_id>/users",
    scope=SCOPE,
    body=UserBody,
    answer=UserSchema,
    status=201,
    write=True,
)
def name_user(call: Call, seal_id: str, body: dict[str, Any]) -> dict[str, Any]:
    """Name somebody who may use a seal, and until when; an end that has come takes the right away."""
    return custody.permit(call, seal_register.find(call, seal_id), body["who"], until=body["until"])


@endpoint(blueprint, "GET", "/seals/<seal_id>/uses", scope=SCOPE, query=UsesQuery, answer=UsesSchema)
def list_uses(call: Call, seal_id: str, query: dict[str, Any]) -> dict[str, Any]:
    """List what a seal was used for, newest first."""
    return listed_uses(call, seal_id, **query)


def _is_due(call: Call, seal_id: str, body: dict[str, Any]) -> bool:  # noqa: ARG001 - of the address
    """Say that the change is still to be made: one that was answered before is not asked for again."""
    return body["change"] is Change.MAKE and waits(call)


def _make_ahead(call: Call, seal_id: str, body: dict[str, Any], prepared: bool) -> Seal | None:
    return approval.make_ahead(call, seal_id, body["change"]) if prepared else None


@endpoint(
    blueprint,
    "POST",
    "/seals/<seal_id>/changes",
    scope=SCOPE,
    body=ChangeBody,
    answer=ChangeSchema,
    status=201,
    write=True,
    prepare=_is_due,
    ask=_make_ahead,
)
def change_seal(call: Call, seal_id: str, body: dict[str, Any], prepared: Seal | None) -> dict[str, Any]:
    """Approve, refuse or make a seal applied for; suspend, resume, report lost, retire or destroy one."""
    return change(call, seal_id, body["change"], reason=body["reason"], made=prepared)


def _wish(body: dict[str, Any]) -> Wish:
    position = Position(body["page"], body["x"], body["y"], body["keyword"], bool(body["across"]))
    return Wish(Form(body["format"]), position, bool(body["lock"]), body["profile"])


def _intend(call: Call, seal_id: str, body: dict[str, Any]) -> tuple[str, Ready]:
    """Record the intent; a document that cannot be sealed is refused before."""
    document = body["file"]
    demand(
        call,
        SEAL_USE.name,
        identifier=seal_id,
        datatypes=body["format"],
        purposes=body["purpose"],
        digests=sm3(document).hex(),
    )
    ready = use_document.draft(call, seal_id=seal_id, document=document, wish=_wish(body))
    return intend(call, seal_id=seal_id, document=document, purpose=body["purpose"], on_behalf=body["on_behalf"]), ready


def _ask(
    call: Call, seal_id: str, body: dict[str, Any], prepared: tuple[str, Ready]
) -> tuple[str, Ready] | tuple[str, Made]:
    """Seal before the writing transaction, where a time-stamp authority has to be waited for."""
    use_id, ready = prepared
    if not is_asked_elsewhere(call):
        return prepared
    facts = {"seal_id": seal_id, "use_id": use_id, "document": body["file"], "purpose": body["purpose"]}
    return use_id, use_document.make(call, **facts, ready=ready)


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
    ask=_ask,
    upload=True,
    detail=SEAL_USE.name,
)
def use_seal(call: Call, seal_id: str, body: dict[str, Any], prepared: tuple[str, Ready | Made]) -> dict[str, Any]:
    """Seal a file; the answer carries the seal signature or the sealed OFD or PDF. The file itself is not kept."""
    (use_id, ready), wish = prepared, _wish(body)
    facts = {"seal_id": seal_id, "use_id": use_id, "document": body["file"], "purpose": body["purpose"]}
    used = use_document.seal(call, **facts, ready=ready)
    data = base64.b64encode(used.result).decode()
    return {
        "id": used.use_id,
        "sealed_at": used.sealed_at,
        "digest": used.digest.hex(),
        "result": {"name": f"{used.use_id}.{wish.ending}", "media_type": wish.media_type, "data": data},
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
    certificate = certificate_of_file(body["certificate"]) if body.get("certificate") else None
    return verify(call, body["file"], document=body.get("document"), certificate=certificate).as_json()
