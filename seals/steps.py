"""The steps of verifying a seal and a seal signature, one function each: GB/T 38540-2020 clauses 6.3 and 7.3.

Every function answers with one named `Check`. `seals.check` puts them in order.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING

from keys import sm2
from keys.verdict import Check, Reason, Result
from seals.structure import SM2_WITH_SM3, VERSION_2025
from seals.timestamps import CLOCK_SKEW
from seals.trust import certificate_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from seals.structure import Extension, Seal, SealSignature

RAW_SIGNATURE = 64  # bytes of r ‖ s
REMEMBERED_SEALS = 4096
_seal_verdicts: dict[bytes, tuple[Result, str]] = {}
_SM3_NAMES = frozenset({"SM3", "1.2.156.10197.1.401"})


def form(extensions: Iterable[Extension]) -> Check:
    """The structure was read; what remains are its extensions, none of which is understood here."""
    extensions = tuple(extensions)
    if not extensions:
        return Check("format", Result.OK)
    critical = [extension.oid for extension in extensions if extension.critical]
    if critical:
        detail = f"critical extensions unknown here: {', '.join(critical)}"
        return Check("format", Result.FAIL, detail, Reason.FORMAT_UNKNOWN)
    loose = any(extension.explicit_false for extension in extensions)
    return Check("format", Result.OK, "notice: not strictly DER, a default value is written out" if loose else "")


def seal_signature(seal: Seal) -> Check:
    """The maker signed the seal."""
    # A seal is used on thousands of documents, and this depends on its bytes alone.
    digest = hashlib.sha256(seal.der).digest()
    verdict = _seal_verdicts.get(digest)
    if verdict is None:
        if len(_seal_verdicts) >= REMEMBERED_SEALS:
            _seal_verdicts.clear()
        verdict = _verify(seal.maker_certificate, seal.algorithm, seal.signed_der, seal.signature)
        _seal_verdicts[digest] = verdict
    result, detail = verdict
    return Check("seal_signature", result, detail, Reason.SEAL_INVALID if result is Result.FAIL else None)


def maker_judged_at(seal: Seal, at: datetime) -> datetime:
    """Return when the maker's certificate has to be good.

    GM/T 0031-2025 asks whether it was good when the seal was made, and calls its end since then a notice.
    """
    return seal.info.created_at if seal.info.version == VERSION_2025 else at


def seal_period(seal: Seal, at: datetime) -> Check:
    """The seal was in force; one of GM/T 0031-2025, whose maker is judged as of its making, was made by then too."""
    info = seal.info
    if info.version == VERSION_2025 and info.created_at - at > CLOCK_SKEW:
        detail = f"made on {_day(info.created_at)}, used on {_day(at)}"
        return Check("seal_period", Result.FAIL, detail, Reason.SEAL_NOT_IN_FORCE)
    if info.valid_from <= at <= info.valid_until:
        return Check("seal_period", Result.OK)
    detail = f"in force from {_day(info.valid_from)} to {_day(info.valid_until)}, used on {_day(at)}"
    return Check("seal_period", Result.FAIL, detail, Reason.SEAL_NOT_IN_FORCE)


def signature(signed: SealSignature) -> Check:
    """The signer signed TBS_Sign."""
    shared = _end_of(signed.seal.der, signed.tbs_der)
    result, detail = _verify(signed.signer_certificate, signed.algorithm, signed.tbs_der, signed.signature, shared)
    return Check("signature", result, detail, Reason.SIGNATURE_INVALID if result is Result.FAIL else None)


def signer_in_list(signed: SealSignature) -> Check:
    """The seal names the signer (签章者), byte for byte or by the SM3 of the certificate."""
    info, certificate = signed.seal.info, signed.signer_certificate
    digests = [entry.value for entry in info.digests if entry.algorithm in _SM3_NAMES]
    if certificate in info.certificates or (digests and sm2.sm3(certificate) in digests):
        return Check("signer_in_list", Result.OK)
    return Check("signer_in_list", Result.FAIL, "the seal does not name this signer", Reason.SEAL_INVALID)


def integrity(signed: SealSignature, digest: bytes | None) -> Check:
    """The document is the one that was sealed; `digest` is its SM3, None where it is not at hand."""
    if digest is None:
        return Check("integrity", Result.NOT_CHECKED, "the sealed document was not given")
    if hmac.compare_digest(signed.data_hash, digest):
        return Check("integrity", Result.OK)
    return Check("integrity", Result.FAIL, "the document is not the one that was sealed", Reason.DOCUMENT_ALTERED)


def coverage(not_covered: Sequence[str], covered_by_others: frozenset[str]) -> Check:
    """No file of the container is left outside every seal (GB/T 33190 clause 18)."""
    if not not_covered:
        return Check("coverage", Result.OK)
    if covered_by_others.issuperset(not_covered):
        return Check("coverage", Result.NOTICE, "some files are covered by another seal only")
    return Check("coverage", Result.FAIL, "some files are covered by no seal", Reason.NOT_COVERED)


def _end_of(seal: bytes, tbs: bytes) -> int:
    """Return where the seal ends that TBS_Sign begins with, after a header and a version; 0 where it does not.

    All signatures made with one seal begin alike, and its picture is most of what is hashed.
    """
    for start in range(5, 9):
        if tbs.startswith(seal, start):
            return start + len(seal)
    return 0


def _verify(certificate_der: bytes, algorithm: str, signed: bytes, value: bytes, shared: int = 0) -> tuple[Result, str]:
    """Verify an SM2 signature value. A raw r ‖ s, which GB/T 35276 does not allow, is a notice at best."""
    certificate = certificate_in(certificate_der)
    if algorithm != SM2_WITH_SM3:
        return Result.FAIL, f"signature algorithm {algorithm} instead of SM2 with SM3"
    if certificate is None or certificate.key_algorithm != "SM2":
        return Result.FAIL, "no certificate with an SM2 key"
    raw = len(value) == RAW_SIGNATURE
    try:
        der = sm2.raw_to_signature(value) if raw else value
    except sm2.SM2Error:
        return Result.FAIL, "the signature value is out of range"
    if not sm2.verify(certificate.public_key, signed, der, shared=shared):
        return Result.FAIL, "the signature value does not fit what was signed"
    return (Result.NOTICE, "the value holds, but is r ‖ s and not DER (GB/T 35276)") if raw else (Result.OK, "")


def _day(moment: datetime) -> str:
    return moment.date().isoformat()
