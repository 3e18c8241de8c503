"""The counter's boundary: what a look-up and a consent may hold, and what is answered."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from licences.schemas import CREDIT_CODE, Line, SummarySchema

HEX_ID = validate.Regexp(r"\A[0-9a-f]{32}\Z")


class SubjectRef(Schema):
    """Whom a look-up is about."""

    number = fields.String(required=True, validate=validate.Length(1, 64))


class AuthorisationRef(Schema):
    """The ground of a look-up: exactly one."""

    code = fields.String(allow_none=True, validate=validate.Length(max=256))
    consent = fields.String(allow_none=True, validate=validate.Length(max=64))
    legal_basis = fields.String(allow_none=True, validate=validate.Length(max=500))


class LookupOperator(Schema):
    """The clerk who asks. What is missing is refused as forbidden (403) and recorded, not as malformed."""

    id_number = fields.String(allow_none=True, validate=validate.Length(max=64))
    counter = Line(64, least=0, allow_none=True)


class LookupBody(Schema):
    """A look-up for one matter and one subject. Purpose, case number, operator and authorisation are all needed."""

    matter = fields.String(required=True, validate=validate.Length(1, 64))
    subject = fields.Nested(SubjectRef, required=True)
    authorisation = fields.Nested(AuthorisationRef, allow_none=True)
    purpose = Line(200, least=0, allow_none=True)
    case_number = Line(64, least=0, allow_none=True)
    operator = fields.Nested(LookupOperator, allow_none=True)
    department = fields.String(validate=CREDIT_CODE)


class ConsentBody(Schema):
    """A consent that the proofs of a matter be looked up."""

    matter = fields.String(required=True, validate=validate.Length(1, 64))
    department = fields.String(validate=CREDIT_CODE, metadata={"description": "Default: any unit handling the matter"})
    days = fields.Integer(load_default=30, validate=validate.Range(1, 365), strict=True)


class PageQuery(Schema):
    """Keyset paging."""

    limit = fields.Integer(load_default=50, validate=validate.Range(1, 200))
    cursor = fields.String(load_default=None, validate=HEX_ID)


class MattersSchema(Schema):
    """The list of matters, the proofs each needs and the fields of each proof."""

    items = fields.List(fields.Dict(), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class ProofSchema(Schema):
    """What was found for one proof of the matter."""

    proof = fields.String(required=True)
    name = fields.String(required=True)
    name_en = fields.String(required=True)
    outcome = fields.String(required=True, metadata={"description": "licence or not_held"})
    licence = fields.Nested(SummarySchema)
    fields_ = fields.Dict(data_key="fields", attribute="fields")


class LookupSchema(Schema):
    """The proofs of a matter, each found or not held."""

    id = fields.String(required=True)
    at = fields.AwareDateTime(required=True)
    matter = fields.String(required=True)
    proofs = fields.List(fields.Nested(ProofSchema), required=True)


class ConsentSchema(Schema):
    """A consent to look-ups."""

    id = fields.String(required=True)
    matter = fields.String(required=True)
    department = fields.String(required=True, allow_none=True)
    given_at = fields.AwareDateTime(required=True)
    expires_at = fields.AwareDateTime(required=True)
    withdrawn_at = fields.AwareDateTime(required=True, allow_none=True)


class ConsentsSchema(Schema):
    """A page of consents, newest first."""

    items = fields.List(fields.Nested(ConsentSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)
