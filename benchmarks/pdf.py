"""A one-page PDF sealed (PAdES B-B), by us and by pyHanko called as its guide says: same certificate, same picture.

A batch is that many letters of one template; there ours are rehearsed too, as everything is that a seal is put on.

Ours reads and writes PDF with pyHanko's low-level parts; the signature is made by `keys.cms_write`.
"""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from asn1crypto import keys as asn1_keys
from asn1crypto import pem, x509
from PIL import Image
from pyhanko.pdf_utils.images import PdfImage
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.fields import SigFieldSpec, SigSeedSubFilter
from pyhanko.sign.signers import PdfSignatureMetadata, PdfSigner, SimpleSigner
from pyhanko.stamp import StaticStampStyle
from pyhanko_certvalidator.registry import SimpleCertificateStore

from benchmarks.rounds import Figure, alternate, median, ratio
from benchmarks.thread_cost import pair
from seals.check import check_file
from tests.unit.seals.made import NOW
from tests.unit.seals.pdfs import Office, document, picture

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.bench import Bench

_CALLS: Final = 15  # of each program in one round
_BATCH: Final = 20
_BOX: Final = (400, 50, 519, 169)


def measure(bench: Bench) -> dict[str, Figure]:
    """Return CPU milliseconds of sealing one PDF, of one out of a batch, and of verifying it."""
    office, data = Office(), document()
    sealed = office.seal(data)
    theirs = _pyhanko(office)
    if not check_file(theirs(data), anchors=office.anchors, now=datetime.now(UTC)).ok:
        raise RuntimeError("what pyHanko sealed does not hold")
    letters = [data.replace(b"Page 1", f"No. {n:02}".encode()) for n in range(_BATCH)]

    def ours_in_a_batch() -> None:
        for letter in letters:
            if not check_file(office.seal(letter), anchors=office.anchors, now=NOW).ok:
                raise RuntimeError("a sealed letter does not hold")

    def theirs_in_a_batch() -> None:
        for letter in letters:
            theirs(letter)

    targets = {
        "seal": lambda: pair(lambda: office.seal(data), lambda: theirs(data), calls=_CALLS),
        "batch": lambda: pair(ours_in_a_batch, theirs_in_a_batch, calls=1),
    }
    found = alternate(targets, bench.rounds)

    def judge() -> object:
        return check_file(sealed, anchors=office.anchors, now=NOW)

    verify = alternate({"ours": lambda: pair(judge, _nothing, calls=_CALLS)}, bench.rounds)
    return {
        "pdf_seal": _figure(found["seal"], 1, goal="ratio_reference >= 1.0"),
        "pdf_seal_batch": _figure(found["batch"], _BATCH, goal="ratio_reference >= 3.0"),
        "pdf_verify": Figure(median([one[0] for one in verify["ours"]]), "CPU ms"),
    }


def _figure(costs: list[tuple[float, float]], documents: int, *, goal: str) -> Figure:
    mine, other = ([one[place] / documents for one in costs] for place in (0, 1))
    return Figure(median(mine), "CPU ms", reference=median(other), ratio_reference=ratio(other, mine), goal=goal)


def _pyhanko(office: Office) -> Callable[[bytes], bytes]:
    """Return pyHanko's way of sealing a document with the same certificate and picture; made ready once."""
    _, _, private = pem.unarmor(office.department.private.encode())
    background = PdfImage(Image.open(io.BytesIO(picture())))
    program = PdfSigner(
        PdfSignatureMetadata(field_name="Seal-1", md_algorithm="sha256", subfilter=SigSeedSubFilter.PADES),
        signer=SimpleSigner(
            signing_cert=x509.Certificate.load(office.department.certificate.der),
            signing_key=asn1_keys.PrivateKeyInfo.load(private),
            cert_registry=SimpleCertificateStore(),
        ),
        stamp_style=StaticStampStyle(background=background, border_width=0, background_opacity=1.0),
        new_field_spec=SigFieldSpec("Seal-1", box=_BOX),
    )

    def seal(data: bytes) -> bytes:
        written: bytes = program.sign_pdf(IncrementalPdfFileWriter(io.BytesIO(data))).getvalue()
        return written

    return seal


def _nothing() -> None:
    pass
