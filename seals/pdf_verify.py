"""Do the seals on a PDF hold? ETSI EN 319 142-1 (PAdES), ISO 32000-2 clause 12.8; GM/T 0112-2021 clause 7 (SM2 seals).

A signature of CMS kind is judged like any SignedData (`seals.signed_data`), one that holds an SES_Signature like any
seal (`seals.check`), both over the bytes that ByteRange covers; `coverage` tells what came later. Certificates and
revocation lists inside the file help to find a path, they are never believed by themselves. Nothing is fetched.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from keys.sm2 import sm3
from keys.verdict import Check, Reason, Result
from seals import pdf_material, pdf_picture, pdf_seals, signed_data
from seals.check_ofd import unknown_version
from seals.deadline import TooLong, deadline
from seals.decoding import read_signature
from seals.pdf import PdfError
from seals.report import Format, SealReport, SignatureReport
from seals.structure import SealFormatError, SealVersionError

if TYPE_CHECKING:
    from seals.check_ofd import CheckSignature
    from seals.pdf_seals import Later, PdfSeal
    from seals.trust import Trust

SECONDS = 1.5  # of computing that a file may cost
_WEAK = frozenset({"adbe.pkcs7.sha1", "adbe.x509.rsa_sha1"})


def check_pdf(data: bytes, trust: Trust, check_signature: CheckSignature) -> SealReport:
    """Judge every seal of a PDF; `check_signature` judges one SES_Signature. Never raises for what `data` holds."""
    # A signature leaves out a part of the file itself, so its ByteRange stands uncompressed: where none, no seal.
    if b"/ByteRange" not in data:
        return SealReport(Format.PDF, problems=(Reason.NOT_SEALED,))
    try:
        with deadline(SECONDS):
            return _check_all(data, trust, check_signature)
    except (PdfError, TooLong):
        return SealReport(Format.PDF, problems=(Reason.UNREADABLE,))


def _check_all(data: bytes, trust: Trust, check_signature: CheckSignature) -> SealReport:
    found = pdf_seals.find(data)
    if not found.seals and not found.broken:
        return SealReport(Format.PDF, problems=(Reason.NOT_SEALED,))
    material = pdf_material.read(found.reader)
    more = replace(
        trust,
        intermediates=(*trust.intermediates, *material.certificates),
        lists=(*trust.lists, *material.lists),
    )
    reports = []
    for seal in found.seals:
        report = _check(seal, seal.covered(data), more, check_signature)
        report = _with_coverage(report, seal, pdf_seals.later(data, seal, found))._replace(end=seal.end)
        reports.append(report._replace(appearance=pdf_picture.read(seal.read.sig_field)) if report.plain else report)
    return SealReport(Format.PDF, (*reports, *(_broken(one.detail, Reason.UNREADABLE) for one in found.broken)))


def _check(seal: PdfSeal, covered: bytes, trust: Trust, check_signature: CheckSignature) -> SignatureReport:
    """Judge what lies in the signature by what it is: makers of SM2 seals have names of their own for it."""
    if seal.subfilter in _WEAK:
        return _broken(f"{seal.subfilter} relies on SHA-1", Reason.FORMAT_UNKNOWN)
    if signed_data.is_signed_data(seal.value):
        found = signed_data.check_signed_data(seal.value, covered, trust, claimed=seal.signed_at)
        if len(found.signatures) == 1:
            return found.signatures[0]
        return _broken("not a signature by one signer", Reason.UNREADABLE)
    try:
        signed = read_signature(seal.value)
    except SealVersionError as error:
        return unknown_version(error)
    except SealFormatError as error:
        return _broken(f"{seal.subfilter}: {error}", Reason.FORMAT_UNKNOWN)
    return check_signature(signed, trust, digest=sm3(covered))


def _with_coverage(report: SignatureReport, seal: PdfSeal, later: Later | None) -> SignatureReport:
    """Add `coverage` behind `integrity`, and name the parts of the file that were altered or came later."""
    checks: list[Check] = []
    altered: tuple[str, ...] = ()
    for check in report.checks:
        if check.name != "integrity":
            checks.append(check)
            continue
        if check.result is Result.FAIL:
            altered = seal.parts()
        elif later is not None and later.altered and check.result is Result.OK:
            altered = later.not_covered
            check = Check("integrity", Result.FAIL, later.detail, Reason.DOCUMENT_ALTERED)  # noqa: PLW2901
        checks += [check, _coverage(later)]
    not_covered = later.not_covered if later is not None else ()
    return report._replace(checks=tuple(checks), altered=altered, not_covered=not_covered)


def _coverage(later: Later | None) -> Check:
    if later is None:
        return Check("coverage", Result.OK)
    if later.altered:
        return Check("coverage", Result.FAIL, "a part of the file is covered by no seal", Reason.NOT_COVERED)
    return Check("coverage", Result.NOTICE, later.detail)


def _broken(detail: str, reason: Reason) -> SignatureReport:
    return SignatureReport(checks=(Check("format", Result.FAIL, detail, reason),))
