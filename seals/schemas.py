"""What goes over the wire about seals."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from idservice.http.line import Line
from idservice.http.openapi import Upload
from seals.lifecycle import OF_APPLICATIONS, Change, State
from seals.owner_kinds import OwnerKind
from seals.pdf import Profile
from seals.picture_kinds import Kind
from seals.picture_round import Rank

# Marks that text carries along from elsewhere are folded away in numbers, as everywhere.
_PERSON = [
    validate.Length(1, 64),
    validate.Regexp(r"[^\x00-\x1f\x7f\ud800-\udfff]*\Z", error="Control characters are refused."),
]
_RESULTS = ["ok", "notice", "fail", "not_checked"]


class DesignBody(Schema):
    """What a seal is to look like."""

    kind = fields.Enum(Kind, by_value=True, load_default=None, metadata={"description": "Default: by `special`"})
    special = Line(
        12,
        least=4,
        load_default=None,
        metadata={"description": "Line under the star; it ends with 专用章, for example 行政审批专用章"},
    )
    rank = fields.Enum(
        Rank,
        by_value=True,
        load_default=Rank.DEPARTMENT,
        metadata={"description": "Sets diameter and centre (国发〔1999〕25号)"},
    )
    number = fields.Integer(
        load_default=None, validate=validate.Range(1, 99), metadata={"description": "Tells several of one kind apart"}
    )
    code = fields.String(
        load_default=None,
        validate=validate.Regexp(r"[0-9A-Z]{13,20}\Z"),
        metadata={"description": "On the lower arc, 13 or 18 characters; the taxpayer's number of an invoice seal"},
    )


_CREDIT_CODE = validate.Regexp(r"[0-9A-Z]{18}\Z", error="A unified social credit code has 18 digits and capitals.")


class SealBody(DesignBody):
    """An application for a seal. The seal will bear its owner's registered name.

    It is a department's where `department` is given; else the organisation's for which the caller acts, or, of the
    kinds `personal` and `representative`, the caller's own.
    """

    department = fields.String(
        load_default=None, validate=_CREDIT_CODE, metadata={"description": "Credit code of the department"}
    )
    organisation = fields.String(
        load_default=None,
        validate=_CREDIT_CODE,
        metadata={"description": "Credit code; default: that for which the token was issued"},
    )
    reason = Line(500, least=0, load_default="")
    custodian = fields.String(
        load_default=None, validate=_PERSON, metadata={"description": "Citizen number of the keeper"}
    )
    users = fields.List(
        fields.String(validate=_PERSON),
        load_default=list,
        validate=validate.Length(max=50),
        metadata={
            "description": "Citizen numbers of who may use it; none: every officer of the department, or who leads the "
            "organisation"
        },
    )
    purposes = fields.List(
        Line(100),
        load_default=None,
        validate=validate.Length(1, 50),
        metadata={"description": "What it may be used for; default: anything"},
    )
    valid_from = fields.AwareDateTime(load_default=None, metadata={"description": "Default: now"})
    valid_until = fields.AwareDateTime(load_default=None, metadata={"description": "Default: five years later"})


class SealSchema(Schema):
    """A seal in the register."""

    id = fields.String(required=True, metadata={"description": "14 digits: region and serial"})
    owner_kind = fields.Enum(OwnerKind, by_value=True, required=True)
    department = fields.String(allow_none=True, required=True)
    organisation = fields.String(
        allow_none=True,
        required=True,
        metadata={"description": "Credit code of the owner, or of whom the owner represents"},
    )
    name = fields.String(required=True, metadata={"description": "A person's is masked, but to himself"})
    kind = fields.Enum(Kind, by_value=True, allow_none=True, required=True)
    state = fields.Enum(State, by_value=True, required=True)
    purposes = fields.List(fields.String(), allow_none=True, required=True)
    valid_from = fields.AwareDateTime(allow_none=True, required=True)
    valid_until = fields.AwareDateTime(allow_none=True, required=True)
    created_at = fields.AwareDateTime(required=True)
    changed_at = fields.AwareDateTime(required=True)


class SealsQuery(Schema):
    """Keyset paging."""

    limit = fields.Integer(load_default=50, validate=validate.Range(1, 200))
    cursor = fields.String(load_default=None, validate=validate.Regexp(r"[0-9]{14}\Z"))
    state = fields.Enum(
        State,
        by_value=True,
        load_default=None,
        validate=validate.OneOf(sorted(OF_APPLICATIONS)),
        metadata={"description": "Lists applications in that state in place of seals"},
    )


class SealsSchema(Schema):
    """A page of seals by number."""

    items = fields.List(fields.Nested(SealSchema), required=True)
    next_cursor = fields.String(allow_none=True, required=True)


class ChangeBody(Schema):
    """A change of a seal. What is destroyed stays destroyed."""

    change = fields.Enum(Change, by_value=True, required=True)
    reason = Line(500, required=True)


class ChangeSchema(Schema):
    """A change that was made."""

    id = fields.String(required=True)
    seal = fields.String(required=True)
    change = fields.Enum(Change, by_value=True, required=True)
    state = fields.Enum(State, by_value=True, required=True)
    at = fields.AwareDateTime(required=True)


class UserBody(Schema):
    """Somebody who may use a seal."""

    who = fields.String(
        required=True,
        validate=_PERSON,
        metadata={"description": "Citizen number of an officer, or client_id of a program of the department"},
    )
    until = fields.AwareDateTime(load_default=None, metadata={"description": "The last instant; default: no end"})


class UserSchema(Schema):
    """Somebody who may use a seal; a person's name is masked."""

    who = fields.String(required=True)
    until = fields.AwareDateTime(allow_none=True, required=True)


class UsersSchema(Schema):
    """Everybody who is named; nobody: every officer of the department may use the seal."""

    items = fields.List(fields.Nested(UserSchema), required=True)


class HistoryLineSchema(Schema):
    """One line of a seal's life."""

    at = fields.AwareDateTime(required=True)
    change = fields.String(required=True)
    state = fields.Enum(State, by_value=True, required=True)
    reason = fields.String(allow_none=True, required=True)
    who = fields.String(required=True)


class HistorySchema(Schema):
    """A seal's life, from the application on."""

    items = fields.List(fields.Nested(HistoryLineSchema), required=True)


class UsesQuery(Schema):
    """Keyset paging, newest first."""

    limit = fields.Integer(load_default=50, validate=validate.Range(1, 200))
    cursor = fields.String(load_default=None, validate=validate.Regexp(r"[0-9a-f]{32}\Z"))


class UseLineSchema(Schema):
    """One use: announced, and whether it was done."""

    id = fields.String(required=True)
    at = fields.AwareDateTime(required=True)
    digest = fields.String(required=True, metadata={"description": "SM3 of the file, hexadecimal"})
    purpose = fields.String(allow_none=True, required=True)
    on_behalf = fields.String(allow_none=True, required=True)
    who = fields.String(required=True)
    outcome = fields.String(required=True, validate=validate.OneOf(["done", "unfinished"]))


class UsesSchema(Schema):
    """A page of uses."""

    items = fields.List(fields.Nested(UseLineSchema), required=True)
    next_cursor = fields.String(allow_none=True, required=True)


class UseBody(Schema):
    """A document to be sealed."""

    file = Upload(required=True, validate=validate.Length(min=1))
    purpose = Line(500, required=True)
    on_behalf = Line(200, load_default=None, metadata={"description": "For whom"})
    format = fields.String(
        load_default="detached",
        validate=validate.OneOf(["ofd", "pdf", "detached", "signed_data", "signature"]),
        metadata={
            "description": "`detached`: an SES_Signature to lie beside the file; `ofd`, `pdf`: the sealed file; "
            "`signed_data` (GB/T 35275) and `signature` (SM2 value alone): without the seal, beside the file"
        },
    )
    page = fields.Integer(
        load_default=None, validate=validate.Range(1, 100_000), metadata={"description": "From 1, the default"}
    )
    x = fields.Float(
        load_default=None,
        validate=validate.Range(0, 10_000),
        metadata={"description": "Millimetres from the left edge; default: lower right of the page"},
    )
    y = fields.Float(
        load_default=None, validate=validate.Range(0, 10_000), metadata={"description": "Millimetres from the top"}
    )
    keyword = Line(
        100,
        load_default=None,
        metadata={"description": "Text whose first place the middle of the seal lies on; with `page` on that page"},
    )
    across = fields.Boolean(
        load_default=None, metadata={"description": "OFD: true puts slices on the right edges of all pages (骑缝章)"}
    )
    lock = fields.Boolean(load_default=None, metadata={"description": "True refuses further seals"})
    profile = fields.Enum(
        Profile,
        by_value=True,
        load_default=None,
        metadata={"description": "PDF: PAdES level, or `SES` for the SM2 seal (GB/T 38540) in the PDF"},
    )

    @validates_schema
    def _position(self, data: dict[str, Any], **_options: object) -> None:
        form, where = data["format"], ("page", "x", "y", "keyword", "across", "lock")
        foreign = {"ofd": ("profile",), "pdf": ("across",)}.get(form, (*where, "profile"))
        if given := [name for name in foreign if data[name] is not None]:
            raise ValidationError(f"Not with format `{form}`.", given[0])
        if (data["x"] is None) != (data["y"] is None):
            raise ValidationError("Give both x and y, or neither.", "x" if data["x"] is None else "y")
        ways = [name for name in ("x", "keyword") if data[name] is not None] + ["across"] * bool(data["across"])
        if len(ways) > 1 or (data["across"] and data["page"] is not None):
            raise ValidationError("Choose one way to say where.", ways[-1])


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

    file = Upload(
        required=True,
        metadata={"description": "Sealed OFD or PDF, SES_Signature, seal (.esl), SignedData or signature value"},
    )
    document = Upload(metadata={"description": "The original, where the signature is detached"})
    certificate = Upload(metadata={"description": "The signer's (DER or PEM), where the signature is a value alone"})


class CheckSchema(Schema):
    """One named answer."""

    name = fields.String(required=True)
    result = fields.String(required=True, validate=validate.OneOf(_RESULTS))
    detail = fields.String()


class PictureSchema(Schema):
    """What a seal's picture is."""

    type = fields.String(required=True)
    width_mm = fields.Integer(required=True)
    height_mm = fields.Integer(required=True)


class ShownPictureSchema(PictureSchema):
    """The picture of a seal, or what is seen in its place on a PDF."""

    data = fields.String(metadata={"description": "`data:` URI; absent for a kind that browsers do not show"})


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
    key = fields.String(required=True)
    identities = fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        required=True,
        metadata={"description": "GB/T 20518 extensions; personal ones are masked"},
    )


class TimesSchema(Schema):
    """What the signer claims, and what a trusted time-stamp authority says."""

    claimed = fields.String(allow_none=True, required=True)
    trusted = fields.String(allow_none=True, required=True)
    authority = fields.String(allow_none=True, required=True)


class SignatureSchema(Schema):
    """What was found of one seal. Facts that could not be read, or do not apply, are left out."""

    checks = fields.List(fields.Nested(CheckSchema), required=True)
    seal = fields.Nested(SealFactsSchema)
    picture = fields.Nested(ShownPictureSchema)
    signer = fields.Nested(SignerSchema)
    signed_at = fields.String()
    times = fields.Nested(TimesSchema)
    altered = fields.List(fields.String())
    not_covered = fields.List(fields.String())


class ReportSchema(Schema):
    """Whose seals are on the file, and do they hold."""

    ok = fields.Boolean(required=True)
    format = fields.String(required=True)
    version = fields.Integer()
    signatures = fields.List(fields.Nested(SignatureSchema), required=True)
    reasons = fields.List(fields.String(), required=True)
