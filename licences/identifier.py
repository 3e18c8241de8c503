"""GB/T 36904-2018 electronic licence identifier (电子证照标识).

`1.2.156.3005.2.<type, 21>.<issuer, 18>.<serial>.<version, 3 digits>.<check>`: the type code is the credit code of the
authority that defined the type and three digits; the check character is ISO/IEC 7064 MOD 37,36 over type, issuer,
serial and version without dots and root.

Three degrees of strictness. `build` writes only what the standard allows. `check` wants the form and the right check
character. `parts` also reads what other provinces have issued with a wrong check character or a region code as issuer,
and says so in `warnings`. The dots are outside the check character: equality of the whole text, never its validity,
decides whether two identifiers are the same.
"""

import re
import secrets
from dataclasses import dataclass, field
from functools import lru_cache

from idservice.numbers import credit_code
from idservice.numbers.fold import InvalidNumber, fold

ROOT = "1.2.156.3005.2"
"""The object identifier under which all licence identifiers stand (根 OID)."""

_LIMIT = 192  # the longest identifier we read has 126 characters; the rest is room for stray spaces
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_VALUES = {character: value for value, character in enumerate(_ALPHABET)}
_SERIAL_LENGTH = 20
# Each byte draws one character; the last four would favour the first characters, and draw none.
_DRAWN = (_ALPHABET.encode() * 8)[:256]
_UNEVEN = bytes(range(256 - 256 % len(_ALPHABET), 256))

_IDENTIFIER = re.compile(
    re.escape(ROOT)
    + r"\.(?P<type>[0-9A-Z]{21})\.(?P<issuer>[0-9A-Z]{18}|[0-9]{6})"
    + r"\.(?P<serial>[0-9A-Z]{1,64})\.(?P<version>[0-9]{3})\.(?P<check>[0-9A-Z])"
)
_BODY = re.compile(r"[0-9A-Z]+")
_SERIAL = re.compile(r"[0-9A-Z]{1,32}")


@dataclass(frozen=True, slots=True)
class LicenceIdentifier:
    """What an identifier says. A serial is often a person's number, so `repr` leaves it out."""

    identifier: str = field(repr=False)
    type_code: str
    issuer_code: str
    serial: str = field(repr=False)
    version: int
    """1 for the first issue, one more for each re-issue of the same licence."""
    check_character: str = field(repr=False)
    warnings: tuple[str, ...]
    """`check_digit`, `type_code`, `issuer_code`, `issuer_is_region`, `version`: what `build` would not have written."""


def normalise(text: str) -> str:
    """Fold what was typed or scanned. Raises `InvalidNumber("length")` above 192 characters, and nothing else."""
    return fold(text, limit=_LIMIT)


def check_character(body: str) -> str:
    """Return the check character of type, issuer, serial and version written without dots. Raises `InvalidNumber`."""
    if len(body) > _LIMIT:
        raise InvalidNumber("length")
    if not _BODY.fullmatch(body):
        raise InvalidNumber("alphabet")
    product = 36
    for character in body:
        product = ((product + _VALUES[character]) % 36 or 36) * 2 % 37
    return _ALPHABET[(37 - product) % 36]


def build(type_code: str, issuer_code: str, serial: str, version: int) -> str:
    """Return the identifier of a licence to be issued.

    `type_code` is a valid credit code and three digits, `issuer_code` a valid credit code, `serial` 1 to 32 characters
    A-Z0-9, `version` 1 to 999. Nothing is folded: raises `InvalidNumber` (type_code, issuer_code, serial, version).
    """
    if not _is_type_code(type_code):
        raise InvalidNumber("type_code")
    if not _is_exact_credit_code(issuer_code):
        raise InvalidNumber("issuer_code")
    if not _SERIAL.fullmatch(serial):
        raise InvalidNumber("serial")
    if not 1 <= version <= 999:
        raise InvalidNumber("version")
    check_of = check_character(f"{type_code}{issuer_code}{serial}{version:03d}")
    return f"{ROOT}.{type_code}.{issuer_code}.{serial}.{version:03d}.{check_of}"


def check(text: str) -> str:
    """Return the normalised identifier, or raise `InvalidNumber` (length, form, check_digit)."""
    found = parts(text)
    if "check_digit" in found.warnings:
        raise InvalidNumber("check_digit")
    return found.identifier


def is_valid(text: str) -> bool:
    """Say whether `check` would return."""
    try:
        check(text)
    except InvalidNumber:
        return False
    return True


def parts(text: str) -> LicenceIdentifier:
    """Read an identifier, ours or foreign, what is wrong with it as warnings. Raises `InvalidNumber` (length, form)."""
    identifier = normalise(text)
    match = _IDENTIFIER.fullmatch(identifier)
    if not match:
        raise InvalidNumber("form")
    type_code, issuer_code, serial, version, check_of = match.groups()
    is_region = len(issuer_code) == 6
    doubts = {
        "check_digit": check_character(type_code + issuer_code + serial + version) != check_of,
        "type_code": not _is_type_code(type_code),
        "issuer_code": not is_region and not credit_code.is_valid(issuer_code),
        "issuer_is_region": is_region,
        "version": version == "000",
    }
    return LicenceIdentifier(
        identifier=identifier,
        type_code=type_code,
        issuer_code=issuer_code,
        serial=serial,
        version=int(version),
        check_character=check_of,
        warnings=tuple(doubt for doubt, holds in doubts.items() if holds),
    )


def new_serial() -> str:
    """Return 20 random characters A-Z0-9: more than 100 bits, so that serials need no shared counter."""
    found = ""
    while len(found) < _SERIAL_LENGTH:
        drawn = secrets.token_bytes(2 * _SERIAL_LENGTH).translate(_DRAWN, delete=_UNEVEN)
        found += drawn.decode("ascii")
    return found[:_SERIAL_LENGTH]


def type_code(identifier: str) -> str:
    """Return the type in an identifier that `build` made or `check` returned; nothing of it is checked again."""
    return identifier.removeprefix(f"{ROOT}.").partition(".")[0]


def version(identifier: str) -> int:
    """Return the version of an identifier that `build` made or `check` returned; nothing of it is checked again."""
    return int(identifier.rsplit(".", 2)[1])


def mask(text: str) -> str:
    """Hide the serial but for its last four characters, or its last third if that is less; never raises.

    Type, issuer and version are public. The check character is hidden too, for with it a short serial could be guessed.
    What is no identifier is hidden whole behind 18 stars.
    """
    try:
        found = parts(text)
    except InvalidNumber:
        return "*" * 18
    shown = min(4, len(found.serial) // 3)
    hidden = len(found.serial) - shown
    serial = "*" * hidden + found.serial[hidden:]
    return f"{ROOT}.{found.type_code}.{found.issuer_code}.{serial}.{found.version:03d}.*"


def _is_type_code(code: str) -> bool:
    return len(code) == 21 and _is_exact_credit_code(code[:18]) and code[18:].isascii() and code[18:].isdigit()


@lru_cache(maxsize=4_096)  # of departments and of types, which are few
def _is_exact_credit_code(code: str) -> bool:
    """Say whether a text is a valid credit code as it stands, without folding."""
    return credit_code.is_valid(code) and credit_code.normalise(code) == code
