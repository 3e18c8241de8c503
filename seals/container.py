"""Read untrusted ZIP archives and XML files: the limits that come before any meaning.

An archive is refused, never repaired, when its names could mean two things (.., absolute, backslash, duplicate,
differing in case only), when it holds links, encrypted entries or data outside the listed ones, or when it could
exhaust the machine: at most 1,000 entries, 200 MB in all, 100 times larger than packed. XML is UTF-8 without document
type, so without entities.
"""

from __future__ import annotations

import re
import stat
import threading
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING

from lxml import etree

from keys.sm2 import sm3
from seals.zip_entries import DEFLATED, STORED, Entry, ZipError, read_entries, refuse_ambiguity, unpack

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_ENTRIES = 1_000
MAX_TOTAL = 200 * 1_000_000  # bytes, unpacked
MAX_RATIO = 100
MAX_NAME = 512
MAX_FILE = 50 * 1_000_000  # bytes of one file, unpacked
MAX_XML = 4 << 20  # bytes
_METHODS = frozenset({STORED, DEFLATED})
_FLAGS = 0x2 | 0x4 | 0x8 | 0x800  # speed of packing, sizes behind the data, UTF-8; the others change what is read
_UNSAFE = re.compile(r"[\\:\x00-\x1f]")
_NOT_PLAIN = re.compile(r"(?:\A|/)\.{0,2}(?:/|\Z)")  # an empty part, `.` or `..`
_KINDS = frozenset({0, stat.S_IFREG, stat.S_IFDIR})  # in the upper half of an entry's attributes; 0: says nothing
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_own = threading.local()


class ContainerError(ValueError):
    """An archive or XML file that is broken, ambiguous or too large to be read safely."""


class Archive:
    """A ZIP archive in memory, checked on opening; entries are unpacked one at a time."""

    def __init__(self, data: bytes) -> None:
        """Open `data`. Raise ContainerError where a limit above is passed."""
        try:
            entries = read_entries(data, at_most=MAX_ENTRIES)
            _check_size(entries)
            self._entries = {entry.name: entry for entry in entries if _is_file(entry)}
            self._folded = {_plain(name): name for name in self._entries}
            _check_names(entries, self._folded)
            refuse_ambiguity(data, entries)
        except ZipError as error:
            raise ContainerError(f"not a readable ZIP archive: {error}") from None
        self.names = frozenset(self._entries)  # of all files, without directories and without a leading slash
        self._data = data
        self._contents: dict[str, bytes] = {}
        self._digests: dict[str, bytes] = {}

    def holds(self, name: str) -> bool:
        """Return whether a file is stored under exactly this name."""
        return name in self._entries

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
            content = self._contents.get(name)
            self._digests[name] = sm3(self._unpack(name, MAX_FILE) if content is None else content)
        return self._digests[name]

    def _unpack(self, name: str, limit: int) -> bytes:
        entry = self._entries.get(name)
        if entry is None or entry.size > limit:
            raise ContainerError(f"{name} is missing or has more than {limit} bytes")
        try:
            return unpack(self._data, entry)
        except ZipError as error:
            raise ContainerError(f"{name} is damaged: {error}") from None


def parse_xml(data: bytes) -> etree._Element:
    """Return the root of a UTF-8 XML file. Raise ContainerError for anything else, and for any document type."""
    if len(data) > MAX_XML:
        raise ContainerError("XML over 4 MiB")
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        raise ContainerError("XML that is not UTF-8") from None
    if b"<!DOCTYPE" in data:
        raise ContainerError("XML with a document type")
    try:
        root = etree.fromstring(data.removeprefix(_BYTE_ORDER_MARK), _parser())
    except etree.XMLSyntaxError as error:
        raise ContainerError(f"not well-formed XML: {error}") from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise ContainerError("XML with a document type")
    return root


def _parser() -> etree.XMLParser:
    """Return this thread's parser: to make one costs more than to read a small file."""
    parser: etree.XMLParser | None = getattr(_own, "parser", None)
    if parser is None:
        # The encoding is given, so that a declaration of another one cannot hide a document type from `parse_xml`.
        parser = _own.parser = etree.XMLParser(
            encoding="utf-8",
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            huge_tree=False,
            remove_comments=True,
            remove_pis=True,
        )
    return parser


def _check_size(entries: list[Entry]) -> None:
    if sum([entry.size for entry in entries]) > MAX_TOTAL:
        raise ContainerError("more than 200 MB unpacked")
    for entry in entries:
        if entry.size > MAX_RATIO * (entry.packed or 1):
            raise ContainerError(f"an entry is packed more than {MAX_RATIO} times")


def _check_names(entries: list[Entry], files: Mapping[str, str]) -> None:
    directories = {_plain(entry.name) for entry in entries if entry.name.endswith("/")}
    if len(files) + len(directories) != len(entries) or not directories.isdisjoint(files):
        raise ContainerError("two entries have the same name, or differ in case only")


def _is_file(entry: Entry) -> bool:
    """Return whether `entry` is a file rather than a directory. Raise ContainerError if it is unsafe to touch."""
    if entry.flags & ~_FLAGS or entry.method not in _METHODS:
        raise ContainerError("an entry is encrypted, patched or packed by a method other than deflate")
    if stat.S_IFMT(entry.attributes >> 16) not in _KINDS:
        raise ContainerError("an entry is a link or a device")
    if not entry.name.endswith("/"):
        return True
    if entry.size:
        raise ContainerError("a directory holds data")
    return False


@lru_cache(maxsize=1024)
def _plain(name: str) -> str:
    """Return an entry's name without regard to case. Raise ContainerError where it is unsafe as a path.

    Remembered, because most OFD use the same few names.
    """
    if len(name) > MAX_NAME or _UNSAFE.search(name):
        raise ContainerError("an entry's name is too long or holds characters that are unsafe in a path")
    if _NOT_PLAIN.search(name.removesuffix("/")):
        raise ContainerError("an entry's name is absolute or leaves the archive")
    return _fold(name)


def _fold(name: str) -> str:
    name = name.removesuffix("/")
    return name.lower() if name.isascii() else unicodedata.normalize("NFC", name).casefold()
