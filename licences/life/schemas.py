"""What requests around the life of a licence may hold, and what is answered: stops, second persons, objections."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from idservice.http.line import Line
from licences.schemas import CREDIT_CODE, IDENTIFIER, MAX_REASON, ChangeBody, Day, IssueBody

_TYPE = validate.Regexp(r"\A[0-9A-Z]{1,21}\Z")
MAX_WORDS = 500


class LifeQuery(Schema):
    """Whose list."""

    department = fields.String(required=True, validate=CREDIT_CODE)


class IssuingStopBody(Schema):
    """A stop of issuing: without `type`, of everything the department issues."""

    department = fields.String(required=True, validate=CREDIT_CODE)
    type = fields.String(validate=_TYPE)
    reason = Line(MAX_REASON, required=True)
    until = fields.AwareDateTime(metadata={"description": "Default: until it is lifted"})


class IssuingLiftBody(Schema):
    """Nothing: the path says which stop is lifted."""


class IssuingStopSchema(Schema):
    """A stop of issuing."""

    id = fields.String(required=True, attribute="stop_id")
    department = fields.String(required=True)
    type = fields.String(required=True, allow_none=True, attribute="type_code")
    reason = fields.String(required=True)
    stopped_at = fields.AwareDateTime(required=True)
    until = fields.AwareDateTime(required=True, allow_none=True)
    lifted_at = fields.AwareDateTime(required=True, allow_none=True)


class IssuingStopsSchema(Schema):
    """The stops that hold now."""

    items = fields.List(fields.Nested(IssuingStopSchema), required=True)


class ChangeRequestBody(Schema):
    """A deed that takes two people: `issue`, or `change` with the `identifier` of the licence."""

    issue = fields.Nested(IssueBody)
    identifier = fields.String(validate=IDENTIFIER)
    change = fields.Nested(ChangeBody)

    @validates_schema
    def want_one(self, data: dict[str, Any], **_options: Any) -> None:
        """Refuse neither and both."""
        if data.keys() not in ({"issue"}, {"identifier", "change"}):
            raise ValidationError("Send `issue`, or `identifier` and `change`.")


class ChangeDecisionBody(Schema):
    """What a second person says."""

    decision = fields.String(required=True, validate=validate.OneOf(["approve", "refuse"]))


class ChangeRequestSchema(Schema):
    """A request that waits for a second person, or what became of it."""

    id = fields.String(required=True, attribute="request_id")
    department = fields.String(required=True)
    change = fields.String(required=True)
    identifier = fields.String(required=True, allow_none=True)
    asked_at = fields.AwareDateTime(required=True)
    expires_at = fields.AwareDateTime(required=True)
    decision = fields.String(required=True, allow_none=True)
    decided_at = fields.AwareDateTime(required=True, allow_none=True)
    result = fields.String(required=True, allow_none=True, metadata={"description": "The licence that came of it"})


class ChangeRequestsSchema(Schema):
    """What waits."""

    items = fields.List(fields.Nested(ChangeRequestSchema), required=True)


class ObjectionBody(Schema):
    """An objection to one field: what is right, and why."""

    field = fields.String(required=True, validate=validate.Length(1, 64))
    right = Line(MAX_REASON, required=True)
    why = Line(MAX_WORDS, required=True)


class ObjectionAnswerBody(Schema):
    """The issuer's answer: a correction now (`fields`), one made before (`corrected`), or a reasoned refusal."""

    decision = fields.String(required=True, validate=validate.OneOf(["uphold", "refuse"]))
    answer = Line(MAX_REASON, required=True)
    fields_ = fields.Dict(keys=fields.String(), data_key="fields", attribute="fields")
    valid_from = Day()
    valid_until = Day()
    corrected = fields.String(validate=IDENTIFIER)

    @validates_schema
    def refuse_both(self, data: dict[str, Any], **_options: Any) -> None:
        """Refuse a correction where there is none, and two of them."""
        named = data.keys() & {"fields", "corrected"}
        if len(named) > 1 or (named and data.get("decision") == "refuse"):
            raise ValidationError("Only an upheld objection has `fields` or `corrected`, and one of the two.")


class ObjectionSchema(Schema):
    """An objection, and what became of it."""

    id = fields.String(required=True)
    identifier = fields.String(required=True)
    field = fields.String(required=True)
    right = fields.String(required=True, allow_none=True)
    why = fields.String(required=True, allow_none=True)
    made_at = fields.AwareDateTime(required=True)
    due_at = fields.AwareDateTime(required=True)
    overdue = fields.Boolean(required=True)
    state = fields.String(required=True, validate=validate.OneOf(["waiting", "upheld", "refused"]))
    answer = fields.String(required=True, allow_none=True)
    decided_at = fields.AwareDateTime(required=True, allow_none=True)
    corrected = fields.String(required=True, allow_none=True)


class ObjectionsSchema(Schema):
    """Objections."""

    items = fields.List(fields.Nested(ObjectionSchema), required=True)
