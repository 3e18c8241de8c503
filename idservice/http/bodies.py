"""Take in what a request holds by its schema: what marshmallow's `load` gives, through functions that are made once.

Marshmallow asks anew, for every member of every body, how the member is to be read and checked. Here that is asked when
the schema is first used. Only what is good is read this way: whatever is not is given to marshmallow, which says why.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from marshmallow import RAISE, ValidationError, fields, missing
from marshmallow.decorators import VALIDATES_SCHEMA
from marshmallow.validate import Length

if TYPE_CHECKING:
    from marshmallow import Schema
    from marshmallow.fields import Field

Loader = Callable[[Any], Any]
_Reader = Callable[[Any, Mapping[str, Any]], Any]  # of a member's value, and of the object that it stands in


class _NotPlainError(Exception):
    """Marshmallow has to be asked about this."""


def loader(schema: Schema) -> Loader:
    """Return a function that does what `schema.load` does: it returns the same, and raises the same."""
    plain = _plain(schema)
    if plain is None:
        return schema.load

    def load(members: Any) -> Any:
        try:
            return plain(members)
        except (_NotPlainError, ValidationError):
            return schema.load(members)

    return load


def _plain(schema: Schema) -> Loader | None:
    """Return how an object is read, None where functions that run before or after, or other options, have a say."""
    judges = _judges(schema)
    if judges is None or schema.many or schema.partial or schema.unknown != RAISE:
        return None
    members = [
        (field.data_key or name, field.attribute or name, _of(field, field.data_key or name), field)
        for name, field in schema.load_fields.items()
    ]

    def load(given: Any) -> dict[str, Any]:
        if type(given) is not dict:
            raise _NotPlainError
        found, known = {}, 0
        for key, attribute, of, field in members:
            value = given.get(key, missing)
            if value is not missing:
                known += 1
                found[attribute] = of(value, given) if value is not None else _null(field, value)
            elif (default := _default(field)) is not missing:
                found[attribute] = default
        if known != len(given):
            raise _NotPlainError
        for judge in judges:
            judge(found, partial=schema.partial, many=False, unknown=RAISE)
        return found

    return load


def _judges(schema: Schema) -> list[Callable[..., Any]] | None:
    """Return the functions that judge an object as a whole; None where others are to run as well."""
    hooks: Mapping[str, list[tuple[str, bool, dict[str, Any]]]] = schema._hooks  # noqa: SLF001 - as in `answers`
    if any(found for kind, found in hooks.items() if kind != VALIDATES_SCHEMA):
        return None
    judges = hooks.get(VALIDATES_SCHEMA, [])
    if any(many or options.get("pass_original") for _name, many, options in judges):
        return None
    return [getattr(schema, name) for name, _many, _options in judges]


def _null(field: Field[Any], value: Any) -> Any:
    """Return null where the field takes it."""
    if not field.allow_none:
        raise _NotPlainError
    return value


def _default(field: Field[Any]) -> Any:
    """Return what stands for a member that is not given."""
    if field.required:
        raise _NotPlainError
    default = field.load_default
    return default() if callable(default) else default


def _of(field: Field[Any], name: str) -> _Reader:
    """Return how a field reads a value that is not None."""
    of = None if field.pre_load or field.post_load else _of_kind(field)
    if of is None:
        return lambda value, given: field.deserialize(value, name, given)
    return _checked(of, [_check(validator) for validator in field.validators])


def _of_kind(field: Field[Any]) -> Loader | None:
    kind = type(field)
    if kind is fields.String:
        return _text
    if isinstance(field, fields.Nested) and kind is fields.Nested:
        return _plain(field.schema) if not field.many and field.unknown is None else None
    if isinstance(field, fields.List) and kind is fields.List:
        return _several(_inner(field.inner))
    if isinstance(field, fields.Dict) and kind is fields.Dict and field.key_field and field.value_field:
        return _mapped(_inner(field.key_field), _inner(field.value_field))
    return None


def _text(value: Any) -> str:
    if type(value) is not str:
        raise _NotPlainError
    return value


def _inner(field: Field[Any]) -> Loader:
    """Return how a value inside a list or an object is read."""
    of = _of(field, "")
    return lambda value: of(value, {}) if value is not None else _null(field, value)


def _several(of: Loader) -> Loader:
    def read(values: Any) -> list[Any]:
        if type(values) is not list:
            raise _NotPlainError
        return [of(value) for value in values]

    return read


def _mapped(of_key: Loader, of_value: Loader) -> Loader:
    def read(members: Any) -> dict[Any, Any]:
        if type(members) is not dict:
            raise _NotPlainError
        return {of_key(key): of_value(value) for key, value in members.items()}

    return read


def _checked(of: Loader, checks: list[Callable[[Any], Any]]) -> _Reader:
    def read(value: Any, _given: Mapping[str, Any]) -> Any:
        found = of(value)
        for check in checks:
            check(found)
        return found

    return read


def _check(validator: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return what raises where `validator` does."""
    if not isinstance(validator, Length) or validator.equal is not None:
        return validator
    least, most = validator.min or 0, float("inf") if validator.max is None else validator.max

    def check(value: Any) -> None:
        if not least <= len(value) <= most:
            raise _NotPlainError

    return check
