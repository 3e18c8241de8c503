"""Does this electronic seal hold? The verification of GB/T 38540-2020 clauses 6.3 (seal) and 7.3 (seal signature).

Seals of GM/T 0031-2014 and GM/T 0031-2025 are judged by the same named steps.

Pure: bytes, trusted roots and the time come in, a frozen report goes out. A forged file is an answer, not an error,
and nothing that a file contains makes this raise. Signatures are verified over the bytes received. Certificates and
the seal's period are judged at the time of signing, a bare seal now. A root that is unknown leaves the certificate
checks `not_checked`, which is not `ok`. Nothing is fetched.

    report = check_file(data, document=original, anchors=roots, now=now)
    report.ok, report.reasons, report.as_json()
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from keys.sm2 import sm3
from keys.verdict import Check, Reason, Result
from seals import ofd, steps
from seals.container import Archive, ContainerError
from seals.decoding import read_seal, read_signature
from seals.ofd_parts import OfdError
from seals.report import Format, SealReport, SignatureReport
from seals.steps import Trust
from seals.structure import SealFormatError, SealVersionError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from keys.certificates import Certificate
    from seals.structure import Seal, SealSignature

_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
# How the length of every seal begins in DER (or would, indefinite); no text has such a byte there.
_LONG_LENGTHS = frozenset(bytes([first]) for first in range(0x80, 0x85))


def check_file(
    data: bytes,
    *,
    document: bytes | None = None,
    anchors: Sequence[Certificate],
    now: datetime,
    intermediates: Sequence[Certificate] = (),
) -> SealReport:
    """Judge whatever file was handed in: a sealed OFD, an SES_Signature with its `document`, or a bare SESeal.

    `document` matters only where the signature lies beside it. `now` is aware. Never raises for what `data` holds.
    A PDF that may bear a seal cannot be judged yet: no check failed, reason `format_unknown`.
    """
    trust = Trust(anchors=anchors, now=now, intermediates=intermediates)
    if not data:
        return SealReport(Format.UNKNOWN, problems=(Reason.UNREADABLE,))
    if data.startswith(_ZIP):
        return _check_archive(data, trust)
    if b"%PDF-" in data[:1024]:
        # A signature's ByteRange leaves out a part of the file itself, so it stands uncompressed: where none, no seal.
        sealed = b"/ByteRange" in data
        return SealReport(Format.PDF, problems=(Reason.FORMAT_UNKNOWN if sealed else Reason.NOT_SEALED,))
    if data[0] == 0x30 and data[1:2] in _LONG_LENGTHS:
        return _check_der(data, document, trust)
    return SealReport(Format.UNKNOWN, problems=(Reason.NOT_SEALED,))


def check_seal(seal: Seal, trust: Trust, *, at: datetime) -> tuple[Check, ...]:
    """Judge a seal as of `at`: seal_signature, seal_maker, seal_period (制章签名, 制章者证书, 印章有效期)."""
    return (steps.seal_signature(seal), steps.seal_maker(seal, trust, at), steps.seal_period(seal, at))


def check_signature(signed: SealSignature, trust: Trust, *, digest: bytes | None) -> SignatureReport:
    """Judge a seal signature over a document whose SM3 is `digest` (None: the document is not at hand)."""
    checks = (
        steps.form((*signed.extensions, *signed.seal.info.extensions)),
        *check_seal(signed.seal, trust, at=signed.signed_at),
        steps.signature(signed),
        steps.signer_in_list(signed),
        steps.signer_certificate(signed, trust),
        steps.integrity(signed, digest),
        *steps.timestamp(signed, trust.now),
        Check("revocation", Result.NOT_CHECKED, "no revocation list was consulted"),
    )
    return SignatureReport(
        checks=checks,
        version=signed.seal.info.version,
        seal=signed.seal.info,
        signer=steps.certificate_in(signed.signer_certificate),
        signed_at=signed.signed_at,
    )


def _check_der(data: bytes, document: bytes | None, trust: Trust) -> SealReport:
    try:
        signed = read_signature(data)
    except SealVersionError as error:
        return SealReport(Format.SIGNATURE, (_unknown_version(error),))
    except SealFormatError:
        return _check_bare(data, trust)
    digest = None if document is None else sm3(document)
    return SealReport(Format.SIGNATURE, (check_signature(signed, trust, digest=digest),))


def _check_bare(data: bytes, trust: Trust) -> SealReport:
    try:
        seal = read_seal(data)
    except SealVersionError as error:
        return SealReport(Format.SEAL, (replace(_unknown_version(error), bare=True),))
    except SealFormatError:
        return SealReport(Format.UNKNOWN, problems=(Reason.UNREADABLE,))
    checks = (
        steps.form(seal.info.extensions),
        *check_seal(seal, trust, at=trust.now),
        *steps.authority_timestamp(seal.timestamp),
    )
    report = SignatureReport(checks=checks, bare=True, version=seal.info.version, seal=seal.info)
    return SealReport(Format.SEAL, (report,))


def _check_archive(data: bytes, trust: Trust) -> SealReport:
    try:
        archive = Archive(data)
    except ContainerError:
        return SealReport(Format.UNKNOWN, problems=(Reason.UNREADABLE,))
    if not ofd.is_ofd(archive):
        return SealReport(Format.UNKNOWN, problems=(Reason.NOT_SEALED,))
    try:
        index = ofd.read_index(archive)
    except OfdError:
        return SealReport(Format.OFD, problems=(Reason.UNREADABLE,))
    if not index.signatures:
        return SealReport(Format.OFD, problems=(Reason.NOT_SEALED,))
    found = [_read_embedded(archive, entry) for entry in index.signatures]
    readable = [signature for signature in found if isinstance(signature, ofd.OfdSignature)]
    reports = []
    for signature in found:
        if isinstance(signature, ofd.OfdSignature):
            others = [other for other in readable if other is not signature]
            reports.append(_check_embedded(archive, signature, others, index.lists, trust))
        else:
            reports.append(signature)
    return SealReport(Format.OFD, tuple(reports))


def _read_embedded(archive: Archive, entry: ofd.SignatureEntry) -> ofd.OfdSignature | SignatureReport:
    try:
        return ofd.read_signature(archive, entry)
    except ofd.UnsupportedError as error:
        return _broken(str(error), Reason.FORMAT_UNKNOWN)
    except OfdError as error:
        return _broken(str(error), Reason.UNREADABLE)


def _check_embedded(
    archive: Archive,
    embedded: ofd.OfdSignature,
    others: Sequence[ofd.OfdSignature],
    lists: frozenset[str],
    trust: Trust,
) -> SignatureReport:
    """Judge one seal of an OFD: as any seal signature, and then the files it vouches for (GB/T 33190 clause 18)."""
    try:
        signed = read_signature(embedded.value)
    except SealVersionError as error:
        return _unknown_version(error)
    except SealFormatError as error:
        return _broken(str(error), Reason.UNREADABLE)
    report = check_signature(signed, trust, digest=ofd.digest(embedded))
    altered = _altered(archive, embedded, signed)
    # What makes up another listed seal came later and is judged there; Signatures.xml changes with every seal.
    exempt = lists.union(*(other.artefacts() for other in others))
    not_covered = tuple(sorted(archive.names - embedded.covered() - exempt))
    coverage = steps.coverage(not_covered, frozenset[str]().union(*(other.covered() for other in others)))
    checks: list[Check] = []
    for check in report.checks:
        if check.name == "integrity":
            checks += [_integrity(altered), coverage]
        else:
            checks.append(check)
    return replace(report, checks=tuple(checks), altered=altered, not_covered=not_covered)


def _altered(archive: Archive, embedded: ofd.OfdSignature, signed: SealSignature) -> tuple[str, ...]:
    """Name the files that are not those that were sealed, Signature.xml and Seal.esl among them."""
    names = list(ofd.altered(archive, embedded))
    if signed.data_hash != ofd.digest(embedded):
        names.append(embedded.name)
    if embedded.seal_name is not None and embedded.seal != signed.seal.der:
        names.append(embedded.seal_name)
    return tuple(dict.fromkeys(names))


def _integrity(altered: tuple[str, ...]) -> Check:
    if not altered:
        return Check("integrity", Result.OK)
    detail = f"{len(altered)} of the sealed files changed or missing"
    return Check("integrity", Result.FAIL, detail, Reason.DOCUMENT_ALTERED)


def _unknown_version(error: SealVersionError) -> SignatureReport:
    return replace(_broken(str(error), Reason.FORMAT_UNKNOWN), version=error.version)


def _broken(detail: str, reason: Reason) -> SignatureReport:
    return SignatureReport(checks=(Check("format", Result.FAIL, detail, reason),))
