"""The names and XML inside an OFD (版式文档), read strictly: GB/T 33190-2016 clauses 7.1 (package) and 7.2 (ST_Loc).

Elements are in the OFD namespace; one that may stand once is refused where it stands twice, because two readers could
each take another one.
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from seals.container import Archive, ContainerError, parse_xml

if TYPE_CHECKING:
    from lxml.etree import _Element

ROOT = "OFD.xml"
URI = "http://www.ofdspec.org/2016"
NAMESPACE = f"{{{URI}}}"
MAX_DESCRIPTION = 1 << 20  # bytes of OFD.xml, Signatures.xml or Signature.xml


class OfdError(ValueError):
    """An OFD, or one signature in it, that cannot be read."""


def resolve(archive: Archive, location: str, base: str) -> str:
    """Turn an ST_Loc into a stored name: `/` is the archive's root, else relative to the file `base`, else to the root.

    The last is not the standard's, but some makers write it. A missing file's name is returned as it reads.
    """
    if location[:1] == "/" and archive.holds(location[1:]):  # stored names are plain already
        return location[1:]
    near = posixpath.normpath(posixpath.join("/", posixpath.dirname(base), location)).lstrip("/")
    far = posixpath.normpath(posixpath.join("/", location)).lstrip("/")
    return archive.find(near) or archive.find(far) or (far if location.startswith("/") else near)


def locate(archive: Archive, location: str, base: str) -> str:
    """Return the stored name of a file that has to be there. Raise OfdError."""
    name = resolve(archive, location.strip(), base)
    if archive.find(name) is None:
        raise OfdError(f"{name} is missing")
    return name


def read(archive: Archive, name: str, limit: int) -> bytes:
    """Return a file of at most `limit` bytes. Raise OfdError."""
    try:
        return archive.read(name, limit=limit)
    except ContainerError as error:
        raise OfdError(str(error)) from None


def read_xml(archive: Archive, name: str, tag: str, *, limit: int = MAX_DESCRIPTION) -> _Element:
    """Return the root element of an XML file, which is called `tag`. Raise OfdError."""
    try:
        root = parse_xml(archive.read(name, limit=limit))
    except ContainerError as error:
        raise OfdError(f"{name}: {error}") from None
    if root.tag != f"{NAMESPACE}{tag}":
        raise OfdError(f"{name} is no {tag} in the OFD namespace")
    return root


def child(parent: _Element, tag: str) -> _Element:
    """Return the one child called `tag`: two could be read differently by two readers (signature wrapping)."""
    found = list(parent.iterchildren(NAMESPACE + tag))
    if len(found) != 1:
        raise OfdError(f"{len(found)} elements {tag} where there is one")
    return found[0]


def optional_child(parent: _Element, tag: str) -> _Element | None:
    """Return the one child called `tag`, None where there is none. Raise OfdError where there are two."""
    return None if parent.find(f"{NAMESPACE}{tag}") is None else child(parent, tag)


def text(parent: _Element, tag: str) -> str:
    """Return the text of the one child called `tag`. Raise OfdError where it is empty or holds elements."""
    found = child(parent, tag)
    value = (found.text or "").strip()
    if not value or len(found):
        raise OfdError(f"an empty {tag}")
    return value


def optional_text(parent: _Element, tag: str) -> str | None:
    """Return the text of the one child called `tag`, None where there is none."""
    return None if parent.find(f"{NAMESPACE}{tag}") is None else text(parent, tag)
