"""Consents through the API: list them, take one back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask_smorest import Blueprint
from marshmallow import Schema, fields

from idservice.errors import Problem
from idservice.http.endpoint import endpoint
from idservice.oauth import consents
from idservice.oauth.receipt_routes import holder_of

if TYPE_CHECKING:
    from idservice.call import Call

blueprint = Blueprint("consents", __name__, url_prefix="/v1/consents", description="What I let apps know and do")


class ConsentSchema(Schema):
    """One consent in force."""

    client_id = fields.String(required=True)
    name = fields.String(required=True)
    unit = fields.String(required=True)
    scope = fields.List(fields.String(), required=True)
    given_at = fields.AwareDateTime(required=True)
    receipt = fields.String(allow_none=True, required=True, metadata={"description": "Id of its signed receipt"})


class ConsentsSchema(Schema):
    """The holder's consents in force, newest first."""

    items = fields.List(fields.Nested(ConsentSchema), required=True)
    next_cursor = fields.String(allow_none=True, required=True)


class WithdrawalSchema(Schema):
    """A withdrawal."""

    client_id = fields.String(required=True)
    withdrawn_at = fields.AwareDateTime(required=True)
    receipt = fields.String(required=True, metadata={"description": "Id of its signed receipt"})


@endpoint(blueprint, "GET", "", scope="consents.manage", answer=ConsentsSchema)
def list_consents(call: Call) -> dict[str, Any]:
    """List the holder's consents in force, newest first."""
    return {"items": consents.of_holder(call, holder_of(call)), "next_cursor": None}


@endpoint(
    blueprint,
    "POST",
    "/<string(maxlength=64):client_id>/withdrawals",
    scope="consents.manage",
    answer=WithdrawalSchema,
    status=201,
    write=True,
)
def withdraw(call: Call, client_id: str) -> dict[str, Any]:
    """Take the consent to one app back; every token it got by it ends at once."""
    receipt = consents.withdraw(call, holder_of(call), client_id)
    if receipt is None:
        raise Problem("not_found", "There is no consent in force for this app.")
    return {"client_id": client_id, "withdrawn_at": call.now, "receipt": receipt}
