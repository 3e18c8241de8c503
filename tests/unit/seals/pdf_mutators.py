"""Damage to sealed PDF documents by what knows them: their values, words, ranges, revisions and streams."""

from __future__ import annotations

import random
import re
import zlib

from tests.unit.seals.mutators import Mutator, blind, der_element, der_length


def pdf_value(dice: random.Random, data: bytes) -> bytes:
    """Change the one place that no seal covers: its own value."""
    gaps = [(int(a) + 1, int(b) - 1) for a, b in re.findall(rb"/ByteRange \[0 ([0-9]+) ([0-9]+) [0-9]+\]", data)]
    start, end = dice.choice(gaps)
    value = bytes.fromhex(data[start:end].decode())
    length = len(data[start:end].rstrip(b"0")) // 2
    match dice.randrange(4):
        case 0:
            at = start + dice.randrange(2 * length)
            digit = dice.choice([d for d in b"0123456789ABCDEFabcdef" if d != data[at]])
            return data[:at] + bytes([digit]) + data[at + 1 :]
        case 1:
            new = dice.choice((der_length, der_element))(dice, value[:length]).ljust(len(value), b"\0")
            return data[:start] + new[: len(value)].hex().upper().encode() + data[end:]
        case 2:
            return data[:start] + data[start:end].lower() + data[end:]
        case _:
            at = dice.randrange(start + 2 * length, end)
            return data[:at] + dice.choice((b"1", b" ", b"\n", b">", b"F")) + data[at + 1 :]


def pdf_words(dice: random.Random, data: bytes) -> bytes:
    """Exchange names, numbers and white space for others of the file."""
    found = [*re.finditer(rb"/[A-Za-z0-9.]+|[0-9]+|[ \n]", data)]
    one, other = dice.choice(found), dice.choice(found)
    new = dice.choice((other[0], b"0", b"null", b"%d" % dice.randrange(1 << 33), b" ", b"", b"-1"))
    new = new[: len(one[0])].ljust(len(one[0])) if dice.randrange(2) else new
    return data[: one.start()] + new + data[one.end() :]


def pdf_range(dice: random.Random, data: bytes) -> bytes:
    """Write another ByteRange of the same width."""
    found = dice.choice([*re.finditer(rb"/ByteRange \[([^]]*)\] *", data)])
    numbers = [int(number) for number in found[1].split()]
    at = dice.randrange(len(numbers))
    match dice.randrange(4):
        case 0:
            numbers[at] += dice.choice((-1, 1, -40, 40, 1000, -1000))
        case 1:
            numbers[at] = dice.choice((0, 1, len(data), 1 << 31, 1 << 63, -5))
        case 2:
            dice.shuffle(numbers)
        case _:
            numbers = dice.choice((numbers[:2], numbers * 2, [], [0, 0, 0, len(data)]))
    new = b"/ByteRange [" + b" ".join(b"%d" % number for number in numbers) + b"]"
    return data[: found.start()] + new.ljust(len(found[0])) + data[found.end() :]


def pdf_revision(dice: random.Random, data: bytes) -> bytes:
    """Append a revision that overrides an object: the page, its content, the form, the seal, or the catalogue."""
    starts = [*re.finditer(rb"(?:^|[\r\n])([0-9]+) 0 obj\b(.*?)endobj", data, re.DOTALL)]
    found = dice.choice(starts)
    body = found[2].strip()
    new = dice.choice(
        (
            b"null",
            b"<< >>",
            blind(dice, body),
            re.sub(rb"/(Contents|Rect|Annots|Fields|Kids|V|AP|MediaBox|Pages)\b", b"/X", body, count=1),
            re.sub(rb">>$", b"/OpenAction << /S /URI /URI (http://203.0.113.1/) >> >>", body),
            re.sub(rb"\[", b"[ 1 0 R ", body, count=1),
            dice.choice(starts)[2].strip(),
            body,
        )
    )
    return appended(data, {int(found[1]): new}, dice=dice)


def pdf_tail(dice: random.Random, data: bytes) -> bytes:
    """Append what belongs to no revision, or take the last one away."""
    tail = (b"\n", b"%%EOF\n", b"startxref\n0\n%%EOF\n", b"%PDF-1.7\n", dice.randbytes(20), data[-200:], b"\0" * 40)
    if dice.randrange(5):
        return data + dice.choice(tail)
    return data[: data.rindex(b"%%EOF", 0, -10) + 6]


def appended(data: bytes, objects: dict[int, bytes], *, dice: random.Random, extra: bytes = b"") -> bytes:
    """Return a PDF with a further revision in which these objects are new."""
    end = data.rindex(b"startxref")
    previous = int(data[end + 9 :].split()[0])
    size = max(int(found) for found in re.findall(rb"/Size ([0-9]+)", data))
    root = re.findall(rb"/Root ([0-9]+ 0 R)", data)[-1]
    made, table = bytearray(data), b""
    for number, body in objects.items():
        table += b"%d 1\n%010d 00000 n \n" % (number, len(made))
        made += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(made)
    previous = dice.choice((previous, previous, previous, 0, start, len(data) // 2))
    made += b"xref\n" + table + b"trailer\n<< /Size %d /Root %s /Prev %d %s >>\n" % (size, root, previous, extra)
    return bytes(made + b"startxref\n%d\n%%%%EOF\n" % start)


def pdf_stream(dice: random.Random, data: bytes) -> bytes:
    """Replace what a compressed stream holds by something as long."""
    found = dice.choice([*re.finditer(rb"stream\r?\n(.*?)\r?\nendstream", data, re.DOTALL)])
    inside = found[1]
    if inside[:1] == b"\x78":
        inside = zlib.compress(blind(dice, zlib.decompress(inside)))[: len(found[1])]
    else:
        inside = blind(dice, inside)[: len(found[1])]
    return data[: found.start(1)] + inside.ljust(len(found[1])) + data[found.end(1) :]


OF_PDF: tuple[Mutator, ...] = (blind, pdf_value, pdf_words, pdf_range, pdf_revision, pdf_tail, pdf_stream)
