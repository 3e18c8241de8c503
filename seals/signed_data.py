"""Does a SignedData (签名数据) hold? GB/T 35275-2017 and RFC 5652, whoever made it; any file, inside or beside it.

There is no seal in it, so the answer has the checks that remain: format, signature, signer_certificate, integrity,
timestamp and revocation. Certificates inside lead from the signer to a root, never to one that is not configured.
"""

from __future__ import annotations

import hmac
from dataclasses import replace
from typing import TYPE_CHECKING

from keys.certificates import der
from keys.certificates.certificate import read_time
from keys.cms import (
    SIGNING_TIME,
    TIMESTAMP_TOKEN,
    CMSError,
    certificate_of,
    check_content,
    check_signature,
    read_signed_data,
)
from keys.sm2 import sm3
from keys.timestamp import Stamped
from keys.verdict import Check, Reason, Result
from seals.report import Format, SealReport, SignatureReport
from seals.timestamps import CLOCK_SKEW, claimed_and_trusted
from seals.trust import Trust, revocation, trace

if TYPE_CHECKING:
    from datetime import datetime

    from keys.certificates import Certificate
    from keys.cms import SignedData, Signer

# What a ContentInfo around a SignedData has near its beginning, after its own length: one of the two identifiers.
_MARKS = tuple(der.write_oid(oid) for oid in ("1.2.840.113549.1.7.2", "1.2.156.10197.6.1.4.2.2"))


def is_signed_data(data: bytes) -> bool:
    """Return whether these bytes begin as a SignedData does; an indefinite length, which is not read, counts too."""
    return data[:1] == b"\x30" and any(0 <= data.find(mark, 2, 16) <= 6 for mark in _MARKS)


def check_signed_data(
    data: bytes, document: bytes | None, trust: Trust, *, claimed: datetime | None = None
) -> SealReport:
    """Judge every signature of a SignedData over its content, or over `document` where it has none.

    `claimed` is the time of signing where it stands outside, as in a PDF.
    """
    try:
        signed = read_signed_data(data)
    except CMSError:
        return SealReport(Format.SIGNED_DATA, problems=(Reason.UNREADABLE,))
    if not signed.signers:
        return SealReport(Format.SIGNED_DATA, problems=(Reason.NOT_SEALED,))
    reports = (_check(signed, signer, document, trust, claimed) for signer in signed.signers)
    return SealReport(Format.SIGNED_DATA, tuple(reports))


def _check(
    signed: SignedData, signer: Signer, document: bytes | None, trust: Trust, outside: datetime | None
) -> SignatureReport:
    form = Check("format", Result.OK)
    certificate = certificate_of(signed, signer, trust.intermediates)
    claimed = _claimed(signer) or outside
    if certificate is None:
        missing = Check("signature", Result.NOT_CHECKED, "the signer's certificate is not at hand")
        return SignatureReport(checks=(form, missing), plain=True, signed_at=claimed)
    everything = Trust(
        anchors=trust.anchors,
        now=trust.now,
        intermediates=(*trust.intermediates, *signed.certificates),
        lists=(*trust.lists, *signed.lists),
    )
    stamped = _stamped(signer, claimed, everything)
    trusted_at = stamped.at if stamped else None
    at = claimed or trusted_at or trust.now  # without any time of signing the certificate has to be good today
    traced = trace(certificate.der, everything, at)
    signature, integrity = _over(signed, signer, certificate, document)
    return SignatureReport(
        checks=(
            form,
            signature,
            traced.as_check("signer_certificate"),
            integrity,
            *([stamped.check] if stamped else []),
            revocation([(traced, trusted_at or at)], everything),
        ),
        plain=True,
        signer=certificate,
        signed_at=claimed,
        trusted_at=trusted_at,
        authority=stamped.authority if stamped else None,
    )


def _over(signed: SignedData, signer: Signer, certificate: Certificate, document: bytes | None) -> tuple[Check, Check]:
    """Return `signature` and `integrity`: over the content inside, over the document beside it, or over neither."""
    content = signed.content if signed.content is not None else document
    if content is None:
        unknown = Check("integrity", Result.NOT_CHECKED, "the signed document was not given")
        if signer.signed is None:
            return Check("signature", Result.NOT_CHECKED, "the signed document was not given"), unknown
        return check_signature(signed, signer, certificate), unknown
    signature = check_signature(replace(signed, content=content), signer, certificate)
    return signature, _same_document(check_content(signer, content), signed.content, document)


def _same_document(integrity: Check, content: bytes | None, document: bytes | None) -> Check:
    """Where content is inside and a document was given too, they have to be the same, or the one the other's SM3."""
    if integrity.result is not Result.OK or content is None or document is None or content == document:
        return integrity
    if hmac.compare_digest(content, sm3(document)):
        return Check("integrity", Result.OK, "what was signed is the SM3 of the document")
    return Check("integrity", Result.FAIL, "the document is not the content that was signed", Reason.DOCUMENT_ALTERED)


def _stamped(signer: Signer, claimed: datetime | None, trust: Trust) -> Stamped | None:
    if claimed is not None and claimed > trust.now + CLOCK_SKEW:
        detail = "the time of signing lies in the future"
        return Stamped(Check("timestamp", Result.FAIL, detail, Reason.CLOCK_WRONG))
    token = signer.unsigned.get(TIMESTAMP_TOKEN)
    return None if token is None else claimed_and_trusted(token, signer.signature, claimed, trust)


def _claimed(signer: Signer) -> datetime | None:
    """Return the time that the signer states; None where he states none, or nothing that is a time."""
    try:
        element, rest = der.read(signer.attributes[SIGNING_TIME])
        return None if rest else read_time(element)
    except (KeyError, der.DERError):
        return None
