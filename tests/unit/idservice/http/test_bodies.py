"""What a compiled schema takes in is what marshmallow takes in, for every schema of every operation, good or not."""

from __future__ import annotations

from typing import Any

import pytest
from marshmallow import EXCLUDE, Schema, ValidationError, fields, post_load, validate, validates_schema

from idservice.http.bodies import loader
from idservice.http.endpoint import CONTRACTS
from wsgi import ROOMS

assert ROOMS, "their import has filled the list of contracts"
SCHEMAS = {type(schema).__name__: schema for one in CONTRACTS for schema in (one.body, one.query) if schema is not None}
CODE, DAY, IDENTIFIER = "11379900DM000003XN", "2026-06-01", "0" * 32
VALUES: tuple[Any, ...] = ("", "a" * 5000, CODE, "\u202etext", 7, None, [], [None], {}, {"a": {"b": 1}})


def outcome(load: Any, members: Any) -> object:
    """Return what came of it: what was taken in, or what was said to be wrong."""
    try:
        return load(members)
    except ValidationError as error:
        return "refused", error.messages


def bodies(schema: Schema) -> list[Any]:
    """Return bodies that differ in one member each from one that may be good, and some that are none."""
    good = {field.data_key or name: value_of(field) for name, field in schema.load_fields.items()}
    required = {name: good[name] for name in good if (found := schema.load_fields.get(name)) and found.required}
    made: list[Any] = [good, required, {}, required | {"unknown": 1}, None, [], "text", 7, [good]]
    made += [good | {name: value} for name in good for value in VALUES]
    return made + [{other: good[other] for other in good if other != name} for name in good]


def value_of(field: Any) -> Any:
    """Return what such a field takes, as far as its kind tells."""
    if isinstance(field, fields.Nested):
        inner = {inside.data_key or name: value_of(inside) for name, inside in field.schema.load_fields.items()}
        return [inner] if field.many else inner
    if isinstance(field, fields.List):
        return [value_of(field.inner)]
    if isinstance(field, fields.Dict):
        return {"a": value_of(field.value_field) if field.value_field else 1}
    for validator in field.validators:
        if isinstance(validator, validate.OneOf):
            return next(iter(validator.choices))
    plain: dict[type, Any] = {fields.Integer: 1, fields.Boolean: True, fields.Date: DAY}
    return plain.get(type(field), IDENTIFIER)


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_every_body_is_taken_in_as_marshmallow_takes_it(name: str) -> None:
    schema = SCHEMAS[name]
    load = loader(schema)
    for members in bodies(schema):
        assert repr(outcome(load, members)) == repr(outcome(schema.load, members)), members


class _Inner(Schema):
    number = fields.String(required=True, validate=validate.Length(2, 4))
    many = fields.List(fields.String(allow_none=True), load_default=list)


class _Whole(Schema):
    inner = fields.Nested(_Inner, data_key="shown", attribute="kept")
    other = fields.Nested(_Inner(unknown=EXCLUDE), allow_none=True)
    table = fields.Dict(keys=fields.String(validate=validate.Length(1, 2)), values=fields.Nested(_Inner))
    exact = fields.String(validate=validate.Length(equal=3), load_default="abc")

    @validates_schema
    def judge(self, data: dict[str, Any], **_options: Any) -> None:
        if data["exact"] == "xyz":
            raise ValidationError("xyz is refused", "exact")


class _Made(_Inner):
    @post_load
    def make(self, data: dict[str, Any], **_options: Any) -> Any:
        return tuple(data.values())


NUMBERS = [{"number": "12"}, {"number": "1"}, {"number": "12345"}, {"number": None}, {"number": 12}, {}, None, [], "12"]


@pytest.mark.parametrize("schema", [_Whole(), _Inner(), _Made(), _Inner(many=True), _Inner(unknown=EXCLUDE)], ids=repr)
def test_each_kind_of_schema_is_taken_in_alike(schema: Schema) -> None:
    load = loader(schema)
    for inner in [
        *NUMBERS,
        {"number": "12", "many": ["a", None]},
        {"number": "12", "many": "a"},
        {"number": "12", "b": 1},
    ]:
        for members in (
            inner,
            [inner],
            {"shown": inner},
            {"other": inner},
            {"table": {"a": inner}},
            {"table": {"abc": inner}},
        ):
            assert outcome(load, members) == outcome(schema.load, members), members
    for exact in ("abc", "ab", "xyz", None, 3):
        assert outcome(load, {"exact": exact}) == outcome(schema.load, {"exact": exact})


def test_a_default_that_is_made_is_made_anew() -> None:
    load = loader(_Inner())
    assert load({"number": "12"})["many"] is not load({"number": "12"})["many"]


def test_what_is_good_needs_no_marshmallow() -> None:
    schema = _Inner()
    load = loader(schema)
    schema.load = None  # type: ignore[method-assign,assignment]
    assert load({"number": "12"}) == {"number": "12", "many": []}
