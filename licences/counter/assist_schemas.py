"""What the API of department checks takes and gives."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from idservice.http.line import Line
from licences.counter.assist_life import Answer, State
from licences.counter.schemas import HEX_ID, LookupOperator, SubjectRef
from licences.schemas import CREDIT_CODE

REASON = 1000  # characters
MONTH = validate.Regexp(r"\A20[0-9]{2}-(0[1-9]|1[0-2])\Z")


class CheckBody(Schema):
    """A check for a proof that a look-up of the same department left open."""

    lookup = fields.String(required=True, validate=HEX_ID)
    subject = fields.Nested(SubjectRef, required=True)
    proof = fields.String(required=True, validate=validate.Length(1, 40))
    purpose = Line(200, required=True)
    case_number = Line(64, required=True)
    operator = fields.Nested(LookupOperator, allow_none=True)
    department = fields.String(validate=CREDIT_CODE)


class ChecksQuery(Schema):
    """Which checks; default: those without an answer."""

    state = fields.String(load_default=None, validate=validate.OneOf([str(state) for state in State]))
    matter = fields.String(load_default=None, validate=validate.Length(1, 64))
    limit = fields.Integer(load_default=50, validate=validate.Range(1, 200))
    cursor = fields.String(load_default=None, validate=validate.Regexp(r"\A[1-9][0-9]{5}[0-9a-f]{32}\Z"))


class CheckAssignmentBody(Schema):
    """To which officer of the unit, by number; default: to oneself."""

    officer = fields.String(load_default=None, allow_none=True, validate=validate.Length(1, 64))


class CheckReasonBody(Schema):
    """Words that go with a step; returns and resubmissions need some."""

    reason = Line(REASON, least=0, load_default=None, allow_none=True)


class CheckReplyBody(Schema):
    """An answer; it is sealed with the department's seal."""

    answer = fields.String(required=True, validate=validate.OneOf([str(answer) for answer in Answer]))
    text = Line(400, required=True)
    seal = fields.String(load_default=None, allow_none=True, validate=validate.Length(1, 32))


class CaseHolderSchema(Schema):
    """Whom a case is about: masked, or in full for the officer to whom a check is assigned."""

    name = fields.String(required=True)
    number = fields.String(required=True)


class CaseStepSchema(Schema):
    """One step in the life of a case."""

    at = fields.AwareDateTime(required=True)
    step = fields.String(required=True)
    state = fields.String(required=True)
    reason = fields.String(required=True, allow_none=True)


class DepartmentCheckSchema(Schema):
    """A department check."""

    id = fields.String(required=True)
    matter = fields.String(required=True)
    proof = fields.String(required=True)
    state = fields.String(required=True, metadata={"enum": [str(state) for state in State]})
    department = fields.String(required=True)
    asking_department = fields.String(required=True)
    asking_unit = fields.String(required=True)
    purpose = fields.String(required=True, allow_none=True)
    case_number = fields.String(required=True)
    holder = fields.Nested(
        CaseHolderSchema, required=True, allow_none=True, metadata={"description": "Null for the asking department"}
    )
    days = fields.Integer(required=True, metadata={"description": "Working days for an answer"})
    due_on = fields.Date(required=True)
    due_is_sure = fields.Boolean(required=True, metadata={"description": "False: that year's holidays are not out yet"})
    is_overdue = fields.Boolean(required=True)
    days_late = fields.Integer(required=True, metadata={"description": "Working days since it was due"})
    reminders = fields.Integer(required=True)
    escalated_at = fields.AwareDateTime(required=True, allow_none=True)
    is_assigned = fields.Boolean(required=True)
    answer = fields.String(required=True, allow_none=True)
    opened_at = fields.AwareDateTime(required=True)
    answered_at = fields.AwareDateTime(required=True, allow_none=True)


class DepartmentCheckReadSchema(DepartmentCheckSchema):
    """A department check with its steps."""

    steps = fields.List(fields.Nested(CaseStepSchema), required=True)


class DepartmentChecksSchema(Schema):
    """A page of checks, those due first in front."""

    items = fields.List(fields.Nested(DepartmentCheckSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class EscalatedCheckSchema(Schema):
    """A check that is long overdue, as the administrator sees it: nothing in it says of whom."""

    id = fields.String(required=True)
    matter = fields.String(required=True)
    proof = fields.String(required=True)
    department = fields.String(required=True)
    asking_department = fields.String(required=True)
    due_on = fields.Date(required=True)
    days_late = fields.Integer(required=True)
    reminders = fields.Integer(required=True)
    escalated_at = fields.AwareDateTime(required=True)


class EscalatedChecksSchema(Schema):
    """The escalated checks without an answer, the oldest first."""

    items = fields.List(fields.Nested(EscalatedCheckSchema), required=True)


class CheckReplySchema(Schema):
    """An answer under seal; `document` is base64 of the sealed OFD, which POST /v1/seal-verifications verifies."""

    id = fields.String(required=True)
    answer = fields.String(required=True)
    text = fields.String(required=True)
    at = fields.AwareDateTime(required=True)
    seal = fields.String(required=True)
    media_type = fields.String(required=True)
    document = fields.String(required=True)


class CounterFiguresQuery(Schema):
    """Which month; default: the present one."""

    month = fields.String(load_default=None, validate=MONTH)


class CounterFigureSchema(Schema):
    """One row of the figures; shares are percentages, null where there is nothing to divide by."""

    unit = fields.String(required=True)
    matter = fields.String(required=True)
    proofs = fields.Integer(required=True)
    without_paper = fields.Integer(required=True)
    without_paper_share = fields.Float(required=True, allow_none=True)
    checks = fields.Integer(required=True)
    overdue = fields.Integer(required=True)
    overdue_share = fields.Float(required=True, allow_none=True)


class CounterFiguresSchema(Schema):
    """The figures of a month, by asking unit and matter."""

    month = fields.String(required=True)
    total = fields.Nested(CounterFigureSchema, required=True)
    items = fields.List(fields.Nested(CounterFigureSchema), required=True)
