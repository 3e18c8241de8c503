"""Small PDF documents, and somebody with a P-256 key who seals them: RFC 5280, ISO 32000-2."""

import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

from PIL import Image, ImageDraw
from pyhanko.pdf_utils.generic import ArrayObject, DictionaryObject, NumberObject, StreamObject, pdf_name
from pyhanko.pdf_utils.writer import PageObject, PdfFileWriter
from pyhanko.sign.validation import EmbeddedPdfSignature, validate_pdf_signature
from pyhanko.sign.validation.status import PdfSignatureStatus
from pyhanko_certvalidator import ValidationContext

from keys.base64url import unb64u
from keys.certificates import Certificate, KeyUsage, der_signing, issue, parse
from keys.cms_write import write_signed_data
from keys.signer import Algorithm, generate_private, load_private
from seals.pdf_sign import PADES, SES, Draft, prepare
from seals.position import Position
from tests.unit.seals.made import SIGNED_AT, YEAR, City

A4 = (0, 0, 595.276, 841.89)


def judged_by_pyhanko(signature: EmbeddedPdfSignature, context: ValidationContext) -> PdfSignatureStatus:
    """Return pyHanko's verdict: it runs an event loop, and beside a browser test this thread may have one already."""
    with ThreadPoolExecutor(1) as apart:
        return apart.submit(validate_pdf_signature, signature, context).result()


def document(*, pages: int = 1, turned: int = 0, box: tuple[float, ...] = A4, stream: bool = False) -> bytes:
    """Return a PDF whose pages read `Page N of the demonstration`, 20 mm from the left and top."""
    writer = PdfFileWriter(stream_xrefs=stream)
    font = {"/Type": pdf_name("/Font"), "/Subtype": pdf_name("/Type1"), "/BaseFont": pdf_name("/Helvetica")}
    fonts = dictionary(**{"/F1": dictionary(**font)})
    for number in range(1, pages + 1):
        text = f"BT /F1 12 Tf 56.7 773 Td (Page {number} of the demonstration) Tj ET"
        content = writer.add_object(StreamObject(stream_data=text.encode()))
        media = ArrayObject([NumberObject(side) if side == int(side) else NumberObject(round(side)) for side in box])
        page = PageObject(contents=content, media_box=media, resources=dictionary(**{"/Font": fonts}))
        if turned:
            page["/Rotate"] = NumberObject(turned)
        writer.insert_page(page)
    buffer = io.BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


def dictionary(**members: object) -> DictionaryObject:
    return DictionaryObject({pdf_name(name): value for name, value in members.items()})


@cache
def picture(pixels: int = 64) -> bytes:
    """Return a PNG of a red ring, transparent inside and outside."""
    image = Image.new("RGBA", (pixels, pixels))
    ImageDraw.Draw(image).ellipse((0, 0, pixels - 1, pixels - 1), outline=(216, 0, 15, 255), width=pixels // 16)
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


@dataclass(frozen=True)
class Signer:
    """Somebody with a P-256 key and a certificate for it."""

    certificate: Certificate
    sign: Callable[[bytes], bytes]
    private: str = ""  # PEM


class Office:
    """A root for documents and a department certified by it."""

    def __init__(self) -> None:
        self.root = self.party("演示文档根证书", serial=1, ca=True)
        self.department = self.party("演示市行政审批服务局", serial=2, issuer=self.root)

    @property
    def anchors(self) -> list[Certificate]:
        return [self.root.certificate]

    def party(
        self,
        name: str,
        *,
        serial: int,
        issuer: Signer | None = None,
        ca: bool = False,
        not_after: datetime = SIGNED_AT + 2 * YEAR,
    ) -> Signer:
        private = generate_private(Algorithm.ES256)
        key = load_private(Algorithm.ES256, private)
        point, sign = key.public.jwk(), der_signing(key)
        der = issue(
            subject=[("C", "CN"), ("O", "演示市"), ("CN", name)],
            public_key=b"\x04" + unb64u(point["x"]) + unb64u(point["y"]),
            key_algorithm="P-256",
            issuer=issuer.certificate if issuer else None,
            sign=issuer.sign if issuer else sign,
            serial=serial,
            not_before=SIGNED_AT - YEAR,
            not_after=not_after,
            ca=ca,
            key_usage={KeyUsage.KEY_CERT_SIGN, KeyUsage.CRL_SIGN}
            if ca
            else {KeyUsage.DIGITAL_SIGNATURE, KeyUsage.NON_REPUDIATION},
        )
        return Signer(parse(der), sign, private)

    def seal(
        self,
        data: bytes,
        *,
        signer: Signer | None = None,
        signed_at: datetime = SIGNED_AT,
        timestamp: Callable[[bytes], bytes] | None = None,
        **wishes: object,
    ) -> bytes:
        """Return a PDF with a further seal (PAdES)."""
        signer = signer or self.department
        opened = drafted(data, **wishes).write(PADES, signed_at, room=2048 if timestamp is None else 8192)
        return opened.close(
            write_signed_data(
                opened.covered, certificate=signer.certificate, sign=signer.sign, detached=True, timestamp=timestamp
            )
        )


def drafted(
    data: bytes,
    *,
    position: Position = Position(),  # noqa: B008 (frozen)
    size: tuple[float, float] = (42, 42),
    lock: bool = False,
    image: bytes | None = None,
) -> Draft:
    return prepare(
        data, picture=image or picture(), size=size, position=position, lock=lock, search=lambda _text, _page: None
    )


def seal_sm2(city: City, data: bytes, *, signed_at: datetime = SIGNED_AT, **changes: object) -> bytes:
    """Return a PDF with the city's SM2 seal in it; `changes` go to `City.stamp`."""
    opened = drafted(data).write(SES, signed_at, room=8192)
    return opened.close(city.stamp(opened.covered, signed_at=signed_at, name="urn:ona:pdf", **changes))


LATER = SIGNED_AT + timedelta(days=30)
