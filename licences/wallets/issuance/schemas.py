"""The boundary of the holder's API for wallets: offers, and what wallets hold."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from idservice.http.line import Line
from licences.wallets.issuance.configurations import SUFFIXES


class WalletOfferBody(Schema):
    """What is offered, and whether the wallet may take it at once."""

    licence = Line(160, required=True)
    forms = fields.List(
        fields.String(validate=validate.OneOf(list(SUFFIXES))),
        load_default=["sd-jwt"],
        validate=validate.Length(1, len(SUFFIXES)),
    )
    grant = fields.String(
        load_default="pre_authorized_code", validate=validate.OneOf(["pre_authorized_code", "authorization_code"])
    )


class WalletOfferSchema(Schema):
    """An offer; told once. `tx_code` is for the holder's eyes and goes into no QR."""

    credential_offer = fields.String(required=True, attribute="by_value")
    credential_offer_uri = fields.String(required=True, attribute="by_reference")
    tx_code = fields.String(required=True, allow_none=True, attribute="second")
    expires_at = fields.AwareDateTime(required=True)


class WalletCopyGroup(Schema):
    """What one wallet holds of one licence in one form."""

    client_id = fields.String(required=True)
    licence = fields.String(required=True, attribute="identifier")
    configuration = fields.String(required=True)
    copies = fields.Integer(required=True)
    made_at = fields.AwareDateTime(required=True)
    expires_at = fields.AwareDateTime(required=True)


class WalletCopyGroups(Schema):
    """All that wallets hold."""

    items = fields.List(fields.Nested(WalletCopyGroup), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class WalletCopiesEndingBody(Schema):
    """Which copies end; neither names all of them."""

    client_id = Line(64)
    licence = Line(160)


class WalletCopiesEndedSchema(Schema):
    """How many ended."""

    ended = fields.Integer(required=True)
    at = fields.AwareDateTime(required=True)
