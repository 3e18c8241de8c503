"""The boundary of showing: requests that a counter shows, and devices that show offline."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from idservice.http.line import Line
from licences.schemas import CREDIT_CODE, IDENTIFIER, OperatorRef, ReportSchema
from licences.show import MAX_LICENCES
from licences.showing.requests import QUESTIONS

_COORDINATE = validate.Regexp(r"\A[0-9A-Za-z_-]{43}\Z")


class RequestBody(Schema):
    """What is asked, and in whose name."""

    question = fields.String(
        required=True,
        validate=validate.OneOf(QUESTIONS),
        metadata={"description": "licences: a report as of a scan; any other: yes or no, and no data"},
    )
    types = fields.List(fields.String(validate=validate.Length(1, 40)), validate=validate.Length(1, 20))
    matter = fields.String(validate=validate.Length(1, 64))
    purpose = Line(200, required=True)
    department = fields.String(validate=CREDIT_CODE)
    operator = fields.Nested(OperatorRef)


class RequestSchema(Schema):
    """A request; its code is told once."""

    id = fields.String(required=True)
    code = fields.String(required=True)
    qr_text = fields.String(required=True)
    expires_at = fields.AwareDateTime(required=True)


class RequestStateSchema(Schema):
    """What became of a request."""

    id = fields.String(required=True)
    state = fields.String(required=True, validate=validate.OneOf(["waiting", "given", "refused", "read", "expired"]))
    expires_at = fields.AwareDateTime(required=True)


class RequestAnswerSchema(Schema):
    """The holder's answer. `check_number` must be the one on his screen."""

    question = fields.String(required=True)
    check_number = fields.String(required=True)
    answer = fields.Boolean(
        required=True, allow_none=True, metadata={"description": "To yes or no; null: cannot be told, or a report"}
    )
    reasons = fields.List(fields.String(), required=True)
    report = fields.Nested(ReportSchema)


class PrintingBody(Schema):
    """A show code, who prints for its holder, and what the copy is for: the purpose stands on every page."""

    text = fields.String(required=True, validate=validate.Length(1, 256), metadata={"description": "A show code"})
    purpose = Line(200, required=True)
    department = fields.String(validate=CREDIT_CODE)
    operator = fields.Nested(OperatorRef)


class PrintedSchema(Schema):
    """A sealed copy, in base64, under the number it bears."""

    number = fields.String(required=True)
    name = fields.String(required=True)
    media_type = fields.String(required=True)
    data = fields.String(required=True)
    expires_at = fields.AwareDateTime(required=True)


class DeviceKeySchema(Schema):
    """The device's public key as JWK (RFC 7517): P-256 alone."""

    kty = fields.String(required=True, validate=validate.Equal("EC"))
    crv = fields.String(required=True, validate=validate.Equal("P-256"))
    x = fields.String(required=True, validate=_COORDINATE)
    y = fields.String(required=True, validate=_COORDINATE)


class DeviceBody(Schema):
    """What a device asks for."""

    public_key = fields.Nested(DeviceKeySchema, required=True)
    licences = fields.List(fields.String(validate=IDENTIFIER), required=True, validate=validate.Length(1, MAX_LICENCES))


class DeviceCredentialSchema(Schema):
    """A minimal licence for one device."""

    licence = fields.String(required=True)
    name = fields.String(required=True)
    name_en = fields.String(required=True)
    credential = fields.String(required=True, metadata={"description": "COSE_Sign1, base64url: docs/device-codes.md"})
    expires_at = fields.AwareDateTime(required=True)


class DeviceEnrolledSchema(Schema):
    """What a device is given; by `at` it learns how far its clock is from the service's."""

    device = fields.String(required=True)
    items = fields.List(fields.Nested(DeviceCredentialSchema), required=True)
    at = fields.AwareDateTime(required=True)


class DeviceSchema(Schema):
    """A device that can show offline now."""

    device = fields.String(required=True)
    title = fields.String(required=True, allow_none=True)
    licences = fields.List(fields.String(), required=True)
    made_at = fields.AwareDateTime(required=True)
    expires_at = fields.AwareDateTime(required=True)


class DevicesSchema(Schema):
    """The holder's devices, the newest first."""

    items = fields.List(fields.Nested(DeviceSchema), required=True)
    next_cursor = fields.String(allow_none=True, required=True)
