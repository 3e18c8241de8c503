"""What of a resource is shown: `attributes` and `excludedAttributes`, RFC 7644 section 3.9. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from idservice.errors import Problem
from idservice.scim.attributes import ALWAYS, COMPLEX, NEVER, Attribute, ResourceType

MOST_NAMES: Final = 50


@dataclass(frozen=True, slots=True)
class Shown:
    """Which attributes a client wants, or does not: neither list is everything that is shown by default."""

    only: tuple[str, ...] = ()
    without: tuple[str, ...] = ()

    def of(self, kind: ResourceType, resource: dict[str, Any]) -> dict[str, Any]:
        """Return the resource as it is shown."""
        names = self.only or self.without
        if not names:
            return dict(_visible(kind.attributes(), resource)) | {
                schema.urn: dict(_visible(schema.attributes, resource[schema.urn]))
                for schema in kind.extensions
                if schema.urn in resource
            }
        chosen = _Chosen(kind, names, is_only=bool(self.only))
        shown = chosen.among(None, kind.attributes(), resource)
        for schema in kind.extensions:
            if part := chosen.among(schema.urn, schema.attributes, resource.get(schema.urn, {})):
                shown[schema.urn] = part
        return shown


def asked(only: Any, without: Any) -> Shown:
    """Return what the two parameters ask for, each a list of names.

    Raises:
        Problem: scim_value.
    """
    for names in (only, without):
        if not isinstance(names, (list, tuple)) or len(names) > MOST_NAMES:
            raise Problem("scim_value", f"attributes and excludedAttributes are lists of at most {MOST_NAMES} names.")
        if not all(isinstance(name, str) and len(name) <= 256 for name in names):
            raise Problem("scim_value", "A name is a text.")
    if only and without:
        raise Problem("scim_value", "Send attributes or excludedAttributes, not both.")
    return Shown(tuple(only), tuple(without))


class _Chosen:
    """Names that a client sent, as attributes; names of nothing choose nothing."""

    def __init__(self, kind: ResourceType, names: tuple[str, ...], *, is_only: bool) -> None:
        found = [kind.find(name) for name in names]
        self.is_only = is_only
        self.wholes = {(one.extension, one.attribute.name) for one in found if one is not None and one.sub is None}
        self.parts = {
            (one.extension, one.attribute.name, one.sub.name)
            for one in found
            if one is not None and one.sub is not None
        }
        self.extensions = {urn for name in names if (urn := kind.extension(name)) is not None}

    def among(self, extension: str | None, attributes: tuple[Attribute, ...], held: dict[str, Any]) -> dict[str, Any]:
        """Return the chosen attributes of one holder."""
        shown = {}
        for attribute, value in _present(attributes, held):
            place = (extension, attribute.name)
            is_whole = place in self.wholes or extension in self.extensions
            if attribute.returned == ALWAYS or (is_whole and self.is_only):
                shown[attribute.name] = value
            elif is_whole:
                continue
            elif any(part[:2] == place for part in self.parts):
                if (kept := self._parts_of(place, attribute, value)) not in ({}, []):
                    shown[attribute.name] = kept
            elif not self.is_only:
                shown[attribute.name] = value
        return shown

    def _parts_of(self, place: tuple[str | None, str], attribute: Attribute, value: Any) -> Any:
        def kept(one: Any) -> Any:
            if attribute.kind != COMPLEX or not isinstance(one, dict):
                return one
            return {name: part for name, part in one.items() if ((*place, name) in self.parts) is self.is_only}

        return [kept(one) for one in value] if isinstance(value, list) else kept(value)


def _present(attributes: tuple[Attribute, ...], held: dict[str, Any]) -> Iterator[tuple[Attribute, Any]]:
    for attribute in attributes:
        if attribute.returned != NEVER and held.get(attribute.name) is not None:
            yield attribute, held[attribute.name]


def _visible(attributes: tuple[Attribute, ...], held: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for attribute, value in _present(attributes, held):
        yield attribute.name, value
