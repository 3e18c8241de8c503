"""The boundary of requests to wallets: what they may hold, and what is answered."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from idservice.http.line import Line
from licences.schemas import CREDIT_CODE, OperatorRef, ReportSchema
from licences.wallets.presentation.request import DIRECT_POST, ENCRYPTED, Prefix, Profile
from licences.wallets.presentation.requests import Flow

_STATES = ["waiting", "fetched", "given", "refused", "read", "expired"]


class WalletRequestBody(Schema):
    """What is asked of a wallet, what for, and in whose name."""

    purpose = Line(200, required=True)
    matter = fields.String(validate=validate.Length(1, 64))
    types = fields.List(fields.String(validate=validate.Length(1, 40)), validate=validate.Length(1, 8))
    dcql_query = fields.Dict(metadata={"description": "OpenID4VP 1.0 section 6; without it, made of types or matter"})
    profile = fields.String(load_default=Profile.OPEN, validate=validate.OneOf([str(one) for one in Profile]))
    flow = fields.String(load_default=Flow.CROSS_DEVICE, validate=validate.OneOf([str(one) for one in Flow]))
    client_id_prefix = fields.String(
        load_default=Prefix.X509_HASH, validate=validate.OneOf([str(one) for one in Prefix])
    )
    response_mode = fields.String(load_default=ENCRYPTED, validate=validate.OneOf([DIRECT_POST, ENCRYPTED]))
    return_uri = fields.String(
        validate=validate.Length(1, 2048),
        metadata={"description": "On the same device: a redirect URI of yours, which gets `response_code`"},
    )
    department = fields.String(validate=CREDIT_CODE)
    operator = fields.Nested(OperatorRef)


class WalletRequestSchema(Schema):
    """A request; its addresses are told once."""

    id = fields.String(required=True)
    link = fields.String(required=True, metadata={"description": "Opens a wallet on this device"})
    request_uri = fields.String(required=True, allow_none=True, metadata={"description": "Null: all is in the link"})
    qr_text = fields.String(required=True, allow_none=True, metadata={"description": "For a wallet on another device"})
    expires_at = fields.AwareDateTime(required=True)


class WalletRequestStateSchema(Schema):
    """What became of a request."""

    id = fields.String(required=True)
    state = fields.String(required=True, validate=validate.OneOf(_STATES))
    expires_at = fields.AwareDateTime(required=True)


class WalletAnswerBody(Schema):
    """By what the session that began a request on the same device is known."""

    response_code = fields.String(validate=validate.Length(1, 64))


class ForeignSchema(Schema):
    """A credential of an issuer elsewhere, as far as it was asked and disclosed."""

    id = fields.String(required=True)
    issuer = fields.String(required=True)
    type = fields.String(required=True)
    claims = fields.Dict(required=True)


class WalletAnswerSchema(Schema):
    """The wallet's answer. `check_number` must be the one on the holder's telephone."""

    check_number = fields.String(required=True)
    report = fields.Nested(ReportSchema, required=True)
    credentials = fields.List(
        fields.Nested(ForeignSchema), required=True, metadata={"description": "Those from elsewhere"}
    )
