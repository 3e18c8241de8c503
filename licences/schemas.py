"""The room's boundary: what a request may hold, and what an answer promises (marshmallow, in OpenAPI too)."""

from __future__ import annotations

from datetime import date
from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, validate, validates_schema

from idservice.http.line import Line
from idservice.http.openapi import Upload
from licences import scan
from licences.lifecycle import REWRITING, Change, State
from licences.metadata import MAX_HOLDERS
from licences.scan import Scan
from licences.surface import is_date
from licences.verify import MAX_TEXT

CREDIT_CODE = validate.Regexp(r"\A[0-9A-Z]{18}\Z")
IDENTIFIER = validate.Regexp(r"\A[0-9A-Za-z.]{1,192}\Z")
MAX_REASON = 200
_NEW_FACTS = REWRITING | {Change.RENEW}


class Day(fields.Date):
    """A calendar day YYYY-MM-DD from 1800 to 2199."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_options: Any) -> date:  # noqa: ARG002
        if not isinstance(value, str) or not is_date(value):
            raise self.make_error("invalid", input=value, obj_type="date")
        return date.fromisoformat(value)


class ScannedFile(Upload):
    """An uploaded picture, sealed file or text, read before a transaction is opened: a decoder holds no lock."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> Scan:  # type: ignore[override]
        return scan.read(super()._deserialize(value, attr, data, **options))


# --- what comes in -----------------------------------------------------------------------------------------------


class HolderRef(Schema):
    """Whom a licence is issued to."""

    number = fields.String(
        required=True, validate=validate.Length(1, 64), metadata={"description": "Citizen number or credit code"}
    )


class IssueBody(Schema):
    """A licence to be issued; the examples of `GET /v1/licence-types` are enough for `fields`."""

    type = fields.String(required=True, validate=validate.Length(1, 64))
    holder = fields.Nested(HolderRef)
    holders = fields.List(
        fields.Nested(HolderRef),
        validate=validate.Length(1, MAX_HOLDERS),
        metadata={"description": "In place of `holder`, several in their order: the first is the owner"},
    )
    fields_ = fields.Dict(keys=fields.String(), required=True, data_key="fields", attribute="fields")
    valid_from = Day()
    valid_until = Day(allow_none=True, metadata={"description": "Last day, inclusive; null: no end"})
    department = fields.String(validate=CREDIT_CODE, metadata={"description": "Default: the first that issues it"})
    collect = fields.Boolean(
        load_default=False,
        truthy={True},
        falsy={False},
        metadata={"description": "It holds only once the holder or an officer has collected it"},
    )

    @validates_schema
    def want_holder(self, data: dict[str, Any], **_options: Any) -> None:
        """Refuse neither and both."""
        if ("holder" in data) is ("holders" in data):
            raise ValidationError({"holder": ["Name holder or holders."]})

    @post_load
    def name_first(self, data: dict[str, Any], **_options: Any) -> dict[str, Any]:
        """Return the body with its first holder as `holder` in every case."""
        return data if "holder" in data else data | {"holder": data["holders"][0]}


class ChangeBody(Schema):
    """A change in a licence's life; `fields` and dates belong to renew, change and correct alone."""

    change = fields.String(
        required=True,
        validate=validate.Length(1, 32),
        metadata={"description": " ".join(deed for deed in Change if deed is not Change.ISSUE)},
    )
    ground = fields.String(
        validate=validate.Length(1, 24),
        metadata={"description": "The code of the legal ground; default: the usual one of the change"},
    )
    reason = Line(MAX_REASON)
    fields_ = fields.Dict(keys=fields.String(), data_key="fields", attribute="fields")
    valid_from = Day()
    valid_until = Day()

    @validates_schema
    def refuse_what_has_no_effect(self, data: dict[str, Any], **_options: Any) -> None:
        """Refuse new facts for a change that only moves the state."""
        if data.get("change") not in _NEW_FACTS and data.keys() & {"fields", "valid_from", "valid_until"}:
            raise ValidationError(f"Only these take fields and dates: {' '.join(sorted(_NEW_FACTS))}.")


class LicenceQuery(Schema):
    """In which form a licence is read."""

    form = fields.String(
        load_default="licence",
        validate=validate.OneOf(["licence", "metadata"]),
        metadata={"description": "metadata: with the GB/T 36903 record as `metadata` and `short_names`"},
    )


class LicencesQuery(Schema):
    """Which licences to list: the holder's own, or those a department issued."""

    type = fields.String(load_default=None, validate=validate.Regexp(r"\A[0-9A-Z]{1,21}\Z"))
    state = fields.String(load_default=None, validate=validate.OneOf([str(state) for state in State]))
    department = fields.String(load_default=None, validate=CREDIT_CODE)
    limit = fields.Integer(load_default=50, validate=validate.Range(1, 200))
    cursor = fields.String(load_default=None, validate=IDENTIFIER)


class PaperQuery(Schema):
    """Which text the QR code for paper holds."""

    form = fields.String(
        load_default="url",
        validate=validate.OneOf(["url", "lc1"]),
        metadata={"description": "url: an address that any camera opens; lc1: smaller, for the scanners of counters"},
    )
    signature = fields.String(
        load_default="es256",
        validate=validate.OneOf(["es256", "sm2"]),
        metadata={"description": "sm2: for readers that trust the commercial algorithms of GB/T 32918 alone"},
    )


class ShowBody(Schema):
    """What the holder shows: some of his licences, or those a matter needs."""

    licences = fields.List(fields.String(validate=IDENTIFIER), validate=validate.Length(1, 20))
    matter = fields.String(validate=validate.Length(1, 64))
    fields_ = fields.List(
        fields.String(validate=validate.Length(1, 40)),
        data_key="fields",
        attribute="fields",
        validate=validate.Length(max=100),
        metadata={"description": "Fields the reader may see in clear, and no others; default: all, masked"},
    )
    audience = Line(
        128,
        metadata={
            "description": "A department's credit code or a client_id: nobody else can use the code. Else a note"
        },
    )


class ShowStatusBody(Schema):
    """The code asked about; it stands in the body because URLs are written to logs."""

    code = fields.String(required=True, validate=validate.Length(1, 64))


class OperatorRef(Schema):
    """The clerk who asks, named by a system that has logged him in itself."""

    id_number = fields.String(required=True, validate=validate.Length(1, 64))
    counter = Line(64)


class VerificationBody(Schema):
    """What was scanned: text, or a file (a picture of a code, a sealed document)."""

    text = fields.String(validate=validate.Length(1, MAX_TEXT))
    file = ScannedFile()
    purpose = Line(200)
    department = fields.String(validate=CREDIT_CODE)
    operator = fields.Nested(OperatorRef)

    @validates_schema
    def want_one(self, data: dict[str, Any], **_options: Any) -> None:
        """Refuse neither and both."""
        if ("text" in data) is ("file" in data):
            raise ValidationError("Send text or a file.")


# --- what goes out -----------------------------------------------------------------------------------------------


class UnitSchema(Schema):
    """A department by name and credit code."""

    name = fields.String(required=True)
    code = fields.String(required=True)


class SummarySchema(Schema):
    """A licence without a word about its holder."""

    identifier = fields.String(required=True)
    version = fields.Integer(required=True)
    type = fields.String(required=True)
    type_version = fields.Integer(
        allow_none=True, metadata={"description": "The version of its type under which it was issued; null: not read"}
    )
    name = fields.String(required=True)
    name_en = fields.String(required=True)
    state = fields.String(required=True, validate=validate.OneOf([str(state) for state in State]))
    issuer = fields.Nested(UnitSchema, required=True)
    valid_from = fields.Date(required=True)
    valid_until = fields.Date(required=True, allow_none=True, metadata={"description": "Last day; null: no end"})
    issued_at = fields.AwareDateTime(required=True)
    changed_at = fields.AwareDateTime(required=True)
    next_identifier = fields.String(allow_none=True, metadata={"description": "The version that replaced this one"})


class HolderSchema(Schema):
    """The holder, masked unless the reader may see more."""

    name = fields.String(required=True)
    number = fields.String(required=True)


class FaceSchema(SummarySchema):
    """A licence as far as its reader may see it."""

    holder = fields.Nested(HolderSchema, required=True)
    co_holders = fields.List(fields.Nested(HolderSchema), metadata={"description": "The others, masked"})
    fields_ = fields.Dict(data_key="fields", attribute="fields", required=True)


class LicenceSchema(FaceSchema):
    """A licence, whole."""

    number = fields.String(required=True, metadata={"description": "The licence number (证照编号)"})
    holders = fields.List(fields.Nested(HolderSchema), metadata={"description": "All of them, in their order"})
    metadata = fields.Dict(metadata={"description": "With `form=metadata`: the GB/T 36903 record, English keys"})
    short_names = fields.Dict(metadata={"description": "The same under the pinyin short names (ZZMC, ZZLXDM, ...)"})
    demonstration = fields.Boolean(required=True)


class ChangedSchema(LicenceSchema):
    """What a change did, and the licence as it is now; after renew or correct the new version."""

    id = fields.String(required=True)
    change = fields.String(required=True)
    at = fields.AwareDateTime(required=True)


class LicencesSchema(Schema):
    """A page of licences."""

    items = fields.List(fields.Nested(SummarySchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class TypesSchema(Schema):
    """The catalogue. Every field states an example; together they are enough to issue one licence."""

    items = fields.List(fields.Dict(), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class ShownSchema(Schema):
    """A show code; it is told once."""

    code = fields.String(required=True)
    qr_text = fields.String(required=True)
    expires_at = fields.AwareDateTime(required=True)
    licences = fields.List(fields.String(), required=True)


class ShowStatusSchema(Schema):
    """Whether a show code was used, and where."""

    expires_at = fields.AwareDateTime(required=True)
    used_at = fields.AwareDateTime(required=True, allow_none=True)
    shown_to = fields.String(required=True, allow_none=True)


class CheckSchema(Schema):
    """One named check."""

    name = fields.String(required=True)
    result = fields.String(required=True, validate=validate.OneOf(["ok", "notice", "fail", "not_checked"]))
    detail = fields.String()


class AnnotationSchema(Schema):
    """What an annotated copy (加注件) was made for; after `expires_at` it holds no longer."""

    number = fields.String(required=True)
    purpose = fields.String(required=True)
    asked_by = fields.String(required=True)
    made_at = fields.AwareDateTime(required=True)
    expires_at = fields.AwareDateTime(required=True)


class ReportSchema(Schema):
    """Does it hold, what is it, and why not."""

    ok = fields.Boolean(required=True)
    state = fields.String(required=True, allow_none=True)
    reasons = fields.List(fields.String(), required=True)
    checks = fields.List(fields.Nested(CheckSchema), required=True)
    scanned = fields.String(required=True)
    at = fields.AwareDateTime(required=True)
    licence = fields.Nested(FaceSchema)
    licences = fields.List(fields.Nested(FaceSchema))
    document = fields.Dict(metadata={"description": "For a sealed file: as POST /v1/seal-verifications answers"})
    annotation = fields.Nested(AnnotationSchema, metadata={"description": "Of an annotated copy: what it is for"})
