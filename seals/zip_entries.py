"""The entries of an untrusted ZIP file (ZIP 容器), read strictly: PKWARE APPNOTE 6.3.3 clauses 4.3 to 4.5.

A file has one reading or none: `refuse_ambiguity` sees to it. Entries stand one behind the other from the first byte
on, the directory behind them, the end record behind that and its comment up to the last byte; each entry's own header
says what the directory says of it, and its packed bytes are used up by what they unpack to. Readers differ in what they
believe where any of this is not so. ZIP64 (4.3.14, 4.3.15, 4.5.3), which some writers use for files of any size, is
read where its values stand for fields that say so, and nowhere else.
"""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

STORED, DEFLATED = 0, 8
_LOCAL, _LISTED, _END = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
_LOCAL_SIZE, _LISTED_SIZE, _END_SIZE = 30, 46, 22
_WIDE_END, _WIDE_LOCATOR = b"PK\x06\x06", b"PK\x06\x07"
_WIDE_END_SIZE, _WIDE_LOCATOR_SIZE = 56, 20
_WIDE, _WIDE_COUNT = 0xFFFFFFFF, 0xFFFF  # in place of a value that stands elsewhere in 64 bits
_WIDE_VALUES = 0x0001  # the extra field that holds those of an entry
_MAX_COMMENT = 0xFFFF
_NEWEST = 63  # version needed to extract (4.4.3): what a later one asks of a reader is not known here
_DESCRIBED_BEHIND, _UTF8 = 0x8, 0x800  # general purpose bits 3 and 11
_UNICODE_PATH = 0x7075  # Info-ZIP's extra field: another name, which some readers prefer
_listed = struct.Struct("<8xHH4xIIIHHH4xII")
_sizes = struct.Struct("<III")  # checksum, packed, unpacked
_end = struct.Struct("<4xHHHHIIH")
_wide_end = struct.Struct("<4xQ4xIIQQQQ")
_wide_locator = struct.Struct("<4xIQI")


class ZipError(ValueError):
    """Bytes that are no ZIP file, or one that could be read in two ways."""


class Entry(NamedTuple):
    """One entry as the directory and its own header say alike; `start` and `packed` are where its bytes stand."""

    name: str
    flags: int
    method: int
    checksum: int
    packed: int
    size: int
    attributes: int
    listed: int
    header: int
    start: int


def read_entries(data: bytes, *, at_most: int) -> list[Entry]:
    """Return the entries in the order of the directory. Raise ZipError."""
    place, end, count = _directory(data)
    if count > at_most:
        raise ZipError(f"more than {at_most} entries")
    entries = []
    for _ in range(count):
        entry, place = _read(data, place, end)
        entries.append(entry)
    if place != end:
        raise ZipError("the directory is longer than its entries")
    return entries


def refuse_ambiguity(data: bytes, entries: list[Entry]) -> None:
    """Refuse what readers could read in two ways: gaps, overlaps, and headers that contradict the directory.

    Raise ZipError.
    """
    _refuse_gaps(data, entries)
    for entry in entries:
        _refuse_contradiction(data, entry)


def _refuse_gaps(data: bytes, entries: list[Entry]) -> None:
    """Refuse overlaps, and bytes that a reader working from the front would see and the directory does not list."""
    position = 0
    waiting: Entry | None = None  # the entry whose descriptor may stand at `position`
    for entry in sorted(entries, key=_by_header):
        if entry.header != position and not _is_descriptor(data[position : entry.header], waiting):
            raise ZipError("entries overlap, or there is data between them")
        position, waiting = entry.start + entry.packed, entry
    directory = entries[0].listed if entries else _directory(data)[0]
    if directory != position and not _is_descriptor(data[position:directory], waiting):
        raise ZipError("there is data before the directory that it does not list")


def unpack(data: bytes, entry: Entry) -> bytes:
    """Return the content of an entry, never more than it says it has. Raise ZipError."""
    content = data[entry.start : entry.start + entry.packed]
    if entry.method == DEFLATED:
        inflating = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            content = inflating.decompress(content, entry.size + 1)
        except zlib.error as error:
            raise ZipError(str(error)) from None
        if not inflating.eof or inflating.unused_data:
            raise ZipError("its packed bytes are more or fewer than it needs")
    if len(content) != entry.size or zlib.crc32(content) != entry.checksum:
        raise ZipError("its size or checksum is another one")
    return content


def _by_header(entry: Entry) -> int:
    return entry.header


def _directory(data: bytes) -> tuple[int, int, int]:
    """Return where the directory starts and ends, and how many entries it lists."""
    end = len(data) - _END_SIZE
    if data[end : end + 4] != _END or data[-2:] != b"\0\0":
        end = data.rfind(_END, max(0, end - _MAX_COMMENT))
    if end < 0 or end + _END_SIZE > len(data):
        raise ZipError("no end record")
    disk, first, here, count, size, start, comment = _end.unpack_from(data, end)
    if end + _END_SIZE + comment != len(data) or disk or first or here != count:
        raise ZipError("the end record contradicts itself, or bytes follow it")
    if start + size != end:
        return _wide_directory(data, end, (start, size, count))
    return start, end, count


def _wide_directory(data: bytes, end: int, narrow: tuple[int, int, int]) -> tuple[int, int, int]:
    """Return where a ZIP64 directory starts and ends, and how many entries it lists.

    Its own end record is right behind it, and the usual one says the same or that it cannot.
    """
    locator, place = end - _WIDE_LOCATOR_SIZE, end - _WIDE_LOCATOR_SIZE - _WIDE_END_SIZE
    if place < 0 or data[locator : locator + 4] != _WIDE_LOCATOR or data[place : place + 4] != _WIDE_END:
        raise ZipError("entries overlap, or there is data between them")
    if _wide_locator.unpack_from(data, locator) != (0, place, 1):
        raise ZipError("the ZIP64 end record is not where it is said to be")
    length, disk, first, here, count, size, start = _wide_end.unpack_from(data, place)
    said = zip(narrow, (start, size, count), (_WIDE, _WIDE, _WIDE_COUNT), strict=True)
    if length != _WIDE_END_SIZE - 12 or disk or first or here != count or any(a not in {b, c} for a, b, c in said):
        raise ZipError("the end record contradicts itself, or bytes follow it")
    if start + size != place:
        raise ZipError("entries overlap, or there is data between them")
    return start, place, count


def _read(data: bytes, place: int, end: int) -> tuple[Entry, int]:
    """Read one line of the directory, and the entry's own header."""
    behind = place + _LISTED_SIZE
    if behind > end or data[place : place + 4] != _LISTED or data[place + 6] > _NEWEST:
        raise ZipError("the directory is broken, or newer than what is read here")
    flags, method, checksum, packed, size, named, extra, comment, attributes, header = _listed.unpack_from(data, place)
    name = data[behind : behind + named]
    place_of_extra = behind + named
    behind = place_of_extra + extra + comment
    if _WIDE in (size, packed, header):
        size, packed, header = _widened(data[place_of_extra : place_of_extra + extra], (size, packed, header))
    own = data[header : header + _LOCAL_SIZE]
    if behind > end or len(own) != _LOCAL_SIZE or own[:4] != _LOCAL:
        raise ZipError("the directory is broken, or an entry is not where it says it is")
    start = header + _LOCAL_SIZE + named + (own[28] | own[29] << 8)
    if start + packed > len(data):
        raise ZipError("an entry is cut short")
    if extra:
        _refuse_other_name(data[place_of_extra : place_of_extra + extra], name)
    text = _name(name, flags)
    return Entry(text, flags, method, checksum, packed, size, attributes, place, header, start), behind


def _refuse_contradiction(data: bytes, entry: Entry) -> None:
    """Refuse an entry whose own header differs from the directory: in version, flags, method, time, sizes or name."""
    listed, header = entry.listed, entry.header
    length = data[header + 26 : header + 28]
    end = listed + _LISTED_SIZE + (length[0] | length[1] << 8)
    name = data[listed + _LISTED_SIZE : end]
    name_end = header + _LOCAL_SIZE + len(name)
    checksum, packed, size = _sizes.unpack_from(data, header + 14)
    if _WIDE in (size, packed):
        size, packed = _widened(data[name_end : entry.start], (size, packed))
    unknown_yet = entry.flags & _DESCRIBED_BEHIND and not (checksum or packed or size)
    if (
        data[header + 4 : header + 14] != data[listed + 6 : listed + 16]
        or ((checksum, packed, size) != (entry.checksum, entry.packed, entry.size) and not unknown_yet)
        or length != data[listed + 28 : listed + 30]
        or data[header + _LOCAL_SIZE : name_end] != name
    ):
        raise ZipError("an entry's own header contradicts the directory")
    if name_end != entry.start:
        _refuse_other_name(data[name_end : entry.start], name)


def _widened(extra: bytes, narrow: tuple[int, ...]) -> tuple[int, ...]:
    """Return values of which those that do not fit stand in a ZIP64 extra field, in this order (4.5.3)."""
    found = [value for kind, value in _extra_fields(extra) if kind == _WIDE_VALUES]
    count = narrow.count(_WIDE)
    if len(found) != 1 or len(found[0]) != 8 * count:
        raise ZipError("a ZIP64 entry that does not say its sizes, or says more")
    wide = iter(struct.unpack(f"<{count}Q", found[0]))
    return tuple([next(wide) if value == _WIDE else value for value in narrow])


def _refuse_other_name(extra: bytes, name: bytes) -> None:
    """Refuse a Unicode Path that is another name, and extra fields that cannot be told apart (4.5.1)."""
    if any(kind == _UNICODE_PATH and value[5:] != name for kind, value in _extra_fields(extra)):
        raise ZipError("an entry has a second name")


def _extra_fields(extra: bytes) -> Iterator[tuple[int, bytes]]:
    place = 0
    while place + 4 <= len(extra):
        kind, size = struct.unpack_from("<HH", extra, place)
        value = extra[place + 4 : place + 4 + size]
        if len(value) != size:
            raise ZipError("an entry has a broken extra field")
        yield kind, value
        place += 4 + size


def _name(name: bytes, flags: int) -> str:
    if name.isascii():
        return name.decode("ascii")
    try:
        return name.decode("utf-8" if flags & _UTF8 else "cp437")
    except UnicodeDecodeError:
        raise ZipError("a name that is not UTF-8") from None


def _is_descriptor(gap: bytes, entry: Entry | None) -> bool:
    """Return whether these bytes say again, behind the data, what the directory says of an entry (4.3.9)."""
    if entry is None or not entry.flags & _DESCRIBED_BEHIND:
        return False
    facts = (entry.checksum, entry.packed, entry.size)
    return gap.removeprefix(b"PK\x07\x08") in {struct.pack("<III", *facts), struct.pack("<IQQ", *facts)}
