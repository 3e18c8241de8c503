"""Does this signature hold? The verification of GB/T 38540-2020 clauses 6.3 (seal) and 7.3 (seal signature).

Seals of GM/T 0031-2014 and GM/T 0031-2025 are judged by the same named steps, other signatures by those that apply.

Pure: bytes, trusted roots and the time come in, a frozen report goes out. A forged file is an answer, not an error,
and nothing that a file contains makes this raise. Signatures are verified over the bytes received. Certificates and
the seal's period are judged at the time of signing, a bare seal now. A root that is unknown leaves the certificate
checks `not_checked`, which is not `ok`. Nothing is fetched.

    report = check_file(data, document=original, anchors=roots, now=now)
    report.ok, report.reasons, report.as_json()
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from keys.sm2 import sm3
from keys.verdict import Check, Reason
from seals import check_ofd, detached, signed_data, steps, timestamps
from seals.decoding import read_seal, read_signature
from seals.report import Format, SealReport, SignatureReport
from seals.structure import SealFormatError, SealVersionError
from seals.trust import Trust, certificate_in, judge_maker, revocation, trace

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from keys.certificates import Certificate, PathReport, RevocationList
    from seals.structure import Seal, SealSignature

_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
# How the length of every seal begins in DER (or would, indefinite); no text has such a byte there.
_LONG_LENGTHS = frozenset(bytes([first]) for first in range(0x80, 0x85))


def check_file(
    data: bytes,
    *,
    document: bytes | None = None,
    certificate: Certificate | None = None,
    anchors: Sequence[Certificate],
    now: datetime,
    intermediates: Sequence[Certificate] = (),
    lists: Sequence[RevocationList] = (),
    makers: Sequence[Certificate] | None = None,
) -> SealReport:
    """Judge whatever file was handed in: OFD, PDF, SES_Signature, SESeal, SignedData, or a signature value alone.

    `document` matters only where the signature lies beside it, `certificate` where the signature is a value alone.
    `now` is aware. Never raises for what `data` holds.
    """
    trust = Trust(anchors=anchors, now=now, intermediates=intermediates, lists=lists, makers=makers)
    if data.startswith(_ZIP):
        return check_ofd.check_archive(data, trust, check_signature)
    if b"%PDF-" in data[:1024]:
        from seals.pdf_verify import check_pdf  # here, because reading PDF takes a large library

        return check_pdf(data, trust, check_signature)
    return _check_other(data, document, certificate, trust)


def _check_other(data: bytes, document: bytes | None, certificate: Certificate | None, trust: Trust) -> SealReport:
    """Judge what lies beside a document: DER of one kind or another, or a value alone."""
    if signed_data.is_signed_data(data):
        return signed_data.check_signed_data(data, document, trust)
    if data[:1] == b"\x30" and data[1:2] in _LONG_LENGTHS:
        return _check_der(data, document, trust)
    if document is not None and detached.is_value(data):
        return detached.check_value(data, document, certificate, trust)
    return SealReport(Format.UNKNOWN, problems=(Reason.NOT_SEALED if data else Reason.UNREADABLE,))


def check_seal(seal: Seal, trust: Trust, *, at: datetime, maker: PathReport) -> tuple[Check, ...]:
    """Judge a seal as of `at`: seal_signature, seal_maker, seal_period (制章签名, 制章者证书, 印章有效期)."""
    return (steps.seal_signature(seal), judge_maker(maker, trust), steps.seal_period(seal, at))


def check_signature(signed: SealSignature, trust: Trust, *, digest: bytes | None) -> SignatureReport:
    """Judge a seal signature over a document whose SM3 is `digest` (None: the document is not at hand)."""
    at = signed.signed_at
    made_at = steps.maker_judged_at(signed.seal, at)
    maker, signer = trace(signed.seal.maker_certificate, trust, made_at), trace(signed.signer_certificate, trust, at)
    stamped = timestamps.time_of(signed, trust)
    trusted_at = stamped.at if stamped else None
    checks = (
        steps.form((*signed.extensions, *signed.seal.info.extensions)),
        *check_seal(signed.seal, trust, at=at, maker=maker),
        steps.signature(signed),
        steps.signer_in_list(signed),
        signer.as_check("signer_certificate"),
        steps.integrity(signed, digest),
        *([stamped.check] if stamped else []),
        revocation([(maker, made_at), (signer, trusted_at or at)], trust),
    )
    return SignatureReport(
        checks=checks,
        version=signed.seal.info.version,
        seal=signed.seal.info,
        signer=certificate_in(signed.signer_certificate),
        signed_at=at,
        trusted_at=trusted_at,
        authority=stamped.authority if stamped else None,
    )


def _check_der(data: bytes, document: bytes | None, trust: Trust) -> SealReport:
    try:
        signed = read_signature(data)
    except SealVersionError as error:
        return SealReport(Format.SIGNATURE, (check_ofd.unknown_version(error),))
    except SealFormatError:
        return _check_bare(data, trust)
    digest = None if document is None else sm3(document)
    return SealReport(Format.SIGNATURE, (check_signature(signed, trust, digest=digest),))


def _check_bare(data: bytes, trust: Trust) -> SealReport:
    try:
        seal = read_seal(data)
    except SealVersionError as error:
        return SealReport(Format.SEAL, (check_ofd.unknown_version(error)._replace(bare=True),))
    except SealFormatError:
        return SealReport(Format.UNKNOWN, problems=(Reason.UNREADABLE,))
    made_at = steps.maker_judged_at(seal, trust.now)
    maker, stamped = trace(seal.maker_certificate, trust, made_at), timestamps.time_of_seal(seal, trust)
    checks = (
        steps.form(seal.info.extensions),
        *check_seal(seal, trust, at=trust.now, maker=maker),
        *([stamped.check] if stamped else []),
        *([revocation([(maker, made_at)], trust)] if trust.lists else []),
    )
    report = SignatureReport(checks=checks, bare=True, version=seal.info.version, seal=seal.info)
    return SealReport(Format.SEAL, (report,))
