"""Does a signature value alone (裸签名) hold? SM2 (GB/T 35276), ECDSA (RFC 3279 clause 2.2.3) or RSA over any file.

Such a value names nobody: who is asked about it has to hand in the signer's certificate. It carries no time either,
so the certificate is judged now.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from keys import sm2
from keys.certificates import Certificate, der, verify_signature
from keys.certificates.certificate import SM2_WITH_SM3
from keys.verdict import Check, Reason, Result
from seals.report import Format, SealReport, SignatureReport
from seals.trust import Trust, revocation, trace

if TYPE_CHECKING:
    from collections.abc import Iterator

_LARGEST = 200  # bytes of DER SEQUENCE {r, s} on the largest curve in use
_RAW, _RSA = 64, (256, 384, 512)
# What a key of each kind may have signed with; a value does not say which hash it is over.
_ALGORITHMS = {
    "SM2": (SM2_WITH_SM3,),
    "P-256": ("1.2.840.10045.4.3.2", "1.2.840.10045.4.3.3", "1.2.840.10045.4.3.4"),
    "P-384": ("1.2.840.10045.4.3.3", "1.2.840.10045.4.3.2", "1.2.840.10045.4.3.4"),
    "RSA": ("1.2.840.113549.1.1.11", "1.2.840.113549.1.1.12", "1.2.840.113549.1.1.13"),
}


def is_value(data: bytes) -> bool:
    """Return whether these bytes may be a signature value: DER {r, s}, r ‖ s, or as long as one by RSA."""
    return len(data) in {_RAW, *_RSA} or _is_pair(data)


def check_value(data: bytes, document: bytes, certificate: Certificate | None, trust: Trust) -> SealReport:
    """Judge a signature value over `document` under the key of `certificate`."""
    form = Check("format", Result.OK)
    if certificate is None:
        missing = Check("signature", Result.NOT_CHECKED, "hand in the signer's certificate too")
        return SealReport(Format.PLAIN, (SignatureReport(checks=(form, missing), plain=True),))
    traced = trace(certificate.der, trust, trust.now)
    report = SignatureReport(
        checks=(
            form,
            *_judge(data, document, certificate),
            traced.as_check("signer_certificate"),
            revocation([(traced, trust.now)], trust),
        ),
        plain=True,
        signer=certificate,
    )
    return SealReport(Format.PLAIN, (report,))


def _judge(data: bytes, document: bytes, certificate: Certificate) -> Iterator[Check]:
    """Yield `signature` and `integrity`, which are one: a value that does not fit may be either's fault."""
    raw = certificate.key_algorithm in {"SM2", "P-256"} and len(data) == _RAW and not _is_pair(data)
    try:
        value = sm2.raw_to_signature(data) if raw else data
    except sm2.SM2Error:
        value = b""
    algorithms = _ALGORITHMS.get(certificate.key_algorithm, ())
    if any(verify_signature(certificate, one, document, value) for one in algorithms):
        detail = "the value holds, but is r ‖ s and not DER (GB/T 35276)" if raw else ""
    elif verify_signature(certificate, SM2_WITH_SM3, document, value, identity=b""):
        detail = "the value holds, but under an empty identity (GB/T 35276 has a default one)"  # as OpenSSL signs
    else:
        detail = "the value does not fit this document and this certificate"
        yield Check("signature", Result.FAIL, detail, Reason.SIGNATURE_INVALID)
        return
    yield Check("signature", Result.NOTICE if detail else Result.OK, detail)
    yield Check("integrity", Result.OK)


def _is_pair(data: bytes) -> bool:
    if len(data) > _LARGEST:
        return False
    try:
        parts = der.children(der.read_only(data, der.SEQUENCE), at_most=2)
    except der.DERError:
        return False
    return [part.tag for part in parts] == [der.INTEGER, der.INTEGER]
