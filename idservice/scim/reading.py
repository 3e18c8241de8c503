"""What a client writes, held against the schema: RFC 7643 section 2, RFC 7644 sections 3.3 and 3.5.1. Pure.

Names count in any case and are given their schema's. What a client may not write is passed over, as the standard has
it for readOnly attributes, and so is what we do not keep; what it may write has its type, its bound, and no citizen
number in it but in the one attribute that is made for that.
"""

from __future__ import annotations

import re
from typing import Any, Final

from idservice.errors import Problem
from idservice.numbers import citizen
from idservice.scim.attributes import BOOLEAN, COMPLEX, READ_ONLY, WRITE_ONLY, Attribute, ResourceType

MOST_VALUES: Final = 2000
_NUMBER = re.compile(r"(?=([0-9]{17}[0-9Xx]))")  # wherever one may begin


def resource(kind: ResourceType, body: Any) -> dict[str, Any]:
    """Return what a client says a resource is, by the names of the schema.

    Raises:
        Problem: scim_syntax; scim_value.
    """
    members = _members(body)
    named = members.pop("schemas", None)
    urns = {urn.lower() for urn in named} if isinstance(named, list) and all(map(_is_text, named)) else set()
    if kind.schema.urn.lower() not in urns:
        raise Problem("scim_syntax", f"schemas must name {kind.schema.urn}.")
    found = _attributes(kind.attributes(), members)
    for extension in kind.extensions:
        if (part := members.get(extension.urn.lower())) is not None:
            found[extension.urn] = _attributes(extension.attributes, _members(part))
    return found


def required(kind: ResourceType, found: dict[str, Any]) -> dict[str, Any]:
    """Return a resource that has all it must have.

    Raises:
        Problem: scim_value.
    """
    for attribute in kind.schema.attributes:
        if attribute.required and not found.get(attribute.name):
            raise Problem("scim_value", f"{attribute.name} is required.")
    return found


def value(attribute: Attribute, given: Any) -> Any:
    """Return the value of an attribute, None for no value.

    Raises:
        Problem: scim_value.
    """
    if given is None or given in ("", [], {}):
        return None
    if not attribute.multi:
        return _single(attribute, given)
    if not isinstance(given, list) or len(given) > MOST_VALUES:
        raise Problem("scim_value", f"{attribute.name} is an array of at most {MOST_VALUES} values.")
    values = [_single(attribute, one) for one in given]
    if sum(1 for one in values if isinstance(one, dict) and one.get("primary")) > 1:
        raise Problem("scim_value", f"At most one value of {attribute.name} is primary.")
    return values


def _single(attribute: Attribute, given: Any) -> Any:
    if attribute.kind == COMPLEX:
        return _attributes(attribute.subs, _members(given))
    if attribute.kind == BOOLEAN:
        if not isinstance(given, bool):
            raise Problem("scim_value", f"{attribute.name} is true or false.")
        return given
    if not isinstance(given, str) or len(given) > attribute.longest or not given.isprintable():
        raise Problem("scim_value", f"{attribute.name} is a text of at most {attribute.longest} printable characters.")
    if attribute.mutability != WRITE_ONLY and _holds_number(given):
        raise Problem("scim_value", f"{attribute.name} must not hold anybody's number.")
    return given


def _attributes(attributes: tuple[Attribute, ...], members: dict[str, Any]) -> dict[str, Any]:
    found = {}
    for attribute in attributes:
        if attribute.mutability != READ_ONLY and (name := attribute.name.lower()) in members:
            given = value(attribute, members[name])
            if given is not None:
                found[attribute.name] = given
    return found


def _members(body: Any) -> dict[str, Any]:
    """Return the members of an object by their names in lower case."""
    if not isinstance(body, dict):
        raise Problem("scim_syntax", "An object is expected.")
    members = {name.lower(): value for name, value in body.items()}
    if len(members) < len(body):
        raise Problem("scim_syntax", "A member is given twice, in different case.")
    return members


def _is_text(given: Any) -> bool:
    return isinstance(given, str)


def _holds_number(text: str) -> bool:
    """Return whether a citizen number stands in a text."""
    return any(citizen.is_valid(number.upper()) for number in _NUMBER.findall(text))
