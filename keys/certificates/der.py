"""Distinguished encoding of ASN.1, as much as a certificate needs; ITU-T X.690 clauses 8 and 10.

Reading keeps the received bytes of every element, because signatures are verified over them. Lengths must be definite
and minimal. One thing is tolerated that DER forbids: a DEFAULT value that is written out (`critical FALSE`), which
real certificates do.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

BOOLEAN, INTEGER, BIT_STRING, OCTET_STRING, NULL, OID = 0x01, 0x02, 0x03, 0x04, 0x05, 0x06
UTF8_STRING, PRINTABLE_STRING, UTC_TIME, GENERALIZED_TIME = 0x0C, 0x13, 0x17, 0x18
SEQUENCE, SET = 0x30, 0x31

MAX_OID = 64  # bytes; the longest in use are about 20
_HEAD = 6  # bytes: a tag and the longest length that is read
MAX_INTEGER = 64  # bytes; RFC 5280 allows a serial number 20


class DERError(ValueError):
    """Bytes that are not the DER that was expected."""


class Element(NamedTuple):
    """One tag-length-value: its tag byte, its content, and all its bytes as received."""

    tag: int
    content: bytes
    raw: bytes

    def expect(self, tag: int) -> bytes:
        """Return the content of an element that must have `tag`; raise DERError otherwise."""
        if self.tag != tag:
            raise DERError(f"tag {tag:#04x} expected, {self.tag:#04x} found")
        return self.content


def read(data: bytes) -> tuple[Element, bytes]:
    """Split the first element off `data`; return it and what follows. Raise DERError."""
    start, size = read_head(data)
    if len(data) < start + size:
        raise DERError("an element is cut short")
    return Element(data[0], data[start : start + size], data[: start + size]), data[start + size :]


def read_head(data: bytes) -> tuple[int, int]:
    """Return where the content of the first element of `data` starts, and its size. Raise DERError."""
    if len(data) < 2:
        raise DERError("an element is cut short")
    tag, size, start = data[0], data[1], 2
    if tag & 0x1F == 0x1F:
        raise DERError("tags above 30 are not used in certificates")
    if size >= 0x80:
        start = 2 + (size & 0x7F)
        size = int.from_bytes(data[2:start], "big")
        if not 2 < start <= 6 or len(data) < start or size < 0x80 or size >> 8 * (start - 3) == 0:
            raise DERError("a length is indefinite, too large or not minimal")
    return start, size


def read_only(data: bytes, tag: int) -> bytes:
    """Return the content of the one element, with `tag`, that `data` consists of. Raise DERError."""
    element, rest = read(data)
    if rest:
        raise DERError("bytes follow the element")
    return element.expect(tag)


def children(content: bytes, *, at_most: int = 256) -> list[Element]:
    """Return the elements that `content` consists of, which may be none. Raise DERError."""
    found: list[Element] = []
    place, end = 0, len(content)
    while place < end:
        if len(found) == at_most:
            raise DERError(f"more than {at_most} elements")
        start, size = read_head(content[place : place + _HEAD])
        start += place
        if start + size > end:
            raise DERError("an element is cut short")
        found.append(Element(content[place], content[start : start + size], content[place : start + size]))
        place = start + size
    return found


@lru_cache(maxsize=512)
def read_oid(content: bytes) -> str:
    """Return the dotted form of an OBJECT IDENTIFIER's content. Raise DERError."""
    if not 0 < len(content) <= MAX_OID or content[-1] & 0x80:
        raise DERError("an object identifier is empty, too long or cut short")
    arcs, value = [], 0
    for position, byte in enumerate(content):
        if byte == 0x80 and value == 0 and (position == 0 or not content[position - 1] & 0x80):
            raise DERError("an object identifier is not minimal")
        value = value << 7 | byte & 0x7F
        if not byte & 0x80:
            arcs.append(value)
            value = 0
    first = min(arcs[0] // 40, 2)
    return ".".join(map(str, (first, arcs[0] - 40 * first, *arcs[1:])))


def read_integer(content: bytes) -> int:
    """Return the value of an INTEGER's content (two's complement). Raise DERError."""
    if not 0 < len(content) <= MAX_INTEGER:
        raise DERError("an integer is empty or too long")
    return int.from_bytes(content, "big", signed=True)


def read_boolean(content: bytes) -> bool:
    """Return the value of a BOOLEAN's content. Raise DERError."""
    if content not in (b"\x00", b"\xff"):
        raise DERError("a boolean is 00 or FF")
    return content == b"\xff"


def read_bits(content: bytes) -> bytes:
    """Return the bytes of a BIT STRING's content that has no unused bits. Raise DERError."""
    if content[:1] != b"\x00":
        raise DERError("a bit string of whole bytes was expected")
    return content[1:]


def write(tag: int, *parts: bytes) -> bytes:
    """Return the element with `tag` whose content is `parts`, one after the other."""
    content = b"".join(parts)
    if len(content) < 0x80:
        return bytes([tag, len(content)]) + content
    size = len(content).to_bytes((len(content).bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(size)]) + size + content


def write_oid(dotted: str) -> bytes:
    """Return the OBJECT IDENTIFIER for `dotted`."""
    first, second, *rest = (int(arc) for arc in dotted.split("."))
    return write(OID, *(_base128(arc) for arc in (40 * first + second, *rest)))


def write_integer(value: int) -> bytes:
    """Return the INTEGER for a `value` of zero or more."""
    return write(INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def write_bits(data: bytes) -> bytes:
    """Return the BIT STRING that holds whole bytes."""
    return write(BIT_STRING, b"\x00", data)


def _base128(value: int) -> bytes:
    groups = [value & 0x7F]
    while value := value >> 7:
        groups.append(value & 0x7F | 0x80)
    return bytes(reversed(groups))
