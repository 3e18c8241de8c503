"""Consent receipts through the API: list them, fetch one as it was signed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Response
from flask_smorest import Blueprint
from marshmallow import Schema, fields

from idservice.accesses import PageQuery
from idservice.errors import Problem
from idservice.http.application import WholeResponse
from idservice.http.endpoint import endpoint
from idservice.oauth import mandate_detail, receipts

if TYPE_CHECKING:
    from idservice.call import Call

blueprint = Blueprint(
    "consent_receipts", __name__, url_prefix="/v1/consent-receipts", description="Signed receipts of my consents"
)


class ReceiptSchema(Schema):
    """One receipt."""

    id = fields.String(required=True)
    client_id = fields.String(required=True)
    name = fields.String(required=True)
    unit = fields.String(required=True)
    event = fields.String(required=True, metadata={"enum": ["given", "withdrawn"]})
    at = fields.AwareDateTime(required=True)
    about = fields.String(
        allow_none=True, required=True, metadata={"description": "The earlier receipt it follows or withdraws"}
    )


class ReceiptsSchema(Schema):
    """A page of receipts, newest first."""

    items = fields.List(fields.Nested(ReceiptSchema), required=True)
    next_cursor = fields.String(allow_none=True, required=True)


@endpoint(blueprint, "GET", "", scope="consents.manage", query=PageQuery, answer=ReceiptsSchema)
def list_receipts(call: Call, query: dict[str, Any]) -> dict[str, Any]:
    """List the receipts of the holder's consents and withdrawals, newest first."""
    items, cursor = receipts.of_holder(call, holder_of(call), limit=query["limit"], cursor=query["cursor"])
    return {"items": items, "next_cursor": cursor}


@endpoint(blueprint, "GET", "/<string(length=32):receipt_id>", scope="consents.manage")
def get_receipt(call: Call, receipt_id: str) -> Response:
    """Return one receipt as it was signed: a JWT of the type consent-receipt+jwt."""
    return answer(receipts.find(call, holder_of(call), receipt_id), receipt_id)


def holder_of(call: Call) -> str:
    """Return whose consents the caller may see and take back.

    Raises:
        Problem: forbidden, where the caller is no holder, or acts for one within limits.
    """
    holder = call.caller.holder
    if holder is None:
        raise Problem("forbidden", "Only a logged-in holder has consents.")
    mandate_detail.demand_whole(call)
    return holder


def answer(receipt: str | None, receipt_id: str) -> Response:
    """Return a receipt as a file to keep.

    Raises:
        Problem: not_found, where there is none.
    """
    if receipt is None:
        raise Problem("not_found", "There is no such receipt.")
    response = WholeResponse(receipt, content_type="application/jwt")
    response.headers["Content-Disposition"] = f'attachment; filename="consent-{receipt_id}.jwt"'
    return response
