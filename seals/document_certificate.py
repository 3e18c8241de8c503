"""The certificate that a seal uses on a PDF (文档签名证书): readers of PDF know ECDSA, and none of them SM2.

Each seal has a P-256 key beside its SM2 key, made and certified under the demonstration's root for documents when it
is needed first, for as long as the seal is in force.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from idservice import audit
from idservice.db import add_if_new
from idservice.errors import Problem
from keys.certificates import CertificateError, der_signing, parse
from keys.ring import Purpose, RingError
from seals import contents, owners
from seals.authority import Party, authority_of, certify_signer
from seals.deeds import Deed
from seals.models import DocumentCertificate
from seals.refusals import impossible, no_key
from seals.revoking import is_revoked

if TYPE_CHECKING:
    from idservice.call import Call
    from keys.signer import PublicKey
    from seals.models import Seal


def ensure(call: Call, seal: Seal) -> None:
    """Make key and certificate of a seal in force, unless they are there.

    Raises:
        Problem: unavailable, where no root for documents is set up; seal_impossible; seal_certificate_revoked.
    """
    if call.session.get(DocumentCertificate, seal.seal_id) is not None:
        return
    if is_revoked(call, parse(contents.certificate(call, seal))):  # and gets no new one in another form
        raise Problem("seal_certificate_revoked", "Apply for a new seal.")
    authority = authority_of(call)
    if authority.document_root is None:
        raise Problem("unavailable", "No root for documents is set up: run `flask seals authority`.")
    begin = call.now.replace(microsecond=0)
    end = min(seal.valid_until, authority.document_root.certificate.not_after)
    owner = owners.of(call, seal)
    try:
        certificate = certify_signer(authority, owner, _key(call, seal.seal_id), term=(begin, end))
    except CertificateError as error:
        raise impossible(error) from None
    kept = contents.kept(call, seal, contents.DOCUMENT_CERTIFICATE, certificate)
    row = {"seal_id": seal.seal_id, "certificate": kept, "created_at": call.now}
    if add_if_new(call.session, DocumentCertificate, row):
        audit.record(call, Deed.DOCUMENT_CERTIFIED, seal=seal.seal_id)


def signer_of(call: Call, seal: Seal) -> Party:
    """Return certificate and signer of a seal for PDF.

    Raises:
        Problem: seal_not_in_force, where there is none or its key is not at hand.
    """
    row = call.session.get(DocumentCertificate, seal.seal_id)
    try:
        signer = call.keys.seal_signer(seal.seal_id, Purpose.DOCUMENT)
    except RingError:
        row = None
    if row is None:
        raise no_key() from None
    certificate = contents.opened(call, seal, contents.DOCUMENT_CERTIFICATE, row.certificate)
    return Party(parse(certificate), der_signing(signer))


def _key(call: Call, seal_id: str) -> PublicKey:
    """Return the key, new or left by a transaction that failed, or made by another process a moment ago."""
    try:
        return call.keys.new_seal_key(seal_id, Purpose.DOCUMENT, now=call.now)
    except RingError:
        return call.keys.seal_signer(seal_id, Purpose.DOCUMENT).public
