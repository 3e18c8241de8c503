"""What the API of commitments takes and gives."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from idservice.http.line import Line
from licences.counter.assist_schemas import REASON, CaseHolderSchema, CaseStepSchema
from licences.counter.commitment_life import State
from licences.counter.schemas import LookupOperator, PageQuery
from licences.schemas import CREDIT_CODE


class CommitmentsQuery(PageQuery):
    """The department's commitments in one state; default: those to be checked or decided."""

    state = fields.String(load_default=None, validate=validate.OneOf([str(state) for state in State]))


class CommitmentSignatureBody(Schema):
    """How the text was read when it was signed."""

    language = fields.String(load_default="zh", validate=validate.OneOf(["zh", "en"]))


class CounterCommitmentSignatureBody(CommitmentSignatureBody):
    """A signature at the counter: the code that the person made for it, and the clerk who scans it."""

    code = fields.String(required=True, validate=validate.Length(1, 256))
    operator = fields.Nested(LookupOperator, allow_none=True)
    department = fields.String(validate=CREDIT_CODE)


class CommitmentCodeSchema(Schema):
    """A code by which one commitment is signed at the counter, told once."""

    code = fields.String(required=True)
    expires_at = fields.AwareDateTime(required=True)


class MarkObjectionBody(Schema):
    """Why."""

    reason = Line(REASON, required=True)


class CommitmentFindingBody(Schema):
    """What the unit found: `kept`, or `false` with the reason."""

    finding = fields.String(required=True, validate=validate.OneOf(["kept", "false"]))
    reason = Line(REASON, least=0, load_default=None, allow_none=True)


class MarkDecisionBody(Schema):
    """What an officer other than the one who marked it decides: `uphold` or `clear`."""

    decision = fields.String(required=True, validate=validate.OneOf(["uphold", "clear"]))
    reason = Line(REASON, required=True)


class CommitmentEntrySchema(Schema):
    """A commitment in the list of a unit: which, and where it stands, and nothing of the person."""

    id = fields.String(required=True)
    matter = fields.String(required=True)
    proof = fields.String(required=True)
    state = fields.String(required=True, metadata={"enum": [str(state) for state in State]})
    department = fields.String(required=True)
    unit = fields.String(required=True)
    case_number = fields.String(required=True)
    offered_at = fields.AwareDateTime(required=True)
    signed_at = fields.AwareDateTime(required=True, allow_none=True)
    objection_until = fields.Date(required=True, allow_none=True)


class CommitmentSchema(CommitmentEntrySchema):
    """A commitment in place of a proof."""

    text = fields.String(required=True)
    text_en = fields.String(required=True)
    holder = fields.Nested(
        CaseHolderSchema, required=True, allow_none=True, metadata={"description": "Who signed; null: nobody has"}
    )
    steps = fields.List(fields.Nested(CaseStepSchema), required=True)


class UnitCommitmentsSchema(Schema):
    """A page of the commitments given to a unit."""

    items = fields.List(fields.Nested(CommitmentEntrySchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class CommitmentsSchema(Schema):
    """A page of commitments."""

    items = fields.List(fields.Nested(CommitmentSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class OwnCheckSchema(Schema):
    """A department check about the holder, as he sees it."""

    id = fields.String(required=True)
    matter = fields.String(required=True)
    proof = fields.String(required=True)
    state = fields.String(required=True)
    department = fields.String(required=True)
    asking_unit = fields.String(required=True)
    due_on = fields.Date(required=True)
    answer = fields.String(required=True, allow_none=True)
    opened_at = fields.AwareDateTime(required=True)


class OwnChecksSchema(Schema):
    """A page of the checks about the holder, newest first."""

    items = fields.List(fields.Nested(OwnCheckSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)
