"""Types of authorization details (细粒度授权的类型): RFC 9396 section 2. Each has a closed list of fields.

A type that names a scope carries the authority of that scope, confined to what its fields say; one that names none
gives nothing and limits what the token can do anyway. The rooms that have something to authorise register their types
here, as they register their problem codes: this room knows neither licences nor seals.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from idservice.call import Call
    from idservice.register.grants_choices import Names

Words = tuple[str, str]  # Chinese, English


class Shape(StrEnum):
    """What a field holds. What is not named in it is not authorised; a field left out limits nothing."""

    TEXT = "text"
    TEXTS = "texts"
    MOMENT = "moment"  # the end: RFC 3339, UTC


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a type: its words for the consent page, and which values it takes."""

    title: Words
    shape: Shape = Shape.TEXTS
    is_required: bool = False
    holds: Callable[[str], bool] = lambda _value: True
    among: Callable[[Call], Names] | None = None  # the codes there are, with their names
    is_inherited: bool = False  # a token for which less is asked keeps it, though it does not name it
    words: Mapping[str, Words] = field(default_factory=dict)  # the values there are, where that is fixed


#: What a token response says of a detail beyond the detail itself: of whose data, and the detail.
Told = Callable[["Call", str, Mapping[str, object]], Mapping[str, object]]

NOT_AFTER: Final = "not_after"
LOCATIONS: Final = "locations"
_SHARED: Final = {
    LOCATIONS: Field(("用于接口", "For these APIs")),
    NOT_AFTER: Field(("截止时间", "Not after"), Shape.MOMENT),
}


@dataclass(frozen=True, slots=True)
class DetailType:
    """One type. `scope` is whose authority it carries; `needs_person` keeps it from clients on their own."""

    name: str
    scope: str | None
    title: Words
    explanation: Words
    own_fields: Mapping[str, Field]
    needs_person: bool = False
    is_single: bool = False  # at most one of it in a request
    told: Told | None = None

    @property
    def fields(self) -> Mapping[str, Field]:
        """Return all fields it takes, in the order in which they are shown."""
        return {**self.own_fields, **_SHARED}


_known: dict[str, DetailType] = {}


def register(kind: DetailType) -> DetailType:
    """Add a type to the one list; a name means one thing in the whole house."""
    if _known.setdefault(kind.name, kind) is not kind:
        raise ValueError(f"authorization details type {kind.name!r} is already defined")
    return kind


def find(name: object) -> DetailType | None:
    """Return the type of that name."""
    return _known.get(name) if isinstance(name, str) else None


def names() -> tuple[str, ...]:
    """Return the names of all types, sorted."""
    return tuple(sorted(_known))
