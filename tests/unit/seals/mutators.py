"""Damage to sealed files, by chance and by design; a number says what is done, so that it can be done again.

Blind damage is that of `blind`; the others know what they damage: the entries of a ZIP file, the XML and the DER inside
an OFD, the objects, tables and revisions of a PDF.
"""

from __future__ import annotations

import io
import random
import re
import struct
import unicodedata
import warnings
import zipfile
from collections.abc import Callable

from tests.unit.seals.made import pack, unpack

Files = dict[str, bytes]
Mutator = Callable[[random.Random, bytes], bytes]
SPECIAL_OCTETS = (0, 1, 0x30, 0x7F, 0x80, 0x81, 0x84, 0xA0, 0xFF)


def mutant(kind: str, number: int, data: bytes, mutators: tuple[Mutator, ...]) -> tuple[str, bytes]:
    """Return the name of what was done, and the damaged copy of `data`, which differs from it."""
    dice = random.Random(f"{kind} {number}")
    for _ in range(100):
        mutator = dice.choice(mutators)
        try:
            made = mutator(dice, data)
        except (ValueError, LookupError, zipfile.BadZipFile):  # it found nothing that it could damage
            continue
        if made != data:
            return mutator.__name__, made
    raise AssertionError(f"{kind} {number} cannot be made")


def blind(dice: random.Random, data: bytes) -> bytes:
    """Flip, replace, delete, insert, copy or cut, at one to five places."""
    made = bytearray(data)
    for _ in range(dice.choice((1, 1, 1, 2, 5))):
        place = dice.randrange(len(made))
        match dice.randrange(7):
            case 0 | 1:
                made[place] ^= 1 << dice.randrange(8)
            case 2:
                made[place] = dice.choice(SPECIAL_OCTETS)
            case 3:
                del made[place : place + dice.randrange(1, 9)]
            case 4:
                made[place:place] = dice.randbytes(dice.randrange(1, 9))
            case 5:
                start = dice.randrange(len(made))
                made[place : place + 8] = made[start : start + 8]
            case _:
                del made[max(place, 1) :]
        if not made:
            made = bytearray(b"0")
    return bytes(made)


# -- DER ---------------------------------------------------------------------------------------------------------------


def elements(data: bytes, start: int = 0, end: int | None = None) -> list[tuple[int, int, int]]:
    """Return (start, content, end) of all elements of some DER, those inside others and inside strings too."""
    found, place = [], start
    end = len(data) if end is None else end
    while place + 2 <= end:
        tag, size, content = data[place], data[place + 1], place + 2
        if size >= 0x80:
            content += size & 0x7F
            if size == 0x80 or size > 0x84:
                return found
            size = int.from_bytes(data[place + 2 : content], "big")
        if content + size > end:
            return found
        found.append((place, content, content + size))
        if tag & 0x20 or tag in {0x03, 0x04}:
            inside = content + (tag == 0x03)
            found += elements(data, inside, content + size)
        place = content + size
    return found


def der_length(dice: random.Random, data: bytes) -> bytes:
    """Write a length in another way, or another length."""
    start, content, end = dice.choice(elements(data))
    size = end - content
    head = dice.choice(
        (
            b"\x80",
            b"\x81" + bytes([size & 0xFF]),
            b"\x82" + struct.pack(">H", size & 0xFFFF),
            b"\x84" + struct.pack(">I", size),
            b"\x84\xff\xff\xff\xff",
            bytes([(size + dice.choice((-1, 1))) & 0x7F]),
            bytes([0x85]) + size.to_bytes(5, "big"),
        )
    )
    tail = b"\0\0" if head == b"\x80" else b""
    return data[: start + 1] + head + data[content:end] + tail + data[end:]


def der_element(dice: random.Random, data: bytes) -> bytes:
    """Repeat, drop, swap, retag or replace an element, and mend the lengths around it half of the time."""
    found = elements(data)
    start, content, end = dice.choice(found)
    other, _, last = dice.choice(found)
    new = dice.choice(
        (
            data[start:end] * 2,
            b"",
            data[other:last],
            bytes([data[start] ^ (1 << dice.randrange(8))]) + data[start + 1 : end],
            b"\x05\x00",
            data[start:content] + bytes(end - content),
            b"\x30\x00",
            b"\x01\x01\x00" + data[start:end],
        )
    )
    made = data[:start] + new + data[end:]
    return grown(data, start, end, len(new) - (end - start), made) if dice.randrange(2) else made


def grown(data: bytes, start: int, end: int, more: int, made: bytes) -> bytes:
    """Write the lengths of all elements around one that grew by `more` octets; `made` is the data with that done."""
    around = [e for e in elements(data) if e[0] < start and e[2] >= end]
    result = bytearray(made)
    for place, content, last in sorted(around, reverse=True):
        size, octets = last - content + more, content - place - 1
        if size < 0 or (octets == 1 and size > 0x7F) or (octets > 1 and size >> 8 * (octets - 1)):
            continue
        result[place + 1 : content] = (
            bytes([size]) if octets == 1 else bytes([0x80 | octets - 1]) + size.to_bytes(octets - 1, "big")
        )
    return bytes(result)


# -- OFD: the archive --------------------------------------------------------------------------------------------------


def _write(entries: list[tuple[str, bytes]], *, method: int = zipfile.ZIP_DEFLATED, comment: bytes = b"") -> bytes:
    buffer = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w") as archive:
        warnings.simplefilter("ignore")  # names that stand twice are meant
        for name, data in entries:
            archive.writestr(zipfile.ZipInfo(name, (2026, 3, 1, 8, 0, 0)), data, method)
        archive.comment = comment
    return buffer.getvalue()


def zip_names(dice: random.Random, data: bytes) -> bytes:
    """Call an entry by another name, or hold a second one under a name like it."""
    entries = list(unpack(data).items())
    at = dice.randrange(len(entries))
    name, content = entries[at]
    other = dice.choice(
        (
            name.upper(), name.lower(), name.replace("/", "\\"), "/" + name, "./" + name, "../" + name,
            name.replace("/", "//", 1), name + "/", name + "\0.xml", name + " ", name.replace("c", "с", 1),
            unicodedata.normalize("NFD", name.replace("e", "é", 1)), "Doc_0/../" + name, name.replace("_0", "_1"),
            name, "C:" + name, name.replace("o", "ο", 1), name.swapcase(), "\ufeff" + name, name + "%00",
        )
    )  # fmt: skip
    if dice.randrange(2):
        entries[at] = (other, content)
    else:
        entries.insert(dice.randrange(len(entries) + 1), (other, dice.choice((content, b"<a/>", b""))))
    return _write(entries)


def zip_entries(dice: random.Random, data: bytes) -> bytes:
    """Reorder, drop, exchange, add or pack otherwise: with some of it the content is as it was."""
    entries = list(unpack(data).items())
    one, other = dice.randrange(len(entries)), dice.randrange(len(entries))
    match dice.randrange(7):
        case 0:
            dice.shuffle(entries)
        case 1:
            del entries[one]
        case 2:
            (a, x), (b, y) = entries[one], entries[other]
            entries[one], entries[other] = (a, y), (b, x)
        case 3:
            entries.append((f"Doc_0/{dice.choice(('Res', 'Pages', 'Signs'))}/{dice.randrange(9)}.xml", b"<a/>"))
        case 4:
            entries.insert(one, (dice.choice(("Doc_0/", "Doc_0/Empty/", "Empty/")), b""))
        case 5:
            return _write(entries, comment=dice.choice((b"c", b"PK\x05\x06" + bytes(18), dice.randbytes(40))))
        case _:
            return _write(entries, method=zipfile.ZIP_STORED)
    return _write(entries)


def zip_fields(dice: random.Random, data: bytes) -> bytes:
    """Change a field of an entry's own header, of the directory, or of both, or of the end record."""
    made = bytearray(data)
    local = [found.start() for found in re.finditer(rb"PK\x03\x04", data)]
    listed = [found.start() for found in re.finditer(rb"PK\x01\x02", data)]
    at = dice.randrange(min(len(local), len(listed)))
    fields = {4: 6, 6: 8, 8: 10, 10: 12, 12: 14, 14: 16, 18: 20, 22: 24, 26: 28, 28: 30}  # there: in the directory
    value = dice.choice((0, 1, 8, 0x800, 0xFFFF, dice.randrange(0x10000)))
    match dice.randrange(4):
        case 0:
            struct.pack_into("<H", made, local[at] + dice.choice(list(fields)), value)
        case 1:
            struct.pack_into("<H", made, listed[at] + dice.choice(range(4, 46, 2)), value)
        case 2:
            here = dice.choice(list(fields))
            struct.pack_into("<H", made, local[at] + here, value)
            struct.pack_into("<H", made, listed[at] + fields[here], value)
        case _:
            struct.pack_into("<H", made, data.rindex(b"PK\x05\x06") + dice.choice(range(4, 22, 2)), value)
    return bytes(made)


def zip_gap(dice: random.Random, data: bytes) -> bytes:
    """Put bytes before, between or behind the parts of the archive, places mended or not."""
    extra = dice.choice((b"\0", b"PK\x03\x04" + bytes(26), dice.randbytes(dice.randrange(1, 60))))
    end = data.rindex(b"PK\x05\x06")
    directory = struct.unpack_from("<I", data, end + 16)[0]
    match dice.randrange(4):
        case 0:
            return extra + data
        case 1:
            return data + extra
        case 2:
            made = bytearray(data[:directory] + extra + data[directory:])
            struct.pack_into("<I", made, end + len(extra) + 16, directory + len(extra))
            return bytes(made)
        case _:
            other = _write([("OFD.xml", b"<a/>")])
            return dice.choice((data + other, other + data, data[:end] + other))


# -- OFD: what is in it ------------------------------------------------------------------------------------------------


def ofd_file(dice: random.Random, data: bytes) -> bytes:
    """Damage one file blindly."""
    files = unpack(data)
    name = dice.choice(sorted(files))
    return pack(files | {name: blind(dice, files[name])})


def ofd_der(dice: random.Random, data: bytes) -> bytes:
    """Damage a seal or a signature value as DER."""
    files = unpack(data)
    name = dice.choice([n for n in sorted(files) if n.endswith((".dat", ".esl"))])
    return pack(files | {name: dice.choice((der_length, der_element))(dice, files[name])})


def ofd_xml(dice: random.Random, data: bytes) -> bytes:
    """Swap, repeat, drop or move elements, edit attributes and text, put in what XML allows and nobody expects."""
    files = unpack(data)
    name = dice.choice([n for n in sorted(files) if n.endswith(".xml")])
    xml = files[name]
    nodes = re.findall(rb"<ofd:Reference .*?</ofd:Reference>|<ofd:Signature [^>]*/>|<ofd:\w+>[^<]*</ofd:\w+>", xml)
    values = re.findall(rb'"[^"]*"', xml)
    match dice.randrange(8):
        case 0:
            one, other = dice.choice(nodes), dice.choice(nodes)
            made = xml.replace(one, b"\0").replace(other, one).replace(b"\0", other)
        case 1:
            one = dice.choice(nodes)
            made = xml.replace(one, one * 2)
        case 2:
            made = xml.replace(dice.choice(nodes), b"")
        case 3:
            old = dice.choice(values)
            made = xml.replace(old, dice.choice((dice.choice(values), b'""', b'"/"', b'"../x"', old[:-1] + b' "')), 1)
        case 4:
            made = b'<!DOCTYPE a [<!ENTITY b "c">]>' + xml
        case 5:
            at = dice.choice([found.end() for found in re.finditer(rb">", xml)])
            made = xml[:at] + dice.choice((b"<!-- -->", b"<?a b?>", b"\n", b"<![CDATA[]]>", b"&#32;")) + xml[at:]
        case 6:
            made = dice.choice((b"\xef\xbb\xbf", b'<?xml version="1.0" encoding="GBK"?>', b"\n")) + xml
        case _:
            made = xml.replace(b"ofd:", b"o:").replace(b"xmlns:o:", b"xmlns:o=")
    return pack(files | {name: made})


def ofd_signature(dice: random.Random, data: bytes) -> bytes:
    """List another seal, or the same again from a copy, or point at another place."""
    files = unpack(data)
    lists = "Doc_0/Signs/Signatures.xml"
    folder = "Doc_0/Signs/Sign_0/"
    copy = {f"Doc_0/Signs/Copy/{n.removeprefix(folder)}": d for n, d in files.items() if n.startswith(folder)}
    kind = dice.choice((b"Seal", b"Sign", b"seal", b""))
    line = b'<ofd:Signature ID="9" Type="%s" BaseLoc="/Doc_0/Signs/Copy/Signature.xml"/>' % kind
    match dice.randrange(4):
        case 0:
            return pack(files | copy | {lists: files[lists].replace(b"</ofd:Signatures>", line + b"</ofd:Signatures>")})
        case 1:
            return pack(files | copy | {lists: files[lists].replace(b"/Sign_0/", b"/Copy/")})
        case 2:
            return pack(files | {lists: re.sub(rb'BaseLoc="[^"]*"', b'BaseLoc="/../../etc/passwd"', files[lists])})
        case _:
            second = files["OFD.xml"].replace(b"</ofd:OFD>", b"<ofd:DocBody/></ofd:OFD>")
            return pack(files | {"OFD.xml": second})


OF_SIGNATURES: tuple[Mutator, ...] = (blind, der_length, der_element)
OF_OFD: tuple[Mutator, ...] = (
    blind, zip_names, zip_entries, zip_fields, zip_gap, ofd_file, ofd_der, ofd_xml, ofd_signature,
)  # fmt: skip
