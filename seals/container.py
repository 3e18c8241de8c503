"""Read untrusted ZIP archives and XML files: the limits that come before any meaning.

An archive is refused, never repaired, when its names could mean two things (.., absolute, backslash, duplicate,
differing in case only), when it holds links, encrypted entries or data outside the listed ones, or when it could
exhaust the machine: at most 1,000 entries, 200 MB in all, 100 times larger than packed. XML is UTF-8 without document
type, so without entities.
"""

from __future__ import annotations

import io
import stat
import struct
import unicodedata
import zipfile
import zlib

from lxml import etree

from keys.sm2 import sm3

MAX_ENTRIES = 1_000
MAX_TOTAL = 200 * 1_000_000  # bytes, unpacked
MAX_RATIO = 100
MAX_NAME = 512
MAX_FILE = 50 * 1_000_000  # bytes of one file, unpacked
MAX_XML = 4 << 20  # bytes
_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_ENCRYPTED = 0x1 | 0x40 | 0x2000
_DESCRIBED_BEHIND, _UTF8 = 0x8, 0x800  # general purpose bits 3 and 11
_BROKEN = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    zlib.error,
    struct.error,
    EOFError,
    OSError,
    OverflowError,
    RuntimeError,
    ValueError,  # UnicodeDecodeError and impossible dates among them
)


class ContainerError(ValueError):
    """An archive or XML file that is broken, ambiguous or too large to be read safely."""


class Archive:
    """A ZIP archive in memory, checked on opening; entries are unpacked one at a time."""

    def __init__(self, data: bytes) -> None:
        """Open `data`. Raise ContainerError where a limit above is passed."""
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
            entries = self._zip.infolist()
        except _BROKEN as error:
            raise ContainerError(f"not a readable ZIP archive: {error}") from None
        _check_size(entries)
        _check_layout(data, entries, self._zip.start_dir)
        self._entries = {entry.filename: entry for entry in entries if _is_file(entry)}
        self._folded = {_fold(name): name for name in self._entries}
        if len({_fold(entry.filename) for entry in entries}) != len(entries):
            raise ContainerError("two entries have the same name, or differ in case only")
        _check_twins(data, entries)
        self._contents: dict[str, bytes] = {}
        self._digests: dict[str, bytes] = {}

    @property
    def names(self) -> frozenset[str]:
        """The names of all files, without directories and without a leading slash."""
        return frozenset(self._entries)

    def find(self, name: str) -> str | None:
        """Return the stored name for `name`, in whatever case it is written, or None."""
        return name if name in self._entries else self._folded.get(_fold(name))

    def read(self, name: str, *, limit: int) -> bytes:
        """Return one file's bytes and keep them. Raise ContainerError where it is missing, damaged or over `limit`."""
        if name not in self._contents:
            self._contents[name] = self._unpack(name, limit)
        if len(self._contents[name]) > limit:
            raise ContainerError(f"{name} has more than {limit} bytes")
        return self._contents[name]

    def sm3(self, name: str) -> bytes:
        """Return the SM3 digest of one file. Raise ContainerError where it is missing, damaged or over 50 MB."""
        if name not in self._digests:
            self._digests[name] = sm3(self._unpack(name, MAX_FILE))
        return self._digests[name]

    def _unpack(self, name: str, limit: int) -> bytes:
        entry = self._entries.get(name)
        if entry is None or entry.file_size > limit:
            raise ContainerError(f"{name} is missing or has more than {limit} bytes")
        try:
            return self._zip.read(entry)
        except _BROKEN as error:
            raise ContainerError(f"{name} is damaged: {error}") from None


def parse_xml(data: bytes) -> etree._Element:
    """Return the root of a UTF-8 XML file. Raise ContainerError for anything else, and for any document type."""
    if len(data) > MAX_XML:
        raise ContainerError("XML over 4 MiB")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ContainerError("XML that is not UTF-8") from None
    if "<!DOCTYPE" in text:
        raise ContainerError("XML with a document type")
    # The encoding is given here, so that a declaration of another one cannot hide a document type from the line above.
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(text.encode(), parser)
    except etree.XMLSyntaxError as error:
        raise ContainerError(f"not well-formed XML: {error}") from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise ContainerError("XML with a document type")
    return root


def _check_size(entries: list[zipfile.ZipInfo]) -> None:
    if len(entries) > MAX_ENTRIES:
        raise ContainerError(f"more than {MAX_ENTRIES} entries")
    if sum(entry.file_size for entry in entries) > MAX_TOTAL:
        raise ContainerError("more than 200 MB unpacked")
    if any(entry.file_size > MAX_RATIO * max(entry.compress_size, 1) for entry in entries):
        raise ContainerError(f"an entry is packed more than {MAX_RATIO} times")


def _check_layout(data: bytes, entries: list[zipfile.ZipInfo], directory: int) -> None:
    """Refuse overlaps, and bytes that a reader working from the front would see and the directory does not list."""
    position = 0
    for entry in sorted(entries, key=lambda entry: entry.header_offset):
        start = entry.header_offset
        sizes = data[start + 26 : start + 30]  # lengths of name and extra field, APPNOTE 4.3.7
        if len(sizes) < 4 or start not in {position, *(position + size for size in _descriptor_sizes(data, position))}:
            raise ContainerError("entries overlap, or there is data between them")
        name, extra = struct.unpack("<HH", sizes)
        position = start + 30 + name + extra + entry.compress_size
    if directory not in {position, *(position + size for size in _descriptor_sizes(data, position))}:
        raise ContainerError("there is data before the directory that it does not list")


def _check_twins(data: bytes, entries: list[zipfile.ZipInfo]) -> None:
    for entry in entries:
        start = entry.header_offset
        name, extra = struct.unpack("<HH", data[start + 26 : start + 30])
        end = start + 30 + name + extra + entry.compress_size
        if not _are_twins(data[start : start + 30 + name], data[end : end + 16], entry):
            raise ContainerError("an entry's own header contradicts the directory")


def _are_twins(header: bytes, behind: bytes, entry: zipfile.ZipInfo) -> bool:
    """Return whether an entry's own header (APPNOTE 4.3.7) and what the directory says of it (4.3.12) are the same.

    Readers differ in which of the two they believe.
    """
    version, flags, method, time, date, crc, packed, size, _name, _extra = struct.unpack("<4xHHHHHIIIHH", header[:30])
    year, month, day, hour, minute, second = entry.date_time
    stamp = (hour << 11 | minute << 5 | second // 2, (year - 1980) << 9 | month << 5 | day)
    said = (entry.extract_version, entry.flag_bits, entry.compress_type, *stamp)
    if (version, flags, method, time, date) != said or header[30:] != _stored_name(entry):
        return False
    sizes = (entry.CRC, entry.compress_size, entry.file_size)
    if flags & _DESCRIBED_BEHIND and (crc, packed, size) == (0, 0, 0):
        return struct.pack("<III", *sizes) in {behind[:12], behind[4:]}
    return (crc, packed, size) == sizes


def _stored_name(entry: zipfile.ZipInfo) -> bytes:
    return entry.orig_filename.encode("utf-8" if entry.flag_bits & _UTF8 else "cp437")


def _descriptor_sizes(data: bytes, position: int) -> tuple[int, ...]:
    """Return the sizes a data descriptor at `position` can have, with its optional signature or not (4.3.9)."""
    return (16, 24) if data[position : position + 4] == b"PK\x07\x08" else (12, 20)


def _is_file(entry: zipfile.ZipInfo) -> bool:
    """Return whether `entry` is a file rather than a directory. Raise ContainerError if it is unsafe to touch."""
    name = entry.orig_filename
    parts = name.removesuffix("/").split("/")
    if len(name) > MAX_NAME or "\\" in name or any(ord(c) < 0x20 for c in name) or ":" in name:
        raise ContainerError("an entry's name is too long or holds characters that are unsafe in a path")
    if any(part in {"", ".", ".."} for part in parts):
        raise ContainerError("an entry's name is absolute or leaves the archive")
    if entry.flag_bits & _ENCRYPTED or entry.compress_type not in _METHODS:
        raise ContainerError("an entry is encrypted or packed by a method other than deflate")
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in {0, stat.S_IFREG, stat.S_IFDIR}:
        raise ContainerError("an entry is a link or a device")
    if entry.is_dir():
        if entry.file_size:
            raise ContainerError("a directory holds data")
        return False
    return True


def _fold(name: str) -> str:
    return unicodedata.normalize("NFC", name.removesuffix("/")).casefold()
