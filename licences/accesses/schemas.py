"""The boundary of questions, proofs and exports of a holder's record."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from idservice.accesses import AccessesQuery
from licences.accesses.questions import LONGEST


class QuestionBody(Schema):
    """What the holder asks about one look."""

    text = fields.String(required=True, validate=validate.Length(1, LONGEST))


class AccessQuestionSchema(Schema):
    """A question about a look, and its answer once there is one."""

    access = fields.String(required=True)
    text = fields.String(required=True)
    asked_at = fields.AwareDateTime(required=True)
    due = fields.Date(required=True)
    overdue = fields.Boolean(required=True)
    verdict = fields.String(required=True, allow_none=True, metadata={"description": "justified or unjustified"})
    answer = fields.String(required=True, allow_none=True)
    answered_at = fields.AwareDateTime(required=True, allow_none=True)


class AccessQuestionsSchema(Schema):
    """The question about a look, if there is one."""

    items = fields.List(fields.Nested(AccessQuestionSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class LogEntryCommitted(Schema):
    """The audit row behind a leaf of the log."""

    entry_id = fields.String(required=True)
    at = fields.String(required=True)
    deed = fields.String(required=True)
    outcome = fields.String(required=True)
    actor = fields.String(required=True)
    facts = fields.String(required=True)


class AccessProofSchema(Schema):
    """That a look stands in the log: `leaf` is SHA-256 of `salt` and the canonical JSON of `entry`."""

    id = fields.String(required=True)
    entry_id = fields.String(required=True)
    log_index = fields.Integer(required=True)
    leaf = fields.String(required=True)
    proof = fields.List(fields.String(), required=True, metadata={"description": "RFC 6962 audit path, base64"})
    checkpoint = fields.String(required=True, metadata={"description": "C2SP signed note"})
    entry = fields.Nested(LogEntryCommitted, required=True)
    salt = fields.String(required=True)
    facts = fields.String(required=True, metadata={"description": "Its SHA-256 is `content` in the facts of `entry`"})
    tlog_proof = fields.String(required=True, metadata={"description": "The same as C2SP tlog-proof"})


class ExportQuery(AccessesQuery):
    """Which records, and as what."""

    class Meta:
        """A file has a size of its own."""

        exclude = ("limit",)

    format = fields.String(load_default="json", validate=validate.OneOf(["json", "csv"]))
