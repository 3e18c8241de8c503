"""Show results by their schemas: what marshmallow's `dump` gives, through functions that are made once.

Marshmallow asks anew, for every member of every answer, how the member is to be found and shown. Here that is asked
when the schema is first used. What is not among the plain kinds of field is left to the field itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from marshmallow import fields

if TYPE_CHECKING:
    from marshmallow import Schema
    from marshmallow.fields import Field

Shower = Callable[[Any], Any]

_MISSING = object()
_AS_IT_IS: Mapping[type[Field[Any]], Shower] = {
    fields.String: str,
    fields.URL: str,
    fields.Boolean: bool,
    fields.Integer: int,
    fields.Raw: lambda value: value,
    fields.AwareDateTime: lambda value: value.isoformat(),
    fields.Date: lambda value: value.isoformat(),
}


def shower(schema: Schema) -> Shower:
    """Return a function that does what `schema.dump` does, for one value or, where the schema says so, for several."""
    if any(schema._hooks.values()):  # noqa: SLF001 - functions that run before or after are marshmallow's affair
        return schema.dump
    members = [
        (field.data_key or name, field.attribute or name, _of(field, name))
        for name, field in schema.dump_fields.items()
    ]

    def show(value: Any) -> dict[str, Any]:
        shown = {}
        is_mapping = isinstance(value, Mapping)
        for key, attribute, of in members:
            found = value.get(attribute, _MISSING) if is_mapping else getattr(value, attribute, _MISSING)
            if found is not _MISSING:
                shown[key] = None if found is None else of(found)
        return shown

    return (lambda values: [show(value) for value in values]) if schema.many else show


def _of(field: Field[Any], name: str) -> Shower:
    """Return how a field shows a value that is not None."""
    kind = type(field)
    if kind in _AS_IT_IS:
        return _AS_IT_IS[kind]
    if isinstance(field, fields.Nested) and kind is fields.Nested:
        inner = shower(field.schema)
        return _each(inner) if field.many and not field.schema.many else inner
    if isinstance(field, fields.List) and kind is fields.List:
        return _each(_or_none(_of(field.inner, name)))
    return lambda value: field._serialize(value, name, None)  # noqa: SLF001 - what `Field.serialize` calls


def _each(of: Shower) -> Shower:
    return lambda values: [of(value) for value in values]


def _or_none(of: Shower) -> Shower:
    return lambda value: None if value is None else of(value)
