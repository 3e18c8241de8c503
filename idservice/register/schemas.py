"""What the API of mandates takes and gives."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from idservice.http.line import Line
from idservice.register.grants_rules import MOST_LIMITS, Role, State

_CODE = fields.String(validate=validate.Length(1, 64))
_GRANTED = (str(Role.ADMINISTRATOR), str(Role.AGENT), str(Role.PROXY))


class GranteeBody(Schema):
    """The person a mandate is for."""

    number = fields.String(required=True, validate=validate.Length(1, 64))
    name = Line(128, required=True)


class MandateBody(Schema):
    """A mandate to be offered; empty limits limit nothing, except by your own mandate."""

    person = fields.Nested(GranteeBody, required=True)
    role = fields.String(required=True, validate=validate.OneOf(_GRANTED))
    licence_types = fields.List(_CODE, load_default=list, validate=validate.Length(max=MOST_LIMITS))
    matters = fields.List(_CODE, load_default=list, validate=validate.Length(max=MOST_LIMITS))
    valid_until = fields.Date(required=True, metadata={"description": "The last day on which it holds"})


class MandateChangeBody(Schema):
    """What is to be done with a mandate."""

    change = fields.String(required=True, validate=validate.OneOf(["accept", "give_up", "withdraw", "confirm"]))


class MandatesQuery(Schema):
    """Which mandates."""

    direction = fields.String(load_default="received", validate=validate.OneOf(["received", "given"]))


class PartySchema(Schema):
    """A party of a mandate; a person's name and number are masked."""

    kind = fields.String(required=True)
    name = fields.String(required=True)
    number = fields.String(allow_none=True)


class MandateSchema(Schema):
    """One mandate."""

    id = fields.String(required=True)
    role = fields.String(required=True, validate=validate.OneOf([str(role) for role in Role]))
    state = fields.String(required=True, validate=validate.OneOf([str(state) for state in State]))
    principal = fields.Nested(PartySchema, required=True)
    person = fields.Nested(PartySchema, required=True)
    licence_types = fields.List(fields.String(), required=True)
    matters = fields.List(fields.String(), required=True)
    valid_from = fields.AwareDateTime(required=True)
    valid_until = fields.AwareDateTime(required=True, allow_none=True)


class MandatesSchema(Schema):
    """All mandates of one direction: at most five hundred, so there is never a next page."""

    items = fields.List(fields.Nested(MandateSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)
