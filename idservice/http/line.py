"""A line of text in a request: whatever people will read is taken in by this field, in every room."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, validate

from idservice.numbers.plain import is_plain


class Line(fields.String):
    """One line of text that a person reads: bounded, and without characters nobody sees."""

    default_error_messages = {"invisible": "Holds a control, direction or other invisible character."}  # noqa: RUF012

    def __init__(self, limit: int, *, least: int = 1, **options: Any) -> None:
        super().__init__(validate=validate.Length(least, limit), **options)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> str:
        text = str(super()._deserialize(value, attr, data, **options))
        if not is_plain(text):
            raise self.make_error("invisible")
        return text
