"""What goes over the wire about seals."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from idservice.http.openapi import Upload
from seals.lifecycle import Change, State

_PLAIN = validate.Regexp(r"[^\x00-\x1f\x7f\ud800-\udfff]*\Z", error="Control characters are refused.")
_RESULTS = ["ok", "notice", "fail", "not_checked"]


class SealBody(Schema):
    """A seal to be made. It bears the department's registered name."""

    department = fields.String(required=True, validate=validate.Regexp(r"[0-9A-Z]{18}\Z"))
    special = fields.String(
        load_default=None,
        validate=[validate.Length(4, 12), _PLAIN],
        metadata={"description": "Line under the star; it ends with 专用章, for example 行政审批专用章"},
    )
    valid_from = fields.AwareDateTime(load_default=None, metadata={"description": "Default: now"})
    valid_until = fields.AwareDateTime(load_default=None, metadata={"description": "Default: five years later"})


class SealSchema(Schema):
    """A seal in the register."""

    id = fields.String(required=True, metadata={"description": "14 digits: region and serial"})
    department = fields.String(required=True)
    name = fields.String(required=True)
    state = fields.Enum(State, by_value=True, required=True)
    valid_from = fields.AwareDateTime(required=True)
    valid_until = fields.AwareDateTime(required=True)
    created_at = fields.AwareDateTime(required=True)
    changed_at = fields.AwareDateTime(required=True)


class SealsQuery(Schema):
    """Keyset paging."""

    limit = fields.Integer(load_default=50, validate=validate.Range(1, 200))
    cursor = fields.String(load_default=None, validate=validate.Regexp(r"[0-9]{14}\Z"))


class SealsSchema(Schema):
    """A page of seals by number."""

    items = fields.List(fields.Nested(SealSchema), required=True)
    next_cursor = fields.String(allow_none=True, required=True)


class ChangeBody(Schema):
    """A change of a seal. What is destroyed stays destroyed."""

    change = fields.Enum(Change, by_value=True, required=True)
    reason = fields.String(required=True, validate=[validate.Length(1, 500), _PLAIN])


class ChangeSchema(Schema):
    """A change that was made."""

    id = fields.String(required=True)
    seal = fields.String(required=True)
    change = fields.Enum(Change, by_value=True, required=True)
    state = fields.Enum(State, by_value=True, required=True)
    at = fields.AwareDateTime(required=True)


class UseBody(Schema):
    """A document to be sealed."""

    file = Upload(required=True, validate=validate.Length(min=1))
    purpose = fields.String(required=True, validate=[validate.Length(1, 500), _PLAIN])
    format = fields.String(
        load_default="detached",
        validate=validate.OneOf(["ofd", "pdf", "detached"]),
        metadata={
            "description": "`detached`: an SES_Signature to lie beside the file; `ofd`: the sealed OFD; `pdf`: not yet"
        },
    )
    page = fields.Integer(
        load_default=None, validate=validate.Range(1, 100_000), metadata={"description": "OFD: from 1, the default"}
    )
    x = fields.Float(
        load_default=None,
        validate=validate.Range(0, 10_000),
        metadata={"description": "OFD: millimetres from the left edge; default: lower right of the page"},
    )
    y = fields.Float(
        load_default=None, validate=validate.Range(0, 10_000), metadata={"description": "OFD: millimetres from the top"}
    )
    lock = fields.Boolean(load_default=None, metadata={"description": "OFD: true refuses further seals"})

    @validates_schema
    def _position(self, data: dict[str, Any], **_options: object) -> None:
        if data["format"] != "ofd":
            given = [name for name in ("page", "x", "y", "lock") if data[name] is not None]
            if given:
                raise ValidationError("Only with format `ofd`.", given[0])
        elif (data["x"] is None) != (data["y"] is None):
            raise ValidationError("Give both x and y, or neither.", "x" if data["x"] is None else "y")


class ResultSchema(Schema):
    """A file, in base64."""

    name = fields.String(required=True)
    media_type = fields.String(required=True)
    data = fields.String(required=True)


class UseSchema(Schema):
    """A use of a seal."""

    id = fields.String(required=True)
    sealed_at = fields.AwareDateTime(required=True)
    digest = fields.String(required=True, metadata={"description": "SM3 of the file, hexadecimal"})
    result = fields.Nested(ResultSchema, required=True)


class VerificationBody(Schema):
    """A sealed file, or a seal signature and the document it lies beside."""

    file = Upload(required=True, metadata={"description": "Sealed OFD, SES_Signature (DER) or seal (.esl)"})
    document = Upload(metadata={"description": "The original, where the signature is detached"})


class CheckSchema(Schema):
    """One named answer."""

    name = fields.String(required=True)
    result = fields.String(required=True, validate=validate.OneOf(_RESULTS))
    detail = fields.String()


class PictureSchema(Schema):
    """What a seal's picture is; the picture itself is not repeated."""

    type = fields.String(required=True)
    width_mm = fields.Integer(required=True)
    height_mm = fields.Integer(required=True)


class SealFactsSchema(Schema):
    """What the seal in the file says of itself."""

    id = fields.String(required=True)
    name = fields.String(required=True)
    type = fields.Integer(required=True)
    vendor = fields.String(required=True)
    created_at = fields.String(required=True)
    valid_from = fields.String(required=True)
    valid_until = fields.String(required=True)
    picture = fields.Nested(PictureSchema, required=True)


class SignerSchema(Schema):
    """The signer's certificate."""

    name = fields.String(allow_none=True, required=True)
    subject = fields.String(required=True)
    issuer = fields.String(required=True)
    serial = fields.String(required=True)
    not_before = fields.String(required=True)
    not_after = fields.String(required=True)


class SignatureSchema(Schema):
    """What was found of one seal. Facts that could not be read, or do not apply, are left out."""

    checks = fields.List(fields.Nested(CheckSchema), required=True)
    seal = fields.Nested(SealFactsSchema)
    signer = fields.Nested(SignerSchema)
    signed_at = fields.String()
    altered = fields.List(fields.String())
    not_covered = fields.List(fields.String())


class ReportSchema(Schema):
    """Whose seals are on the file, and do they hold."""

    ok = fields.Boolean(required=True)
    format = fields.String(required=True)
    version = fields.Integer()
    signatures = fields.List(fields.Nested(SignatureSchema), required=True)
    reasons = fields.List(fields.String(), required=True)
