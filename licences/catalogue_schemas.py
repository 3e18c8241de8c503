"""The boundary of the catalogue: what is asked of it, and what is entered."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from idservice.http.line import Line
from licences.definition import HolderKind
from licences.schemas import CREDIT_CODE

TYPE_CODE = validate.Regexp(r"\A[0-9A-Z]{21}\Z")
MAX_LISTED = 200


class TypesQuery(Schema):
    """Which types to list: all, or those of a kind of holder whose names hold some words."""

    q = Line(100, metadata={"description": "Words of the name in either language, or of the code"})
    holder_kind = fields.String(load_default=None, validate=validate.OneOf([str(kind) for kind in HolderKind]))
    limit = fields.Integer(load_default=MAX_LISTED, validate=validate.Range(1, MAX_LISTED))
    cursor = fields.String(load_default=None, validate=TYPE_CODE)


class TypeQuery(Schema):
    """Which version of a type."""

    version = fields.Integer(
        load_default=None, validate=validate.Range(1, 1_000_000), metadata={"description": "Default: the latest"}
    )


class TypeBody(Schema):
    """A licence type as it is to be from now on: a new one, or the next version of one."""

    definition = fields.Dict(
        keys=fields.String(), required=True, metadata={"description": "As docs/catalogue.md describes it"}
    )
    reason = Line(200, metadata={"description": "Why; kept with the version"})
    base = fields.Integer(
        validate=validate.Range(0, 1_000_000),
        metadata={"description": "The version the change was made from (0: none); 409 if it is no longer the latest"},
    )
    department = fields.String(
        validate=CREDIT_CODE, metadata={"description": "Issues a new type; default: the officer's own department"}
    )


class TypeVersionSchema(Schema):
    """One version of a type."""

    version = fields.Integer(required=True)
    entered_at = fields.AwareDateTime(required=True)


class DifferenceSchema(Schema):
    """One thing that a version changes: the place in the definition, and its value as text; null: absent."""

    place = fields.String(required=True)
    before = fields.String(required=True, allow_none=True)
    after = fields.String(required=True, allow_none=True)


class TypeEnteredSchema(Schema):
    """What was entered: nothing changed where `changes` is empty."""

    code = fields.String(required=True)
    version = fields.Integer(required=True)
    changes = fields.List(fields.Nested(DifferenceSchema), required=True)
