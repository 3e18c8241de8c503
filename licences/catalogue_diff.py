"""What a new version of a licence type changes (目录变更对照): a list of places, each with its value before and after.

Fields of the face, related items and templates are told apart by their names, so that one more field in the middle is
one change and not a change of all that follow; that others then stand elsewhere is a change of `order`.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from licences.definition import LicenceType

_NAMED: Final = {"fields": "name", "derived": "name", "templates": "name", "related_items": "code"}


@dataclass(frozen=True, slots=True)
class Difference:
    """One change: the place as members joined by `/`, and the values as text; None is absent."""

    place: str
    before: str | None
    after: str | None


def differences(before: LicenceType | None, after: LicenceType) -> tuple[Difference, ...]:
    """Return what `after` changes, in the order of its definition; of a new type (`before` None) everything."""
    old = _flat(before) if before is not None else {}
    new = _flat(after)
    places = [*new, *(place for place in old if place not in new)]
    return tuple(
        Difference(place, old.get(place), new.get(place)) for place in places if old.get(place) != new.get(place)
    )


def _flat(kind: LicenceType) -> dict[str, str]:
    found: dict[str, str] = {}
    for member, value in asdict(kind).items():
        if member in _NAMED:
            names = [str(item[_NAMED[member]]) for item in value]
            found[f"{member}/order"] = _text(names)
            for name, item in zip(names, value, strict=True):
                found |= {f"{member}/{name}/{part}": _text(told) for part, told in item.items() if told is not None}
        elif isinstance(value, dict):
            found |= {f"{member}/{part}": _text(told) for part, told in value.items()}
        elif value is not None:
            found[member] = _text(value)
    return found


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
