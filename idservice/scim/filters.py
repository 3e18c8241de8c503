"""Filters and paths: the grammar of RFC 7644 sections 3.4.2.2 and 3.5.2, read by descent and bounded. Pure.

A filter is judged here, over resources as they would be shown: no part of it ever reaches the database, and what is
never shown cannot be asked for.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from idservice.errors import Problem
from idservice.scim.attributes import BOOLEAN, COMPLEX, MOMENT, NEVER, WRITE_ONLY, Attribute, Located, ResourceType
from idservice.scim.comparing import OPERATORS, compares, is_present, moment

LONGEST: Final = 2048
DEEPEST: Final = 12
MOST_TERMS: Final = 50

_TOKEN = re.compile(r'\s+|"(?:[^"\\]|\\.)*+"|[()\[\]]|[A-Za-z0-9_$.:/+\-]+')

Test = Callable[[dict[str, Any]], bool]
Resolve = Callable[[str], Located | None]


@dataclass(frozen=True, slots=True)
class Path:
    """A PATCH path: an attribute, which of its values, and which part of them; or all of an extension."""

    located: Located | None
    selects: Test | None = None
    extension: str | None = None


@dataclass(slots=True)
class _Reader:
    """The tokens of a text, how far they are read, and how much was met on the way."""

    tokens: list[str]
    code: str
    at: int = 0
    terms: int = 0

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self, expected: str | None = None) -> str:
        token = self.peek()
        if not token or (expected is not None and token != expected):
            raise self.refusal(f"{expected or 'more'} is missing")
        self.at += 1
        return token

    def is_word(self, *words: str) -> bool:
        return self.peek().lower() in words

    def refusal(self, why: str) -> Problem:
        return Problem(self.code, f"{why[:120]}.")


def filter_of(text: str, *types: ResourceType) -> list[tuple[ResourceType, Test]]:
    """Return what a filter asks of each of several types of resource; a type without its attributes is left out.

    Raises:
        Problem: scim_filter.
    """
    found, refused = [], None
    for kind in types:
        try:
            found.append((kind, _whole(text, kind.find)))
        except _UnknownAttributeError as unknown:
            refused = unknown
    if refused is not None and not found:
        raise Problem("scim_filter", refused.detail)
    return found


def path_of(text: str, kind: ResourceType) -> Path:
    """Return the attribute, values and part that a PATCH path names.

    Raises:
        Problem: scim_path or scim_filter.
    """
    if (extension := kind.extension(text)) is not None:
        return Path(None, None, extension)
    reader = _read(text, "scim_path")
    located = kind.find(reader.take())
    if located is None:
        raise reader.refusal("no such attribute")
    selects = None
    if reader.peek() == "[":
        if located.sub is not None or not (located.attribute.multi and located.attribute.kind == COMPLEX):
            raise reader.refusal("only values of a multi-valued attribute are selected")
        reader.code = "scim_filter"
        selects = _selection(reader, located.attribute, 1)
        if part := reader.peek():
            sub = located.attribute.sub(reader.take()[1:]) if part.startswith(".") else None
            if sub is None:
                raise Problem("scim_path", "The values have no such part.")
            located = Located(located.extension, located.attribute, sub)
    if reader.peek():
        raise reader.refusal("too much")
    return Path(located, selects)


class _UnknownAttributeError(Problem):
    pass


def _whole(text: str, resolve: Resolve) -> Test:
    reader = _read(text, "scim_filter")
    test = _either(reader, resolve, 0)
    if reader.peek():
        raise reader.refusal(f"unexpected {reader.peek()}")
    return test


def _read(text: str, code: str) -> _Reader:
    if not 0 < len(text) <= LONGEST:
        raise Problem(code, f"It has 1 to {LONGEST} characters.")
    tokens, at = [], 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise Problem(code, f"Not understood from character {at + 1} on.")
        at = found.end()
        if not found.group().isspace():
            tokens.append(found.group())
    return _Reader(tokens, code)


def _either(reader: _Reader, resolve: Resolve, depth: int) -> Test:
    tests = [_both(reader, resolve, depth)]
    while reader.is_word("or"):
        reader.take()
        tests.append(_both(reader, resolve, depth))
    return tests[0] if len(tests) == 1 else lambda resource: any(test(resource) for test in tests)


def _both(reader: _Reader, resolve: Resolve, depth: int) -> Test:
    tests = [_term(reader, resolve, depth)]
    while reader.is_word("and"):
        reader.take()
        tests.append(_term(reader, resolve, depth))
    return tests[0] if len(tests) == 1 else lambda resource: all(test(resource) for test in tests)


def _term(reader: _Reader, resolve: Resolve, depth: int) -> Test:
    reader.terms += 1
    if depth >= DEEPEST or reader.terms > MOST_TERMS:
        raise reader.refusal(f"at most {MOST_TERMS} terms, {DEEPEST} deep")
    if reader.is_word("not"):
        reader.take()
        inner = _group(reader, resolve, depth)
        return lambda resource: not inner(resource)
    if reader.peek() == "(":
        return _group(reader, resolve, depth)
    name = reader.take()
    located = resolve(name)
    if located is None or _is_hidden(located):
        raise _UnknownAttributeError(reader.code, "There is no such attribute to filter by.")
    if reader.peek() == "[":
        if located.sub is not None or located.attribute.kind != COMPLEX:
            raise reader.refusal("this attribute has no parts to select by")
        return _within(located, _selection(reader, located.attribute, depth + 1))
    return _comparison(reader, located)


def _group(reader: _Reader, resolve: Resolve, depth: int) -> Test:
    reader.take("(")
    test = _either(reader, resolve, depth + 1)
    reader.take(")")
    return test


def _selection(reader: _Reader, attribute: Attribute, depth: int) -> Test:
    """Read `[filter]`: what is asked of each value of a complex attribute."""

    def part(name: str) -> Located | None:
        sub = attribute.sub(name)
        return Located(None, sub) if sub is not None else None

    reader.take("[")
    test = _either(reader, part, depth)
    reader.take("]")
    return test


def _is_hidden(located: Located) -> bool:
    return located.leaf.returned == NEVER or located.leaf.mutability == WRITE_ONLY


def _within(located: Located, selects: Test) -> Test:
    return lambda resource: any(selects(value) for value in _values(located, resource) if isinstance(value, dict))


def _comparison(reader: _Reader, located: Located) -> Test:
    operator = reader.take().lower()
    if operator == "pr":
        return lambda resource: any(is_present(value) for value in _values(located, resource))
    if operator not in OPERATORS:
        raise reader.refusal("not an operator")
    value = _value(reader)
    if located.leaf.kind == COMPLEX:
        part = located.leaf.sub("value")
        if part is None:
            raise reader.refusal("this attribute has no value of its own")
        located = Located(located.extension, located.attribute, part)
    _check(reader, located.leaf, operator, value)
    leaf = located.leaf
    return lambda resource: compares(leaf, operator, _values(located, resource), value)


def _value(reader: _Reader) -> Any:
    token = reader.take()
    try:
        value = json.loads(token)
    except (ValueError, RecursionError):
        raise reader.refusal("a value is a JSON string, number, true, false or null") from None
    if isinstance(value, (dict, list)):
        raise reader.refusal("a value is no list")
    return value


def _check(reader: _Reader, leaf: Attribute, operator: str, value: Any) -> None:
    """Refuse a comparison that makes no sense for the attribute (RFC 7644 section 3.4.2.2)."""
    if value is None:
        if operator not in {"eq", "ne"}:
            raise reader.refusal("null is only equal or not")
        return
    if leaf.kind == BOOLEAN:
        if not isinstance(value, bool) or operator not in {"eq", "ne"}:
            raise reader.refusal("a boolean is only equal or not to true or false")
    elif not isinstance(value, str):
        raise reader.refusal("this attribute is compared with a string")
    elif leaf.kind == MOMENT and operator in {"gt", "ge", "lt", "le", "eq", "ne"} and moment(value) is None:
        raise reader.refusal("this attribute is compared with a time, such as 2026-01-31T08:00:00Z")


def _values(located: Located, resource: dict[str, Any]) -> list[Any]:
    """Return the values of an attribute, however many it has; of its part, where one is named."""
    found = located.holder(resource).get(located.attribute.name)
    values = found if isinstance(found, list) else [] if found is None else [found]
    if located.sub is None:
        return values
    name = located.sub.name
    return [value[name] for value in values if isinstance(value, dict) and value.get(name) is not None]
