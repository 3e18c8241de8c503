"""Put an electronic seal on an OFD (在版式文档上签章): GB/T 33190-2016 clause 18.

What is sealed is Signature.xml: it lists the SM3 of every file of the document, and the seal signature covers its own
SM3. The list of signatures stays out, so that more seals may follow, until one locks the document. Files keep their
bytes; only a first seal changes OFD.xml, which has to name the list. The same document, seal and time always give the
same bytes.

    draft = prepare(data, seal=seal_der, position=Position(page=1), lock=False)
    description = draft.describe(signed_at)
    sealed = draft.finish(description, seal_signature)   # an SES_Signature over `description` as `draft.property_info`
"""

from __future__ import annotations

import base64
import io
import posixpath
import re
import zipfile
import zlib
from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING

from lxml import etree

from keys.sm2 import sm3
from seals import ofd
from seals.container import MAX_ENTRIES, MAX_FILE, MAX_RATIO, Archive
from seals.decoding import read_seal
from seals.ofd_page import places
from seals.ofd_parts import (
    MAX_DESCRIPTION,
    NAMESPACE,
    ROOT,
    URI,
    OfdError,
    child,
    locate,
    optional_child,
    read,
    read_xml,
    text,
)
from seals.structure import SM2_WITH_SM3

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from lxml.etree import _Element

    from seals.ofd_page import Place
    from seals.position import Position

MAX_UNPACKED = 64 * 1_000_000  # bytes of a document that is sealed here
PROVIDER = "ONA"
_SM3 = "1.2.156.10197.1.401"
_DATE = (1980, 1, 1, 0, 0, 0)  # the earliest a ZIP can say; the time of sealing stands in Signature.xml
_OWN_FILES = 2  # Signature.xml and SignedValue.dat
MAX_NUMBER = 999_999_000  # what `_NUMBER` still reads when more seals follow
_NUMBER = re.compile(r"[^0-9]*([0-9]{1,9})")


class LockedError(OfdError):
    """An earlier seal covers the list of signatures: no more seals may follow."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A document that is ready for its seal: everything but Signature.xml and the seal signature."""

    files: Mapping[str, bytes]
    protected: tuple[str, ...]
    folder: str
    places: tuple[Place, ...]
    stamp_id: int  # of the first place; the others follow

    @property
    def name(self) -> str:
        """The name of Signature.xml inside the archive."""
        return f"{self.folder}/Signature.xml"

    @property
    def property_info(self) -> str:
        """What the seal signature carries as propertyInfo: the path of Signature.xml."""
        return f"/{self.name}"

    def describe(self, signed_at: datetime) -> bytes:
        """Return Signature.xml, the bytes to seal; `signed_at` is aware. Raise OfdError where it grows too large."""
        root = _element("Signature")
        info = _add(root, "SignedInfo")
        _add(info, "Provider", ProviderName=PROVIDER, Version="1.0", Company=PROVIDER)
        _add(info, "SignatureMethod", text=SM2_WITH_SM3)
        _add(info, "SignatureDateTime", text=signed_at.astimezone(UTC).strftime("%Y%m%d%H%M%SZ"))
        references = _add(info, "References", CheckMethod=_SM3)
        for name in self.protected:
            reference = _add(references, "Reference", FileRef=f"/{name}")
            _add(reference, "CheckValue", text=base64.b64encode(sm3(self.files[name])).decode())
        for number, place in enumerate(self.places, start=self.stamp_id):
            clip = {} if place.clip is None else {"Clip": place.clip}
            _add(info, "StampAnnot", ID=str(number), PageRef=place.page_id, Boundary=place.boundary, **clip)
        _add(_add(info, "Seal"), "BaseLoc", text=f"/{self.folder}/Seal.esl")
        _add(root, "SignedValue", text=f"/{self.folder}/SignedValue.dat")
        description = _to_bytes(root)
        if len(description) > MAX_DESCRIPTION:
            raise OfdError("the list of the files would be too long")
        return description

    def finish(self, description: bytes, value: bytes) -> bytes:
        """Return the sealed OFD; `value` is the SES_Signature over `description`."""
        return _pack({**self.files, self.name: description, f"{self.folder}/SignedValue.dat": value})


def prepare(data: bytes, *, seal: bytes, position: Position, lock: bool = False) -> Draft:
    """Read an OFD, sealed already or not, and make it ready for another seal.

    Args:
        data: the OFD.
        seal: the DER of the seal (SESeal).
        position: where the seal is to be seen.
        lock: whether to cover the list of signatures, so that no further seal may follow.

    Raises:
        ContainerError, OfdError: the file is not one document that can be read and sealed; LockedError: it is locked.
        PositionError: the place is not on the page.
    """
    archive = Archive(data)
    index = ofd.read_index(archive)
    files = _files(archive)
    document, list_name = _document(archive, index)
    if not index.lists:
        files[ROOT] = _pointing(archive, list_name)
    _refuse_locked(archive, index)
    folder = _folder(archive, list_name)
    picture = read_seal(seal).info.picture
    where = places(archive, document, position, (picture.width, picture.height))
    listed, number = _listed(archive, list_name if index.lists else None, f"/{folder}/Signature.xml", stamps=len(where))
    files |= {list_name: listed, f"{folder}/Seal.esl": seal}
    if len(files) + _OWN_FILES > MAX_ENTRIES or len(index.signatures) >= ofd.MAX_SIGNATURES:
        raise OfdError("the document has too many files or seals for another one")
    return Draft(
        files=files,
        protected=tuple(name for name in files if lock or name != list_name),
        folder=folder,
        places=where,
        stamp_id=number + 1,
    )


def _files(archive: Archive) -> dict[str, bytes]:
    """Return every file of the document, OFD.xml first and the others by name."""
    if archive.find(ROOT) != ROOT:
        raise OfdError(f"the entry file is not called {ROOT}")
    found: dict[str, bytes] = {}
    total = 0
    for name in sorted(archive.names, key=lambda name: (name != ROOT, name)):
        found[name] = read(archive, name, MAX_FILE)
        total += len(found[name])
        if total > MAX_UNPACKED:
            raise OfdError(f"more than {MAX_UNPACKED} bytes unpacked")
    return found


def _document(archive: Archive, index: ofd.Index) -> tuple[str, str]:
    """Return the names of Document.xml and of Signatures.xml, which may not be there yet."""
    body = child(read_xml(archive, ROOT, "OFD"), "DocBody")
    document = locate(archive, text(body, "DocRoot"), ROOT)
    if index.lists:
        return document, next(iter(index.lists))
    name = posixpath.join(posixpath.dirname(document), "Signs", "Signatures.xml")
    if archive.find(name) is not None:
        raise OfdError(f"{name} is there, and OFD.xml does not name it")
    return document, name


def _pointing(archive: Archive, list_name: str) -> bytes:
    """Return OFD.xml naming the list of signatures. Not for a sealed document: its seals cover OFD.xml."""
    root = read_xml(archive, ROOT, "OFD")
    _add(child(root, "DocBody"), "Signatures", text=f"/{list_name}")
    return _to_bytes(root)


def _refuse_locked(archive: Archive, index: ofd.Index) -> None:
    for entry in index.signatures:
        if not index.lists.isdisjoint(ofd.read_signature(archive, entry).covered()):
            raise LockedError("an earlier seal locks the document")


def _folder(archive: Archive, list_name: str) -> str:
    """Return a folder that nothing lies in yet. Its path is ASCII, because propertyInfo holds no other characters."""
    base = posixpath.dirname(list_name)
    base = base if base.isascii() and base else "Signs"
    taken = {name.casefold() for name in archive.names}
    number = 0
    while any(f"{name}/".startswith(f"{base}/Sign_{number}/".casefold()) for name in taken):
        number += 1
    return f"{base}/Sign_{number}"


def _listed(archive: Archive, name: str | None, location: str, *, stamps: int) -> tuple[bytes, int]:
    """Return Signatures.xml with one more line, and the number of that line; the next numbers are the stamps'."""
    root = _element("Signatures") if name is None else read_xml(archive, name, "Signatures")
    if (highest := optional_child(root, "MaxSignId")) is None:
        highest = _element("MaxSignId")
        root.insert(0, highest)
    numbers = [highest.text or "", *(line.get("ID") or "" for line in root.findall(f"{NAMESPACE}Signature"))]
    number = 1 + max(_number(one) for one in numbers)
    if number > MAX_NUMBER:
        raise OfdError("no number is left for another seal")
    highest.text = str(number + stamps)
    _add(root, "Signature", ID=str(number), Type=ofd.SEAL, BaseLoc=location)
    return _to_bytes(root), number


def _number(identifier: str) -> int:
    """Return the number in an ID such as 1 or s001; 0 where there is none."""
    found = _NUMBER.fullmatch(identifier.strip())
    return int(found[1]) if found else 0


def _element(tag: str) -> _Element:
    return etree.Element(f"{NAMESPACE}{tag}", nsmap={"ofd": URI})


def _add(parent: _Element, tag: str, *, text: str | None = None, **attributes: str) -> _Element:
    """Append an element. Raise OfdError where a name of the document holds what no XML can."""
    added = etree.SubElement(parent, f"{NAMESPACE}{tag}")
    try:
        added.text = text
        for name, value in attributes.items():
            added.set(name, value)
    except ValueError as error:
        raise OfdError(f"a name that cannot be written down: {error}") from None
    return added


def _to_bytes(root: _Element) -> bytes:
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def _pack(files: Mapping[str, bytes]) -> bytes:
    """Return a ZIP archive that depends on names and contents alone."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name, _DATE)
            entry.create_system, entry.external_attr = 3, 0o644 << 16  # the same on every system
            archive.writestr(entry, data, _method(data))
    return buffer.getvalue()


def _method(data: bytes) -> int:
    """Return how to pack a file: no tighter than readers that fear bombs, ours among them, allow."""
    packed = len(zlib.compress(data)) - 6  # without the header and checksum of zlib
    return zipfile.ZIP_STORED if len(data) > MAX_RATIO * packed else zipfile.ZIP_DEFLATED
