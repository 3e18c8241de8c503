"""The two written forms of an LC1 paper code (纸质二维码文本): `LC1:` with base45, and a URL with digits after `#`.

Base45 is RFC 9285. In the URL seven bytes are seventeen digits, little-endian, as in the `FIDO:/` address of CTAP 2.2
section 11.5; what follows `#` never leaves the phone that opens it. Either form has exactly one text for one content,
so a text that was altered is another content or none.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from typing import Final

MAX_TEXT: Final = 4_096  # characters
PREFIX: Final = "LC1:"

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
_NONE = 0xFF  # of a byte that is no character of the alphabet
_VALUES = bytes(_ALPHABET.find(chr(octet)) & _NONE for octet in range(256))
_CHUNK, _CHUNK_DIGITS = 7, 17
#: How many digits the last 1 to 6 bytes take: as many as the largest value of that length has.
_TAIL_DIGITS: Final = {1: 3, 2: 5, 3: 8, 4: 10, 5: 13, 6: 15}
_TAIL_BYTES: Final = {digits: size for size, digits in _TAIL_DIGITS.items()}

_SCANNER_PREFIX = re.compile(r"\A\]Q[0-9]")  # ISO/IEC 15424 symbology identifier, which some scanners send first
_FAMILY = re.compile(r"LC([0-9]):")
_ADDRESS = re.compile(r"HTTPS?://([^/?#\s]{1,255})/(?:V|VERIFY)#([0-9]+)", re.IGNORECASE | re.ASCII)


class LC1TextError(ValueError):
    """The text is no LC1; `code` is `too_large`, `malformed` or `dictionary_unknown`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Scanned:
    """What a paper code holds, not believed yet; `host` is the one printed in the URL form, in lower case."""

    content: bytes
    host: str | None = None


def to_base45(content: bytes) -> str:
    """Return the form for the scanners of counters: the smaller one."""
    return PREFIX + base45(content)


def base45(content: bytes) -> str:
    """Return bytes in base45 (RFC 9285)."""
    pieces = []
    for start in range(0, len(content) - 1, 2):
        value = content[start] << 8 | content[start + 1]
        pieces.append(_ALPHABET[value % 45] + _ALPHABET[value // 45 % 45] + _ALPHABET[value // 2025])
    if len(content) % 2:
        pieces.append(_ALPHABET[content[-1] % 45] + _ALPHABET[content[-1] // 45])
    return "".join(pieces)


def to_address(content: bytes, issuer: str) -> str:
    """Return the form that any camera opens; `issuer` is scheme and host, printed in capitals to stay alphanumeric."""
    chunks = (content[start : start + _CHUNK] for start in range(0, len(content), _CHUNK))
    digits = (f"{int.from_bytes(chunk, 'little'):0{_TAIL_DIGITS.get(len(chunk), _CHUNK_DIGITS)}d}" for chunk in chunks)
    return f"{issuer.upper()}/V#{''.join(digits)}"


def looks_like(text: str) -> bool:
    """Tell whether a scanned text is meant as a paper code, readable or not."""
    text = as_printed(text)
    return _FAMILY.match(text) is not None or _ADDRESS.fullmatch(text) is not None


def read(text: str) -> Scanned:
    """Return what either form holds; raises `LC1TextError`."""
    if len(text) > MAX_TEXT:
        raise LC1TextError("too_large")
    text = as_printed(text)
    if found := _ADDRESS.fullmatch(text):
        return Scanned(_from_digits(found[2]), found[1].lower())
    family = _FAMILY.match(text)
    if family is None:
        raise LC1TextError("malformed")
    if family[0] != PREFIX:
        raise LC1TextError("dictionary_unknown")
    return Scanned(from_base45(text.removeprefix(PREFIX)))


def as_printed(text: str, family: str = "lc") -> str:
    """Take off what a scanner sends before it, and the small letters of a keyboard with Caps Lock on.

    `family` are the first letters of the codes that are meant, in lower case.

    No text begins or ends with a space: the last character of a group of base45 is never one.
    """
    text = _SCANNER_PREFIX.sub("", text.strip())
    return text.upper() if text.startswith(family) and text == text.lower() and text.isascii() else text


def from_base45(text: str) -> bytes:
    """Read RFC 9285; a group above its largest value is refused, so that no content has a second text.

    Raises `LC1TextError`.
    """
    values = text.encode("ascii", "replace").translate(_VALUES)
    if len(text) % 3 == 1 or _NONE in values:
        raise LC1TextError("malformed")
    groups = len(text) // 3
    pairs = [a + 45 * b + 2025 * c for a, b, c in zip(values[0::3], values[1::3], values[2::3], strict=False)]
    tail = values[3 * groups] + 45 * values[-1] if len(text) % 3 else None
    if max(pairs, default=0) > 0xFFFF or (tail is not None and tail > 0xFF):
        raise LC1TextError("malformed")
    return struct.pack(f">{groups}H", *pairs) + (b"" if tail is None else bytes([tail]))


def _from_digits(digits: str) -> bytes:
    content = bytearray()
    for start in range(0, len(digits), _CHUNK_DIGITS):
        chunk = digits[start : start + _CHUNK_DIGITS]
        size = _CHUNK if len(chunk) == _CHUNK_DIGITS else _TAIL_BYTES.get(len(chunk))
        if size is None or int(chunk) >= 1 << 8 * size:
            raise LC1TextError("malformed")
        content += int(chunk).to_bytes(size, "little")
    return bytes(content)
