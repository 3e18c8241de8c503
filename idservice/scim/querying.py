"""A question for resources: filter, order and page, RFC 7644 sections 3.4.2 and 3.4.3. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from idservice.errors import Problem
from idservice.scim import filters, showing
from idservice.scim.attributes import COMPLEX, Located, ResourceType
from idservice.scim.comparing import folded
from idservice.scim.showing import Shown

SEARCH_REQUEST: Final = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"
LIST_RESPONSE: Final = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
PAGE: Final = 100
LARGEST_PAGE: Final = 200

_ONE_NAME = re.compile(r'\s*userName\s+eq\s+"([^"\\]*)"\s*', re.IGNORECASE)
NAMES: Final = (
    "filter",
    "sortBy",
    "sortOrder",
    "startIndex",
    "count",
    "attributes",
    "excludedAttributes",
)


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked for; `filter` is a text until it meets the resources it is asked of."""

    filter: str | None = None
    sort_by: str | None = None
    descending: bool = False
    start: int = 1
    count: int = PAGE
    shown: Shown = field(default_factory=Shown)


def of_url(parameters: Mapping[str, str]) -> Query:
    """Return the question that the query parameters ask; others than these are passed over.

    Raises:
        Problem: scim_value.
    """
    members: dict[str, Any] = {name: parameters[name] for name in NAMES if name in parameters}
    for name in ("startIndex", "count"):
        if name in members:
            members[name] = _number(members[name])
    for name in ("attributes", "excludedAttributes"):
        if name in members:
            members[name] = [part.strip() for part in members[name].split(",") if part.strip()]
    return _query(members)


def of_body(body: Any) -> Query:
    """Return the question of a `.search` (RFC 7644 section 3.4.3).

    Raises:
        Problem: scim_syntax or scim_value.
    """
    if not isinstance(body, dict) or body.get("schemas") != [SEARCH_REQUEST]:
        raise Problem("scim_syntax", f"schemas must be [{SEARCH_REQUEST}].")
    lower = {name.lower(): value for name, value in body.items()}
    return _query({name: lower[name.lower()] for name in NAMES if lower.get(name.lower()) is not None})


def answered(
    query: Query, kinds: tuple[ResourceType, ...], found: Iterable[tuple[ResourceType, dict[str, Any]]]
) -> dict[str, Any]:
    """Return the list response: what of the resources of these kinds passes the filter, in order, one page of it.

    Raises:
        Problem: scim_filter or scim_value.
    """
    rows = list(found)
    if query.filter is not None:
        tests = {kind.name: test for kind, test in filters.filter_of(query.filter, *kinds)}
        rows = [(kind, row) for kind, row in rows if kind.name in tests and tests[kind.name](row)]
    if query.sort_by is not None:
        rows = _sorted(query, kinds, rows)
    page = rows[query.start - 1 : query.start - 1 + query.count]
    return {
        "schemas": [LIST_RESPONSE],
        "totalResults": len(rows),
        "startIndex": query.start,
        "itemsPerPage": len(page),
        "Resources": [query.shown.of(kind, row) for kind, row in page],
    }


def user_name(query: Query) -> str | None:
    """Return the one `userName` that is asked for, where nothing else is: it is found without reading all accounts."""
    found = _ONE_NAME.fullmatch(query.filter or "")
    return found.group(1) if found is not None else None


def _query(members: Mapping[str, Any]) -> Query:
    wanted, sort_by, order = (members.get(name) for name in ("filter", "sortBy", "sortOrder"))
    if not all(text is None or isinstance(text, str) for text in (wanted, sort_by, order)):
        raise Problem("scim_value", "filter, sortBy and sortOrder are texts.")
    if order is not None and order.lower() not in {"ascending", "descending"}:
        raise Problem("scim_value", "sortOrder is ascending or descending.")
    start, count = members.get("startIndex", 1), members.get("count", PAGE)
    if any(not isinstance(number, int) or isinstance(number, bool) for number in (start, count)):
        raise Problem("scim_value", "startIndex and count are numbers.")
    return Query(
        wanted,
        sort_by,
        order is not None and order.lower() == "descending",
        max(1, start),
        min(max(0, count), LARGEST_PAGE),
        showing.asked(members.get("attributes", ()), members.get("excludedAttributes", ())),
    )


def _number(text: str) -> int:
    if not text.removeprefix("-").isdecimal() or not text.isascii() or len(text) > 9:
        raise Problem("scim_value", "startIndex and count are numbers.")
    return int(text)


Rows = list[tuple[ResourceType, dict[str, Any]]]


def _sorted(query: Query, kinds: tuple[ResourceType, ...], rows: Rows) -> Rows:
    places = {kind.name: kind.find(query.sort_by or "") for kind in kinds}
    if not any(places.values()):
        raise Problem("scim_value", "sortBy names no attribute.")

    def key(row: tuple[ResourceType, dict[str, Any]]) -> tuple[bool, Any]:
        kind, resource = row
        place = places[kind.name]
        value = _sort_value(place, resource) if place is not None else None
        return (value is None, "" if value is None else value)

    # Without a value: last in ascending order, first in descending order (RFC 7644 section 3.4.2.3).
    return sorted(rows, key=key, reverse=query.descending)


def _sort_value(place: Located, resource: dict[str, Any]) -> str | None:
    value = place.holder(resource).get(place.attribute.name)
    if isinstance(value, list):  # the primary value, or the first
        value = next((one for one in value if isinstance(one, dict) and one.get("primary")), value[0])
    leaf = place.leaf
    if leaf.kind == COMPLEX:
        leaf = leaf.sub("value") or leaf.sub("formatted") or leaf
    if isinstance(value, dict):
        value = value.get(leaf.name)
    return None if value is None else str(folded(leaf, value))
