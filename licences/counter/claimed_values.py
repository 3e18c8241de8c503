"""Does a claimed value agree with the one on record (数据核验)? The same value written in another way is the same.

Names by GB 11643 and GB/T 2312 practice come with and without spaces, middle dots and wide letters; numbers in groups;
days as 2026-01-05, 2026年1月5日 or 20260105. What is compared are digests, so that the time taken tells nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata
from datetime import date
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from licences.definition import Source
from licences.surface import FieldType, Mask

if TYPE_CHECKING:
    from licences.definition import LicenceType
    from licences.surface import Field, Value

_DAY = re.compile(r"([0-9]{4})\D{0,2}([0-9]{1,2})\D{0,2}([0-9]{1,2})\D?")
_BETWEEN_NAMES = re.compile(r"[\s·•・‧∙.]+")
_BETWEEN_DIGITS = re.compile(r"[\s\-‐-―]+")
_SPACES = re.compile(r"\s+")


class Form(StrEnum):
    """How values of a field may be written."""

    NAME = "name"
    NUMBER = "number"
    DAY = "day"
    AMOUNT = "amount"
    TEXT = "text"


GENERIC_FORMS: Final = {
    "holder_name": Form.NAME,
    "holder_number": Form.NUMBER,
    "phone": Form.NUMBER,
    "certificate_number": Form.NUMBER,
    "valid_from": Form.DAY,
    "valid_until": Form.DAY,
}


def form_of(kind: LicenceType | None, name: str) -> Form:
    """Return how the field called `name` may be written; `kind` None is a field of the registers."""
    if name in GENERIC_FORMS or kind is None:
        return GENERIC_FORMS.get(name, Form.TEXT)
    if any(one.name == name and one.source is Source.HOLDER_BIRTH_DATE for one in kind.derived):
        return Form.DAY
    field = next((one for one in kind.fields if one.name == name), None)
    return _form_of(field) if field is not None else Form.TEXT


def _form_of(field: Field) -> Form:
    by_type = {FieldType.DATE: Form.DAY, FieldType.INTEGER: Form.AMOUNT, FieldType.DECIMAL: Form.AMOUNT}
    by_mask = {Mask.NAME: Form.NAME, Mask.NUMBER: Form.NUMBER}
    return by_type.get(field.type) or by_mask.get(field.mask) or Form.TEXT


def agrees(form: Form, held: Value | None, claimed: Value) -> bool:
    """Return whether the claimed value is the held one; with None nothing agrees, at the same price."""
    known, said = (_digest(form, value) for value in ("" if held is None else held, claimed))
    return hmac.compare_digest(known, said) and held is not None


def _digest(form: Form, value: Value) -> bytes:
    return hashlib.sha256(canonical(form, value).encode("utf-8", "surrogatepass")).digest()


def canonical(form: Form, value: Value) -> str:
    """Return the one way of writing that stands for all others."""
    if isinstance(value, bool):
        return "true" if value else "false"
    text = unicodedata.normalize("NFKC", str(value)).strip()
    match form:
        case Form.NAME:
            return _BETWEEN_NAMES.sub("", text).casefold()
        case Form.NUMBER:
            return _BETWEEN_DIGITS.sub("", text).upper()
        case Form.DAY:
            return _day(text)
        case Form.AMOUNT:
            return _amount(text)
    return _SPACES.sub("", text).casefold()


def _day(text: str) -> str:
    found = _DAY.fullmatch(text)
    try:
        return date(*map(int, found.groups())).isoformat() if found else text
    except ValueError:
        return text


def _amount(text: str) -> str:
    try:
        number = Decimal(text.replace(",", ""))
    except InvalidOperation:
        return text
    return format(number.normalize(), "f") if number.is_finite() and abs(number.adjusted()) < 40 else text
