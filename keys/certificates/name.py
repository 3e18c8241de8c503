"""Distinguished names (可辨识名): DER to the text of RFC 4514, and pairs to DER; RFC 5280 4.1.2.4, GB/T 20518 5.2.3."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from keys.certificates import der

if TYPE_CHECKING:
    from collections.abc import Sequence

OIDS = {
    "CN": "2.5.4.3",
    "SERIALNUMBER": "2.5.4.5",
    "C": "2.5.4.6",
    "L": "2.5.4.7",
    "ST": "2.5.4.8",
    "STREET": "2.5.4.9",
    "O": "2.5.4.10",
    "OU": "2.5.4.11",
    "UID": "0.9.2342.19200300.100.1.1",
    "DC": "0.9.2342.19200300.100.1.25",
}
_SHORT = {oid: short for short, oid in OIDS.items()}
_PRINTABLE = {"C", "SERIALNUMBER"}  # PrintableString by the standard; everything else is UTF8String
_CODECS = {
    0x0C: "utf-8",
    0x12: "ascii",
    0x13: "ascii",
    0x14: "latin-1",
    0x16: "ascii",
    0x1C: "utf-32-be",
    0x1E: "utf-16-be",
}
_MAX_VALUE = 64  # characters: ub-common-name, ub-organization-name


@dataclass(frozen=True, slots=True)
class Name:
    """A name as text (most specific part first), as received bytes, and its common name where it has one."""

    text: str
    raw: bytes
    common_name: str | None


def read_name(element: der.Element) -> Name:
    """Return the name in a SEQUENCE of relative names. Raise DERError."""
    parts: list[str] = []
    common_name = None
    for relative in der.children(element.expect(der.SEQUENCE), at_most=64):
        pairs = [_pair(attribute) for attribute in der.children(relative.expect(der.SET), at_most=8)]
        if not pairs:
            raise der.DERError("a relative name is empty")
        parts.append("+".join(f"{_SHORT.get(oid, oid)}={_text(oid, value)}" for oid, value in pairs))
        common_name = next((_decoded(value) for oid, value in pairs if oid == OIDS["CN"]), common_name)
    return Name(",".join(reversed(parts)), element.raw, common_name)


def write_name(pairs: Sequence[tuple[str, str]]) -> bytes:
    """Return the DER of a name given as ordered pairs such as `("C", "CN"), ("O", "…"), ("CN", "…")`.

    Raise ValueError for an attribute not in `OIDS`, or a value that is empty, over 64 characters or not encodable.
    """
    if not pairs:
        raise ValueError("a name has at least one part")
    return der.write(der.SEQUENCE, *(der.write(der.SET, _written(short, value)) for short, value in pairs))


def _written(short: str, value: str) -> bytes:
    if short not in OIDS:
        raise ValueError(f"{short!r} is not a part of a name that is issued here")
    if not 0 < len(value) <= _MAX_VALUE or not value.isprintable() or (short == "C" and len(value) != 2):
        raise ValueError(f"the value of {short} is empty, too long or not printable")
    tag = der.PRINTABLE_STRING if short in _PRINTABLE else der.UTF8_STRING
    return der.write(der.SEQUENCE, der.write_oid(OIDS[short]), der.write(tag, value.encode(_CODECS[tag])))


def _pair(attribute: der.Element) -> tuple[str, der.Element]:
    found = der.children(attribute.expect(der.SEQUENCE), at_most=2)
    if len(found) != 2:
        raise der.DERError("a name's part has a type and a value")
    return der.read_oid(found[0].expect(der.OID)), found[1]


def _decoded(value: der.Element) -> str | None:
    """Return the characters of a string element; None for another type or for bytes that are none of its characters."""
    try:
        return value.content.decode(_CODECS[value.tag])
    except (KeyError, UnicodeDecodeError):
        return None


def _text(oid: str, value: der.Element) -> str:
    decoded = _decoded(value)
    if decoded is None or oid not in _SHORT:
        return "#" + value.raw.hex()  # RFC 4514 2.4; keeps two different values from ever reading alike
    last = len(decoded) - 1
    return "".join(
        _escaped(character, position in (0, last), position == 0) for position, character in enumerate(decoded)
    )


def _escaped(character: str, edge: bool, first: bool) -> str:
    if character in '"+,;<>\\' or (edge and character == " ") or (first and character == "#"):
        return "\\" + character
    if character.isprintable():
        return character
    return "".join(f"\\{byte:02x}" for byte in character.encode("utf-8", "surrogatepass"))
