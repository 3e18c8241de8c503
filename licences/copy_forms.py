"""Make the copies of a licence in its further forms: sealed PDF and OFD, mdoc, JWT-VC, Claim 169.

Each maker starts from the sealed record and ends with what readers of that form accept; what it made is verified as
everybody else verifies it before it is stored.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, time, timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

from idservice.errors import Kind, Problem, register
from keys.certificates import CertificateError, parse
from keys.ring import Purpose
from keys.signer import Algorithm, generate_private, load_private
from licences import artefacts, catalogue, copies, paper
from licences.copies import Copy, Form, Made
from licences.definition import HolderKind
from licences.faces import layouts
from licences.faces.drawing import FaceError
from licences.formats import claim169, jwt_vc, mdoc, mdoc_elements
from licences.lifecycle import CHINA_STANDARD_TIME
from licences.metadata import holder_kind
from licences.status.entries import allocate
from seals import house_certificate
from seals.font import FontError

if TYPE_CHECKING:
    from collections.abc import Callable

    from idservice.call import Call
    from keys.certificates import Certificate
    from keys.signer import PublicKey
    from licences.faces.drawing import Page
    from licences.metadata import Metadata
    from licences.models import Licence

register(
    {
        "glyph_missing": Kind(422, "字库缺字，无法生成版式文件", "The typeface lacks characters of this licence"),
        "face_impossible": Kind(422, "证照内容放不进版面，无法生成版式文件", "The licence does not fit on its face"),
        "form_not_for_holder": Kind(404, "该证照没有此种格式", "This licence has no such form"),
    }
)

MEDIA_TYPES: Final = {
    Form.PDF: "application/pdf",
    Form.OFD: "application/ofd",
    Form.MDOC: "application/cbor",
    Form.JWT: "application/vc+jwt",
    Form.CLAIM169: "text/plain",
}
#: Goes up whenever a form is written in another way, so that copies of the older one are made anew.
_EDITION: Final = 1


def get(call: Call, licence: Licence, form: Form) -> Copy:
    """Return the stored copy of a licence in a form; the first call makes it, and needs a writing transaction.

    Raises:
        Problem: licence_not_in_force, request_running, glyph_missing, face_impossible, form_not_for_holder,
            seal_not_in_force, or unavailable.
    """
    record = artefacts.open_record(call, licence)
    named = f"{form}|{_EDITION}|{layouts.EDITION}|".encode()
    source = hashlib.sha256(named + record.content).digest()
    return copies.kept(call, licence, form, source, partial(_MAKERS[form], call, licence, record.metadata))


def fits(metadata: Metadata, form: Form) -> bool:
    """Return whether a licence has that form at all: Claim 169 is about persons."""
    return form is not Form.CLAIM169 or holder_kind(metadata.holders[0]) is HolderKind.PERSON


def face(call: Call, licence: Licence, metadata: Metadata) -> Page:
    """Return the drawn face of a licence, its paper QR on it.

    Raises:
        Problem: glyph_missing, face_impossible or paper_code_impossible.
    """
    code = paper.address(call, licence)
    try:
        return layouts.draw(catalogue.type_of(call, metadata), metadata, code)
    except FontError as error:
        raise Problem("glyph_missing", f"{error}.") from None
    except FaceError as error:
        raise Problem("face_impossible", f"{error}.") from None


def metadata_entries(metadata: Metadata) -> dict[str, str]:
    """Return the GB/T 36903 record as names and texts; the face is not among them, it has an index of its own."""
    entries = {name: value for name, value in metadata.record().items() if name != "surfaceData"}
    return {name: "、".join(value) if isinstance(value, list) else str(value) for name, value in entries.items()}


def _pdf(call: Call, licence: Licence, metadata: Metadata) -> Made:
    from licences.formats import face_pdf  # here, because typst is a large library
    from seals.stamp_document import stamp_pdf

    page = face(call, licence, metadata)
    facts = {"author": metadata.issuer.name, "keywords": (metadata.identifier,), "made_at": call.now}
    try:
        document = face_pdf.write(page, **facts)  # type: ignore[arg-type]
    except FaceError as error:
        raise Problem("face_impossible", f"{error}.") from None
    seal_id = seal_of(call, licence)
    sealed = stamp_pdf(call, seal_id=seal_id, document=document, centre=page.centre)
    return Made(sealed, paper.kid(call, licence), seal_id)


def _ofd(call: Call, licence: Licence, metadata: Metadata) -> Made:
    from licences.formats import face_ofd
    from seals.stamp_document import stamp_ofd

    page = face(call, licence, metadata)
    document = face_ofd.write(page, metadata_entries(metadata), made_at=call.now)
    seal_id = seal_of(call, licence)
    sealed = stamp_ofd(call, seal_id=seal_id, document=document, centre=page.centre)
    return Made(sealed, paper.kid(call, licence), seal_id)


def new_mdoc(call: Call, licence: Licence, metadata: Metadata, *, device_key: PublicKey) -> tuple[bytes, str]:
    """Return a new mdoc bound to a device's key, with a place in the status lists of its own, and the key that signed.

    Raises:
        Problem: unavailable, where no root for documents is set up.
    """
    signer = call.keys.signer(Purpose.LICENCE)
    certificate = house_certificate.certificate_of(call, signer.public)
    slug = catalogue.type_of(call, metadata).slug
    status = allocate(call, licence, form="mdoc")
    made = mdoc.build(
        mdoc_elements.doc_type(slug, metadata.type_code),
        mdoc_elements.elements(slug, metadata),
        validity=_validity(call.now, metadata, certificate),
        device_key=device_key,
        chain=[certificate.der],
        signer=signer,
        salt=partial(secrets.token_bytes, mdoc.SALT_BYTES),
        status=(status.uri, status.index),
    )
    mdoc.authenticate(made, [signer.public], point_of)
    return made, signer.kid


def _mdoc(call: Call, licence: Licence, metadata: Metadata) -> Made:
    """Make the copy to download: its device key is one of which nobody keeps the private half."""
    device_key = load_private(Algorithm.ES256, generate_private(Algorithm.ES256)).public
    return Made(*new_mdoc(call, licence, metadata, device_key=device_key))


def point_of(der: bytes) -> bytes | None:
    """Return the public point of a P-256 certificate, None where the bytes are none."""
    try:
        found = parse(der)
    except CertificateError:
        return None
    return found.public_key if found.key_algorithm == "P-256" else None


def _validity(now: datetime, metadata: Metadata, certificate: Certificate) -> mdoc.Validity:
    """Return when an mdoc holds: within the licence's days and the life of its signer's certificate."""
    begins = max(now, datetime.combine(metadata.valid_from, time(), CHINA_STANDARD_TIME))
    ends = certificate.not_after
    if metadata.valid_until is not None:
        ends = min(ends, datetime.combine(metadata.valid_until + timedelta(days=1), time(), CHINA_STANDARD_TIME))
    return mdoc.Validity(now, begins, ends)


def _jwt(call: Call, licence: Licence, metadata: Metadata) -> Made:
    signer, issuer = call.keys.signer(Purpose.LICENCE), call.settings.signs_as
    status = allocate(call, licence, form="jwt_vc")
    made = jwt_vc.sign(jwt_vc.build(metadata, issuer=issuer, status=(status.uri, status.index)), signer=signer)
    jwt_vc.authenticate(made, keys={signer.kid: signer.public}, issuer=issuer)
    return Made(made.encode("ascii"), signer.kid)


def _claim169(call: Call, licence: Licence, metadata: Metadata) -> Made:
    if not fits(metadata, Form.CLAIM169):
        raise Problem("form_not_for_holder", "Claim 169 is about persons.")
    signer = call.keys.signer(Purpose.LICENCE)
    made = claim169.make(metadata, issuer=call.settings.signs_as, issued_at=licence.issued_at, signer=signer)
    claim169.authenticate(made, [signer.public])
    return Made(made.encode("ascii"), signer.kid)


def seal_of(call: Call, licence: Licence) -> str:
    """Return the seal that the department uses for this type now; the licence's own may have been replaced."""
    authorities = catalogue.find(call, licence.type_code).authorities
    return next((a.seal_id for a in authorities if a.department == licence.issuer_code), licence.seal_id)


_MAKERS: Final[dict[Form, Callable[[Call, Licence, Metadata], Made]]] = {
    Form.PDF: _pdf,
    Form.OFD: _ofd,
    Form.MDOC: _mdoc,
    Form.JWT: _jwt,
    Form.CLAIM169: _claim169,
}
