"""What requests of collection may hold, and what is answered."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from idservice.http.line import Line
from licences.collection.refusal_words import Next
from licences.collection.rows import STATES
from licences.schemas import CREDIT_CODE, IDENTIFIER

AT_ONCE = 500


class BatchBody(Schema):
    """Rows from one department, each flat as a table would hold it, or with its face under `fields`."""

    department = fields.String(required=True, validate=CREDIT_CODE)
    rows = fields.List(
        fields.Dict(keys=fields.String(validate=validate.Length(1, 64))),
        required=True,
        validate=validate.Length(1, AT_ONCE),
        metadata={
            "description": "type holder number identifier valid_from valid_until issued_on updated_on state state_on "
            "state_reason state_ground co_holders fields"
        },
    )


class RowResultSchema(Schema):
    """What became of one row; `reasons` are stable codes."""

    row = fields.Integer(required=True, metadata={"description": "Its place in the batch, from 0"})
    outcome = fields.String(required=True, validate=validate.OneOf(["entered", "refused"]))
    reasons = fields.List(fields.String(), required=True)


class BatchSchema(Schema):
    """What became of a batch."""

    id = fields.String(required=True)
    added = fields.Integer(required=True)
    changed = fields.Integer(required=True)
    unchanged = fields.Integer(required=True)
    refused = fields.Integer(required=True)
    results = fields.List(fields.Nested(RowResultSchema), required=True)


class CollectedQuery(Schema):
    """Which rows of a department to list."""

    department = fields.String(required=True, validate=CREDIT_CODE)
    state = fields.String(load_default=None, validate=validate.OneOf(STATES))
    limit = fields.Integer(load_default=50, validate=validate.Range(1, 200))
    cursor = fields.String(load_default=None, validate=validate.Regexp(r"\A[0-9a-f]{96}\Z"))


class CollectedSchema(Schema):
    """One collected row: whether it is a licence yet, and why not."""

    type = fields.String(required=True)
    number = fields.String(required=True)
    state = fields.String(required=True, validate=validate.OneOf(STATES))
    reason = fields.String(required=True, allow_none=True)
    identifier = fields.String(required=True, allow_none=True)
    updated_on = fields.Date(required=True, allow_none=True)
    collected_at = fields.AwareDateTime(required=True)


class CollectedListSchema(Schema):
    """A page of collected rows."""

    items = fields.List(fields.Nested(CollectedSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class CollectionApprovalBody(Schema):
    """Which rows of a sensitive type an officer approves: those that had come in when he looked."""

    department = fields.String(required=True, validate=CREDIT_CODE)
    type = fields.String(required=True, validate=validate.Regexp(r"\A[0-9A-Z]{1,21}\Z"))
    until = fields.AwareDateTime(required=True, metadata={"description": "As it was listed"})


class CollectionApprovalSchema(Schema):
    """Rows of a sensitive type: that wait for an officer, or that he approved."""

    type = fields.String(required=True)
    rows = fields.Integer(required=True)
    until = fields.AwareDateTime(required=True, metadata={"description": "The last of them came in then"})


class CollectionApprovalsSchema(Schema):
    """What waits for an officer."""

    items = fields.List(fields.Nested(CollectionApprovalSchema), required=True)


class SourceQuery(Schema):
    """Whose figures."""

    department = fields.String(required=True, validate=CREDIT_CODE)


class CollectedReasonSchema(Schema):
    """A reason, and how many rows have it."""

    reason = fields.String(required=True)
    rows = fields.Integer(required=True)


class QualityFigureSchema(Schema):
    """How good and fresh the rows of one type are."""

    type = fields.String(required=True)
    name = fields.String(required=True)
    name_en = fields.String(required=True)
    rows = fields.Integer(required=True)
    waiting = fields.Integer(required=True)
    failed = fields.Integer(required=True)
    incomplete = fields.Integer(required=True, metadata={"description": "Rows that leave optional fields out"})
    wrong_identifier = fields.Integer(required=True, metadata={"description": "Foreign identifiers with a wrong check"})
    repeated = fields.Integer(required=True, metadata={"description": "Holders listed twice who may hold it once"})
    collected_at = fields.AwareDateTime(required=True)
    updated_on = fields.Date(
        required=True, allow_none=True, metadata={"description": "The last change at the source, as it says"}
    )
    stale_rows = fields.Integer(required=True, metadata={"description": "Rows not sent for 30 days"})
    stale = fields.Boolean(
        required=True, metadata={"description": "Some rows are, or the source changed none for 30 days"}
    )
    reasons = fields.List(fields.Nested(CollectedReasonSchema), required=True)


class CollectedRefusalSchema(Schema):
    """How many rows of one import or batch were refused for one reason; a row with several counts for each."""

    batch = fields.String(
        required=True, metadata={"description": "`id` of the batch, or `import` of the file of rejects"}
    )
    type = fields.String(required=True, allow_none=True, metadata={"description": "null: none of the catalogue"})
    reason = fields.String(required=True)
    rows = fields.Integer(required=True)
    next = fields.String(
        required=True,
        validate=validate.OneOf([str(step) for step in Next]),
        metadata={"description": "What the source has to do"},
    )
    counted_at = fields.AwareDateTime(required=True)


class QualityFiguresSchema(Schema):
    """The figures of a department, by type, and what was refused in the last 90 days, newest first, 200 at most."""

    items = fields.List(fields.Nested(QualityFigureSchema), required=True)
    refusals = fields.List(fields.Nested(CollectedRefusalSchema), required=True)


class SourceQuestionBody(Schema):
    """A question to the issuer of a licence: what looks wrong."""

    identifier = fields.String(required=True, validate=IDENTIFIER)
    question = Line(200, required=True)


class SourceAnswerBody(Schema):
    """The source's answer."""

    answer = fields.String(required=True, validate=validate.OneOf(["right", "corrected"]))


class SourceQuestionSchema(Schema):
    """A question to a source, and its answer."""

    id = fields.String(required=True)
    identifier = fields.String(required=True)
    question = fields.String(required=True)
    asked_at = fields.AwareDateTime(required=True)
    answer = fields.String(required=True, allow_none=True)
    answered_at = fields.AwareDateTime(required=True, allow_none=True)


class SourceQuestionsSchema(Schema):
    """Questions that wait for an answer."""

    items = fields.List(fields.Nested(SourceQuestionSchema), required=True)
