"""The licence identifier as it is stored (电子证照标识): 36 bytes for the 82 characters of one of ours, any text else.

Issuer first, so that the identifiers of one department lie together: 9 bytes for its credit code without check
characters, 11 for the type's with its three digits, one for the length of the serial, the serial, and two for version
and check character. The form is never to be changed: rows are found by these bytes.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from sqlalchemy import LargeBinary

from idservice.column_types import StoredAs
from idservice.numbers import credit_code
from idservice.numbers.fold import InvalidNumber
from licences.identifier import ROOT

if TYPE_CHECKING:
    from sqlalchemy import Dialect

_ANY_TEXT: Final = b"\xff"  # in front of what has no short form: no credit code begins with it
_FORM: Final = re.compile(
    re.escape(ROOT) + r"\.([0-9A-Z]{18}[0-9]{3})\.([0-9A-Z]{18})\.([0-9A-Z]{1,64})\.([0-9]{3})\.([0-9A-Z])"
)
_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_PAIRS: Final = tuple(first + second for first in _ALPHABET for second in _ALPHABET)
_WIDTHS: Final = tuple(((36**length - 1).bit_length() + 7) // 8 for length in range(65))
_CODE, _TYPE, _TAIL = 9, 11, 2  # bytes
_PREFIX: Final = _CODE + _TYPE
_REGIONS, _BODIES = 10**6, 36**8


class IdentifierType(StoredAs[str]):
    """The type of a column of licence identifiers. Bytes are taken as they are: `span` gives bounds of a search."""

    impl = LargeBinary
    cache_ok = True
    sample = bytes(_PREFIX) + b"\1" + bytes(_WIDTHS[1] + _TAIL)

    @property
    def python_type(self) -> type[str]:
        """Return what the program sees."""
        return str

    def stored(self, value: str | bytes, dialect: Dialect) -> bytes:  # noqa: ARG002
        """Return the bytes of an identifier."""
        return value if isinstance(value, bytes) else pack(value)

    def shown(self, value: bytes, dialect: Dialect) -> str:  # noqa: ARG002
        """Return the identifier of bytes."""
        return unpack(value)


def pack(text: str) -> bytes:
    """Return what stands for an identifier in the database, or for any other text."""
    match = _FORM.fullmatch(text)
    if match is None:
        return _ANY_TEXT + text.encode()
    type_code, issuer, serial, version, check = match.groups()
    prefix = _pack_prefix(type_code, issuer)
    if prefix is None:
        return _ANY_TEXT + text.encode()
    length = len(serial)
    tail = int(version) * 36 + _ALPHABET.index(check)
    return b"%b%c%b%b" % (
        prefix,
        length,
        int(serial, 36).to_bytes(_WIDTHS[length], "big"),
        tail.to_bytes(_TAIL, "big"),
    )


def unpack(packed: bytes) -> str:
    """Return the text that `pack` was given."""
    if packed[:1] == _ANY_TEXT:
        return packed[1:].decode()
    version, check = divmod(int.from_bytes(packed[-_TAIL:], "big"), 36)
    serial = _in_base_36(int.from_bytes(packed[_PREFIX + 1 : -_TAIL], "big"), packed[_PREFIX])
    return f"{_unpack_prefix(packed[:_PREFIX])}{serial}.{version:03d}.{_ALPHABET[check]}"


def span(issuer: str) -> tuple[bytes, bytes] | None:
    """Return between which bytes the identifiers of an issuer lie; None for what is no credit code."""
    code = _pack_code(issuer)
    return None if code is None else (code, code + b"\xff" * 32)


@lru_cache(maxsize=4096)
def _pack_prefix(type_code: str, issuer: str) -> bytes | None:
    """Return the bytes of type and issuer; None where a check character is not the one that would be made again."""
    first, second = _pack_code(issuer), _pack_code(type_code[:18])
    if first is None or second is None:
        return None
    number = int.from_bytes(second, "big") * 1000 + int(type_code[18:])
    return first + number.to_bytes(_TYPE, "big")


@lru_cache(maxsize=4096)
def _unpack_prefix(packed: bytes) -> str:
    code, number = divmod(int.from_bytes(packed[_CODE:], "big"), 1000)
    issuer = _unpack_code(int.from_bytes(packed[:_CODE], "big"))
    return f"{ROOT}.{_unpack_code(code)}{number:03d}.{issuer}."


def _pack_code(code: str) -> bytes | None:
    try:
        if credit_code.check(code) != code:
            return None
    except InvalidNumber:
        return None
    number = (int(code[:2], 36) * _REGIONS + int(code[2:8])) * _BODIES + int(code[8:16], 36)
    return number.to_bytes(_CODE, "big")


def _unpack_code(number: int) -> str:
    rest, body = divmod(number, _BODIES)
    kind, region = divmod(rest, _REGIONS)
    inner = _in_base_36(body, 8)
    begun = f"{_in_base_36(kind, 2)}{region:06d}{inner}{credit_code.inner_check_character(inner)}"
    return begun + credit_code.check_character(begun)


def _in_base_36(number: int, length: int) -> str:
    pairs = []
    for _ in range((length + 1) // 2):
        number, place = divmod(number, 1296)
        pairs.append(_PAIRS[place])
    return "".join(reversed(pairs))[-length:]
