"""What a compiled answer shows is what marshmallow shows, for every schema of every operation."""

from __future__ import annotations

from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from marshmallow import Schema, fields, post_dump

from idservice.http.answers import shower
from idservice.http.endpoint import CONTRACTS
from idservice.http.openapi import Upload
from wsgi import ROOMS

NOW = datetime(2026, 6, 1, 8, 30, 15, 654321, tzinfo=UTC)
assert ROOMS, "their import has filled the list of contracts"
ANSWERS = {contract.name: contract.answer for contract in CONTRACTS if contract.answer is not None}


def sample(schema: Schema, *, empty: bool) -> dict[str, Any]:
    """Return an answer with every member, or with nothing in any."""
    return {
        field.attribute or name: None
        if empty and not isinstance(field, fields.Nested)
        else value_of(field, empty=empty)
        for name, field in schema.dump_fields.items()
    }


def value_of(field: Any, *, empty: bool) -> Any:
    if isinstance(field, fields.Nested):
        inner = sample(field.schema, empty=empty)
        return [inner, inner] if field.many or field.schema.many else inner
    if isinstance(field, fields.List):
        return [value_of(field.inner, empty=empty)] * 2
    if empty:
        return None
    if isinstance(field, fields.Enum):
        return next(iter(field.enum))
    plain = {fields.Dict: {"a": 1, "b": ["x"]}, fields.Integer: 7, fields.Date: date(2026, 6, 1), fields.Boolean: True}
    plain |= {fields.Float: 0.5}
    return NOW if isinstance(field, fields.DateTime) else plain.get(type(field), "text 文字")


@pytest.mark.parametrize("name", sorted(ANSWERS))
@pytest.mark.parametrize("empty", [False, True], ids=["full", "empty"])
def test_every_answer_is_shown_as_marshmallow_shows_it(name: str, empty: bool) -> None:
    schema = ANSWERS[name]
    value = sample(schema, empty=empty)
    named = SimpleNamespace(**value)
    assert shower(schema)(value | {"a member": "that no schema knows"}) == schema.dump(value)
    assert shower(schema)(named) == schema.dump(named)
    assert shower(schema)({}) == {}, "where marshmallow would take a method of dict for a member of that name"


class Inner(Schema):
    number = fields.Integer()
    renamed = fields.String(data_key="shown", attribute="kept")


class Outer(Schema):
    inners = fields.Nested(Inner, many=True)
    more = fields.List(fields.Nested(Inner))
    numbers = fields.List(fields.Integer(allow_none=True))
    decimal = fields.Decimal(as_string=True)
    hidden = fields.String(load_only=True)
    upload = Upload(load_only=True)


class Hooked(Schema):
    name = fields.String()

    @post_dump
    def shout(self, shown: dict[str, Any], **_options: Any) -> dict[str, Any]:
        return {name: value.upper() for name, value in shown.items()}


def test_nests_lists_other_names_and_other_fields() -> None:
    inner = SimpleNamespace(number="7", kept=3, shown="not this")
    value = {"inners": [inner], "more": [inner, {"number": 1}], "numbers": [1, None], "decimal": "1.50", "hidden": "x"}
    expected = {
        "inners": [{"number": 7, "shown": "3"}],
        "more": [{"number": 7, "shown": "3"}, {"number": 1}],
        "numbers": [1, None],
        "decimal": "1.50",
    }
    assert shower(Outer())(value) == Outer().dump(value) == expected
    assert shower(Outer(many=True))([value, {}]) == Outer(many=True).dump([value, {}]) == [expected, {}]


def test_a_schema_with_hooks_is_left_to_marshmallow() -> None:
    assert shower(Hooked())({"name": "a"}) == {"name": "A"}
