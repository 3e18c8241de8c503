"""Put an electronic seal on a PDF (在 PDF 上签章): ISO 32000-2 clause 12.8, as an incremental update of the file.

What the seal vouches for is the whole file but the one string that holds the signature (`Contents`, the gap in
`ByteRange`). What lies in that string is either a CMS signature (PAdES, ETSI EN 319 142-1) or an SES_Signature
(GB/T 38540-2020 in a PDF, GM/T 0112-2021 clause 7). Earlier seals stay intact: nothing before the end of the file as
it was handed in is touched.

    draft = prepare(data, picture=png, size=(42, 42), position=Position(), lock=False)
    open_seal = draft.write(PADES, signed_at, room=8192)
    sealed = open_seal.close(container_over(open_seal.covered))
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyhanko.pdf_utils.generic import NameObject
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.fields import (
    FieldMDPAction,
    FieldMDPSpec,
    MDPPerm,
    SigFieldSpec,
    SigSeedSubFilter,
    enumerate_sig_fields,
)
from pyhanko.sign.signers.cms_embedder import PdfCMSEmbedder, SigIOSetup, SigMDPSetup, SigObjSetup
from pyhanko.sign.signers.pdf_byterange import SignatureObject

from seals.pdf import Found, PdfError
from seals.pdf_appearance import dress, unpack
from seals.pdf_page import PdfPlace, place
from seals.pdf_read import guarded, open_pdf

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from pyhanko.pdf_utils.generic import DictionaryObject
    from pyhanko.pdf_utils.reader import PdfFileReader

    from seals.position import Position

MAX_SEALS = 50
_NAME = "Seal-{}"


class LockedError(PdfError):
    """An earlier seal, or the document's author, allows no further seals."""


@dataclass(frozen=True, slots=True)
class Kind:
    """How a signature dictionary names what lies in it."""

    filter: str
    subfilter: str


PADES = Kind("/Adobe.PPKLite", "/ETSI.CAdES.detached")
SES = Kind("/GM.PKILite", "/GM.sm2seal")  # what makers of seals for GB/T 38540 write


@dataclass(frozen=True, slots=True)
class OpenSeal:
    """A document with its seal but for the signature: `covered` are the bytes to sign."""

    written: bytearray
    start: int  # of the gap, its < included
    end: int  # after the > of the gap

    @property
    def covered(self) -> bytes:
        """The bytes that the signature covers."""
        return bytes(self.written[: self.start] + self.written[self.end :])

    def close(self, container: bytes) -> bytes:
        """Return the sealed PDF. Raise PdfError where the container is larger than the room left for it."""
        value = container.hex().upper().encode()
        room = self.end - self.start - 2
        if len(value) > room:
            raise PdfError(f"the signature takes {len(container)} bytes, room was left for {room // 2}")
        self.written[self.start + 1 : self.start + 1 + len(value)] = value
        return bytes(self.written)


@dataclass(frozen=True, slots=True)
class Draft:
    """A document that is ready for its seal; used once."""

    writer: IncrementalPdfFileWriter
    field: str
    place: PdfPlace
    picture: bytes
    lock: bool

    def write(self, kind: Kind, signed_at: datetime, *, room: int) -> OpenSeal:
        """Write the document with `room` bytes for the signature; `signed_at` is aware. Raise PdfError."""
        with guarded():
            spec = SigFieldSpec(
                self.field,
                on_page=self.place.page,
                box=self.place.rectangle,  # type: ignore[arg-type]  # fractions of a unit are as good
                field_mdp_spec=_everything() if self.lock else None,
                doc_mdp_update_value=MDPPerm.NO_CHANGES if self.lock else None,
            )
            steps = PdfCMSEmbedder(spec).write_cms(self.field, self.writer)
            field = next(steps).get_object()
            dress(self.writer, field, self.picture, self.place)
            steps.send(SigObjSetup(_signature(kind, signed_at, room), mdp_setup=self._permissions()))
            prepared, output = steps.send(SigIOSetup(md_algorithm="sha256"))
        written = bytearray(output.getbuffer())
        return OpenSeal(written, prepared.reserved_region_start, prepared.reserved_region_end)

    def _permissions(self) -> SigMDPSetup:
        if not self.lock:
            return SigMDPSetup(md_algorithm="sha256")
        return SigMDPSetup(md_algorithm="sha256", field_lock=_everything(), docmdp_perms=MDPPerm.NO_CHANGES)


def prepare(
    data: bytes,
    *,
    picture: bytes,
    size: tuple[float, float],
    position: Position,
    lock: bool = False,
    search: Callable[[str, int | None], Found | None],
) -> Draft:
    """Read a PDF, sealed already or not, and make it ready for another seal.

    Args:
        data: the PDF.
        picture: the PNG of the seal.
        size: its width and height in millimetres.
        position: where the seal is to be seen.
        lock: whether to refuse any change after this seal, further seals among them.
        search: finds a keyword on a page (or on any): see `seals.first_page`.

    Raises:
        PdfError: the file cannot be read or sealed; LockedError: it is locked.
        PositionError: the place is not on the page.
    """
    reader = open_pdf(data)
    with guarded():
        names = set(_fields(reader))
        writer = IncrementalPdfFileWriter.from_reader(reader)
    unpack(picture)
    where = place(writer, position, size, search=search)
    number = 1
    while _NAME.format(number) in names:
        number += 1
    return Draft(writer, _NAME.format(number), where, picture, lock)


def _fields(reader: PdfFileReader) -> Iterator[str]:
    """Yield the names of signature fields; refuse a document that may not be sealed again."""
    if "/Perms" in reader.root and "/DocMDP" in (rights := reader.root["/Perms"]) and _locks(rights["/DocMDP"]):
        raise LockedError("the document's author allows no changes")
    filled = 0
    for name, value, reference in enumerate_sig_fields(reader):
        yield name
        if value is None:
            continue
        filled += 1
        if filled >= MAX_SEALS:
            raise PdfError("the document has too many seals for another one")
        field = reference.get_object()
        if _locks(field["/V"]) or ("/Lock" in field and _forbids(field["/Lock"])):
            raise LockedError("an earlier seal locks the document")


def _locks(signature: DictionaryObject) -> bool:
    if "/Reference" not in signature:
        return False
    return any(_forbids(reference.get_object()["/TransformParams"]) for reference in signature["/Reference"])


def _forbids(rules: DictionaryObject) -> bool:
    return "/P" in rules and int(rules["/P"]) == MDPPerm.NO_CHANGES.value


def _everything() -> FieldMDPSpec:
    return FieldMDPSpec(FieldMDPAction.ALL)


def _signature(kind: Kind, signed_at: datetime, room: int) -> SignatureObject:
    signature = SignatureObject(timestamp=signed_at, subfilter=SigSeedSubFilter.PADES, bytes_reserved=2 * room)
    signature["/Filter"], signature["/SubFilter"] = NameObject(kind.filter), NameObject(kind.subfilter)
    return signature
