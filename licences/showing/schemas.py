"""The boundary of requests that a counter shows: what they may hold, and what is answered."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from licences.schemas import CREDIT_CODE, Line, OperatorRef, ReportSchema
from licences.showing.requests import QUESTIONS


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
