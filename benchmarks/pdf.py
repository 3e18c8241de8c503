"""A one-page PDF sealed (PAdES B-B), by us and by pyHanko called as its guide says: same certificate, same picture.

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
_BOX: Final = (400, 50, 519, 169)


def measure(bench: Bench) -> dict[str, Figure]:
    """Return CPU milliseconds of sealing one PDF and of verifying it."""
    office, data = Office(), document()
    sealed = office.seal(data)
    theirs = _pyhanko(office)
    if not check_file(theirs(), anchors=office.anchors, now=datetime.now(UTC)).ok:
        raise RuntimeError("what pyHanko sealed does not hold")
    found = alternate({"seal": lambda: pair(lambda: office.seal(data), theirs, calls=_CALLS)}, bench.rounds)
    mine, other = ([one[place] for one in found["seal"]] for place in (0, 1))

    def judge() -> object:
        return check_file(sealed, anchors=office.anchors, now=NOW)

    verify = alternate({"ours": lambda: pair(judge, _nothing, calls=_CALLS)}, bench.rounds)
    return {
        "pdf_seal": Figure(
            median(mine),
            "CPU ms",
            reference=median(other),
            ratio_reference=ratio(other, mine),
            goal="ratio_reference >= 1.0",
        ),
        "pdf_verify": Figure(median([one[0] for one in verify["ours"]]), "CPU ms"),
    }


def _pyhanko(office: Office) -> Callable[[], bytes]:
    """Return pyHanko's way of sealing the same document with the same certificate and picture."""
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
    data = document()

    def seal() -> bytes:
        written: bytes = program.sign_pdf(IncrementalPdfFileWriter(io.BytesIO(data))).getvalue()
        return written

    return seal


def _nothing() -> None:
    pass
