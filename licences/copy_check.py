"""Judge a copy that somebody brings (副本核验): who signed it, and did this house make exactly these bytes?

A signature alone says that a key of ours signed something like it; an ECDSA signature has a second form that verifies
too, and what a holder may do with a copy is not to add to it. So a copy holds where its digest is on record, and what
is not on record is told apart by its signature: forged, of another house, or of a key that was revoked.
"""

from __future__ import annotations

import base64
import binascii
import re
from functools import partial
from typing import TYPE_CHECKING, Final

from keys.ring import Purpose
from keys.verdict import Check, Reason, Result
from licences import bound_copy, copies
from licences.copies import Form
from licences.copy_forms import point_of
from licences.formats import claim169, jwt_vc, mdoc
from seals.container import MAX_XML, Archive, ContainerError
from seals.ofd_parts import ROOT, OfdError, read

if TYPE_CHECKING:
    from collections.abc import Callable

    from idservice.call import Call
    from licences.models import Licence
    from seals.report import SealReport

_JOSE_PARTS: Final = 3
#: PDF/A keeps its metadata (XMP) in the clear; `licences.formats.face_pdf` writes the identifier as the one keyword.
_IN_PDF: Final = re.compile(rb"pdf:Keywords[=>]\"?([0-9A-Z.]{20,160})[\"<]")
_IN_OFD: Final = re.compile(rb'Name="certificateIdentifier">([0-9A-Z.]{20,160})<')
_MDOC_HEAD: Final = (b"\xa2jnameSpaces", b"\xa2jissuerAuth")  # the members of IssuerSigned, whichever comes first


def form_of_text(text: str) -> tuple[Form, bytes] | None:
    """Return the form a text may be a copy in, and the bytes of the copy; None for a text that is none."""
    if text.startswith("eyJ") and "~" not in text and text.count(".") == _JOSE_PARTS - 1:
        return (Form.JWT, text.encode()) if text.isascii() else None
    if claim169.looks_like(text):
        return Form.CLAIM169, text.encode()
    data = _from_base64url(text)
    return None if data is None else form_of_bytes(data)


def form_of_bytes(data: bytes) -> tuple[Form, bytes] | None:
    """Return mdoc and the bytes, where they may be one; sealed documents are recognised by their seals."""
    return (Form.MDOC, data) if data.startswith(_MDOC_HEAD) else None


def identifier_in(data: bytes) -> str | None:
    """Return the identifier that a face names among its metadata, for a document that is not byte for byte a copy.

    Whoever packs a sealed OFD anew, or adds to a sealed PDF, keeps the seal whole: what it says of the licence has to
    be judged all the same. Anybody may write an identifier into a document of his own, so it opens no more than itself,
    and nothing but what `sealed_by` the licence's department returns is its own word.
    """
    if data.startswith(b"%PDF-"):
        found = _IN_PDF.search(data)
    else:
        try:
            found = _IN_OFD.search(read(Archive(data), ROOT, MAX_XML))
        except (ContainerError, OfdError):
            return None
    return None if found is None else found[1].decode("ascii")


def sealed_by(data: bytes, found: SealReport, department: str) -> bytes:
    """Return what of a file the department's own seals cover, as far as it names anything; empty where it bears none.

    Anybody with a seal may seal a face of his own making: what a document says of a licence is its issuer's to say. The
    department is who the certificate says it is, under a root that is relied on.
    """
    own = [s for s in found.signatures if s.ok and s.signer and s.signer.extensions.organization_code == department]
    if data.startswith(b"%PDF-"):
        return data[: max((s.end or 0 for s in own), default=0)]
    return data if any(ROOT not in s.not_covered for s in own) else b""


def check(call: Call, form: Form, content: bytes) -> tuple[list[Check], Licence | None]:
    """Return whether a copy is one of ours, and of which licence it is; never raises for what `content` is.

    A wallet's copy is of no licence here: without its holder's proof it opens nothing.
    """
    try:
        said = _authenticate(call, form, content)
    except (mdoc.MdocError, jwt_vc.CredentialError, claim169.Claim169Error) as error:
        route = copies.find(call, content)  # then the key that signed it is no longer believed
        reason = error.reason if route is None else Reason.KEY_REVOKED
        return [Check("credential", Result.FAIL, error.code, reason)], None
    found = copies.find(call, content)
    if found is not None and found[1] is form:
        return [Check("credential", Result.OK)], found[0]
    foreign = [Check("credential", Result.FAIL, "not a copy we made", Reason.SIGNATURE_INVALID)]
    return (said() if found is None else None) or foreign, None


def _authenticate(call: Call, form: Form, content: bytes) -> Callable[[], list[Check] | None]:
    """Return what tells, of a copy whose signature holds, what else does where it is a wallet's."""
    keys = call.keys.public(Purpose.LICENCE)
    if form is Form.MDOC:
        return partial(bound_copy.of_mdoc, call, mdoc.authenticate(content, keys.values(), point_of))
    if form is Form.JWT:
        claims = jwt_vc.authenticate(content.decode("ascii"), keys=keys, issuer=call.settings.signs_as)
        return partial(bound_copy.of_jwt_vc, call, claims)
    claim169.authenticate(content.decode("utf-8"), keys.values())
    return lambda: None


def _from_base64url(text: str) -> bytes | None:
    """Return what a text in base64url holds; its one form alone, so that no copy has a second text."""
    if not text.startswith("om") or not text.isascii():
        return None
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (ValueError, binascii.Error):
        return None
    return data if base64.urlsafe_b64encode(data).rstrip(b"=").decode() == text else None
