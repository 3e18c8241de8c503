"""A strict reader of one JSON object: every member is asked for by name and type, and nothing may be left over.

Definitions (licence types, matters) are read through it, so that a misspelt member is an error at the place where it
stands instead of a setting that silently has no effect.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from idservice.numbers.plain import is_plain

if TYPE_CHECKING:
    from enum import StrEnum

Chosen = TypeVar("Chosen", bound="StrEnum")


class DefinitionError(ValueError):
    """A record that defines nothing; the message says where and what is wrong."""


class RecordReader:
    """Hands out the members of `data`, each once; `where` names the place in messages."""

    def __init__(self, data: object, where: str) -> None:
        if not isinstance(data, dict) or not all(isinstance(name, str) for name in data):
            raise DefinitionError(f"{where} is not an object")
        self._left: dict[str, object] = dict(data)
        self.where = where

    def text(self, name: str, limit: int) -> str:
        """Return a plain, non-empty string of at most `limit` characters."""
        value = self._take(name)
        if not isinstance(value, str) or not is_plain(value) or not 0 < len(value) <= limit:
            raise self.wrong(name, f"a plain string of 1 to {limit} characters")
        return value

    def flag(self, name: str) -> bool:
        """Return true or false."""
        value = self._take(name)
        if not isinstance(value, bool):
            raise self.wrong(name, "true or false")
        return value

    def number(self, name: str, low: int, high: int) -> int:
        """Return an integer from `low` to `high`."""
        value = self._take(name)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise self.wrong(name, f"an integer from {low} to {high}")
        return value

    def choice(self, name: str, choices: type[Chosen]) -> Chosen:
        """Return the member of the enumeration `choices` that is named."""
        value = self._take(name)
        for choice in choices:
            if choice == value:
                return choice
        raise self.wrong(name, "one of " + " ".join(choices))

    def scalar(self, name: str) -> str | int | bool:
        """Return a string, an integer or a boolean."""
        value = self._take(name)
        if not isinstance(value, str | int):
            raise self.wrong(name, "a string, an integer or a boolean")
        return value

    def texts(self, name: str, most: int, limit: int) -> tuple[str, ...]:
        """Return a list of at most `most` plain, non-empty strings of at most `limit` characters each."""
        values = self._list(name, most)
        found = tuple(
            value for value in values if isinstance(value, str) and 0 < len(value) <= limit and is_plain(value)
        )
        if len(found) != len(values):
            raise self.wrong(name, f"a list of plain strings of 1 to {limit} characters")
        return found

    def scalars(self, name: str, most: int) -> dict[str, str | int | bool]:
        """Return an object of at most `most` members that are strings, integers or booleans."""
        value = self._take(name)
        if not isinstance(value, dict) or len(value) > most:
            raise self.wrong(name, f"an object of at most {most} members")
        inner = RecordReader(value, f"{self.where}.{name}")
        return {member: inner.scalar(member) for member in value}

    def inner(self, name: str) -> RecordReader:
        """Return a reader of the object called `name`."""
        return RecordReader(self._take(name), f"{self.where}.{name}")

    def several(self, name: str, most: int) -> tuple[RecordReader, ...]:
        """Return a reader for each object of a list of at most `most`."""
        values = self._list(name, most)
        return tuple(RecordReader(value, f"{self.where}.{name}[{place}]") for place, value in enumerate(values))

    def has(self, name: str) -> bool:
        """Tell whether an optional member is there (null counts as absent)."""
        if self._left.get(name, self) is None:
            del self._left[name]
        return name in self._left

    def close(self) -> None:
        """Refuse what nobody asked for."""
        if self._left:
            raise DefinitionError(f"{self.where} has unknown members: {sorted(self._left)[:5]}")

    def wrong(self, name: str, wanted: str) -> DefinitionError:
        """Return the error that says what member `name` should have been."""
        return DefinitionError(f"{self.where}.{name} is not {wanted}")

    def _take(self, name: str) -> object:
        if name not in self._left:
            raise DefinitionError(f"{self.where}.{name} is missing")
        return self._left.pop(name)

    def _list(self, name: str, most: int) -> list[object]:
        value = self._take(name)
        if not isinstance(value, list) or len(value) > most:
            raise self.wrong(name, f"a list of at most {most}")
        return value
