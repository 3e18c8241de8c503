"""The face of a licence (照面): its fields, and the check of what an issuer submits for them.

GB/T 36902-2018 lists the surface fields of a licence type (name, column name, value type, order). A value is taken
exactly as the issuer wrote it, because those bytes are sealed: the check accepts or refuses, it never repairs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import lru_cache
from itertools import islice
from typing import TypeAlias

from idservice.numbers.names import mask_name
from idservice.numbers.plain import is_plain

Value: TypeAlias = str | int | bool

#: The largest integer that every JSON reader keeps exactly (RFC 8259 section 6).
MAX_INTEGER = 2**53 - 1

_DATE = re.compile(r"(?:18|19|20|21)[0-9]{2}-[0-9]{2}-[0-9]{2}")
#: Province and prefecture where they are written, then the county: the parts that say where, not which door.
#: A housing estate (小区) or a market (超市) ends like a county and is none.
_COUNTY = re.compile(
    r".{2,12}?(?:省|自治区|市)(?:.{1,12}?(?:市|自治州|盟|地区))?"
    r".{1,12}?(?:县|(?<![小社园街校厂])区|(?<![超集夜菜])市|旗)"
)
_DATE_LENGTH = 10
_DECIMAL = re.compile(r"(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,6})?")


class FieldType(StrEnum):
    """The value types of a surface field; `decimal` is a string, because JSON numbers lose digits."""

    STRING = "string"
    DATE = "date"
    INTEGER = "integer"
    ENUM = "enum"
    DECIMAL = "decimal"
    BOOLEAN = "boolean"


class Mask(StrEnum):
    """How a field is shown to somebody who may not read all of it."""

    NONE = "none"
    NAME = "name"
    NUMBER = "number"
    ADDRESS = "address"
    HIDDEN = "hidden"


@dataclass(frozen=True, slots=True)
class Field:
    """One surface field; `max_length` counts characters, `choices` belongs to `enum` alone."""

    name: str
    title: str
    title_en: str
    type: FieldType
    required: bool
    example: Value
    max_length: int
    choices: tuple[str, ...] = ()
    mask: Mask = Mask.NONE


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """One thing wrong with a submission: a JSON pointer (RFC 6901) into it, a stable code and an English sentence."""

    pointer: str
    code: str
    message: str


class FieldsRefusedError(ValueError):
    """A submission that is not the face of its licence type; `problems` names every fault found."""

    def __init__(self, problems: tuple[FieldProblem, ...]) -> None:
        super().__init__("; ".join(f"{problem.pointer or '/'}: {problem.message}" for problem in problems[:3]))
        self.problems = problems


def check_fields(fields: tuple[Field, ...], submitted: object) -> dict[str, Value]:
    """Return `submitted` in the order of `fields` once every value fits; raises `FieldsRefusedError` with all problems.

    Problem codes: `type length empty invisible choice date decimal range required unknown whitespace`.
    """
    if not isinstance(submitted, Mapping):
        raise FieldsRefusedError((FieldProblem("", "type", "the fields are an object"),))
    known = {field.name for field in fields}
    strangers = (str(name) for name in submitted if name not in known)
    # A few are named to help; echoing thousands of them back would serve an attacker only.
    problems = [_unknown(name) for name in islice(strangers, 5)]
    for field in fields:
        if field.name not in submitted:
            problems += [_problem(field, "required", "is required")] * field.required
        elif (found := find_problem(field, submitted[field.name])) is not None:
            problems.append(found)
    if problems:
        raise FieldsRefusedError(tuple(problems))
    return {field.name: submitted[field.name] for field in fields if field.name in submitted}


def find_problem(field: Field, value: object) -> FieldProblem | None:
    """Return what is wrong with `value` for `field`, or None."""
    if field.type is FieldType.BOOLEAN:
        return None if isinstance(value, bool) else _problem(field, "type", "is true or false")
    if field.type is FieldType.INTEGER:
        return _integer_problem(field, value)
    if not isinstance(value, str):
        return _problem(field, "type", "is a string")
    return _text_problem(field, value) or _form_problem(field, value)


def quick_check(field: Field) -> Callable[[str], bool]:
    """Return what says of most good texts for `field`, in one step, that `find_problem` finds nothing wrong with them.

    Where it says no, `find_problem` decides: for files of millions of rows, which are nearly all good.
    """
    longest = field.max_length
    choices = frozenset(choice for choice in field.choices if find_problem(field, choice) is None)
    match field.type:
        case FieldType.STRING:
            # Among the printable, a plain space is the only one that `strip` takes off.
            return lambda text: 0 < len(text) <= longest and text.isprintable() and " " not in {text[0], text[-1]}
        case FieldType.ENUM:
            return choices.__contains__
        case FieldType.DATE if longest >= _DATE_LENGTH:
            return is_date
        case _:
            return lambda _text: False


def _integer_problem(field: Field, value: object) -> FieldProblem | None:
    if not isinstance(value, int) or isinstance(value, bool):
        return _problem(field, "type", "is an integer")
    return None if 0 <= value <= MAX_INTEGER else _problem(field, "range", "is out of range")


def _text_problem(field: Field, value: str) -> FieldProblem | None:
    if not value:
        return _problem(field, "empty", "is empty: leave an optional field out instead")
    if len(value) > field.max_length:
        return _problem(field, "length", f"has more than {field.max_length} characters")
    if not is_plain(value):
        return _problem(field, "invisible", "holds a control, direction or other invisible character")
    if value != value.strip():
        return _problem(field, "whitespace", "begins or ends with a space")
    return None


def _form_problem(field: Field, value: str) -> FieldProblem | None:
    if field.type is FieldType.ENUM and value not in field.choices:
        return _problem(field, "choice", "is not one of the choices")
    if field.type is FieldType.DATE and not is_date(value):
        return _problem(field, "date", "is not a date YYYY-MM-DD")
    if field.type is FieldType.DECIMAL and not _DECIMAL.fullmatch(value):
        return _problem(field, "decimal", "is not a plain decimal number")
    return None


def masked(field: Field, value: Value) -> str:
    """Return `value` as somebody sees it who may not read it in full; a field without a mask comes back as text."""
    text = ("是" if value else "否") if isinstance(value, bool) else str(value)
    if field.mask is Mask.NAME:
        return mask_name(text)
    if field.mask is Mask.NUMBER:
        return _mask_number(text)
    if field.mask is Mask.ADDRESS:
        return _mask_address(text)
    return "***" if field.mask is Mask.HIDDEN else text


def _mask_number(text: str) -> str:
    """First three and last four as for a citizen number; of a short number only the last quarter stays."""
    if len(text) >= 11:
        return f"{text[:3]}{'*' * (len(text) - 7)}{text[-4:]}"
    shown = len(text) // 4
    return "*" * (len(text) - shown) + text[len(text) - shown :]


def _mask_address(text: str) -> str:
    """Keep an address down to its county (县、区、市、旗); without one nothing but stars stays."""
    county = _COUNTY.match(text)
    return f"{county[0] if county else ''}***"


@lru_cache(maxsize=65_536)  # there are fewer days in a century and a half, and a register is full of them
def is_date(text: str) -> bool:
    """Tell whether `text` is a real day written YYYY-MM-DD (ISO 8601), from 1800 to 2199."""
    if not _DATE.fullmatch(text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _unknown(name: str) -> FieldProblem:
    escaped = name[:40].replace("~", "~0").replace("/", "~1")
    return FieldProblem(f"/{escaped}", "unknown", "this licence type has no such field")


def _problem(field: Field, code: str, message: str) -> FieldProblem:
    return FieldProblem(f"/{field.name}", code, f"{field.name} {message}")
