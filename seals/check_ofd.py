"""Does every seal on this OFD hold, and do they cover it? GB/T 33190-2016 clause 18, GB/T 38540-2020 clause 7.3."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from keys.verdict import Check, Reason, Result
from seals import ofd, steps
from seals.container import Archive, ContainerError
from seals.decoding import read_signature
from seals.ofd_parts import OfdError
from seals.report import Format, SealReport, SignatureReport
from seals.structure import SealFormatError, SealVersionError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from seals.structure import SealSignature
    from seals.trust import Trust


class CheckSignature(Protocol):
    """How one seal signature is judged: `seals.check.check_signature`."""

    def __call__(self, signed: SealSignature, trust: Trust, *, digest: bytes | None) -> SignatureReport:
        """Judge a seal signature over what has this SM3."""


def check_archive(data: bytes, trust: Trust, check_signature: CheckSignature) -> SealReport:
    """Judge a ZIP file: every seal of an OFD. `check_signature` judges one seal signature, whatever it lies on."""
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
            reports.append(_check_embedded(archive, signature, others, index.lists, trust, check_signature))
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
    check_signature: CheckSignature,
) -> SignatureReport:
    """Judge one seal of an OFD: as any seal signature, and then the files it vouches for (GB/T 33190 clause 18)."""
    try:
        signed = read_signature(embedded.value)
    except SealVersionError as error:
        return unknown_version(error)
    except SealFormatError as error:
        return _broken(str(error), Reason.UNREADABLE)
    digest = ofd.digest(embedded)
    report = check_signature(signed, trust, digest=digest)
    altered = _altered(archive, embedded, signed, digest)
    # What makes up another listed seal came later and is judged there; Signatures.xml changes with every seal.
    exempt = lists.union(*[other.artefacts() for other in others])
    not_covered = tuple(sorted(archive.names - embedded.covered() - exempt))
    coverage = steps.coverage(not_covered, frozenset().union(*[other.covered() for other in others]))
    checks: list[Check] = []
    for check in report.checks:
        if check.name == "integrity":
            checks += [_integrity(altered), coverage]
        else:
            checks.append(check)
    return report._replace(checks=tuple(checks), altered=altered, not_covered=not_covered)


def _altered(archive: Archive, embedded: ofd.OfdSignature, signed: SealSignature, digest: bytes) -> tuple[str, ...]:
    """Name the files that are not those that were sealed, Signature.xml and Seal.esl among them."""
    names = list(ofd.altered(archive, embedded))
    if signed.data_hash != digest:
        names.append(embedded.name)
    if embedded.seal_name is not None and embedded.seal != signed.seal.der:
        names.append(embedded.seal_name)
    return tuple(dict.fromkeys(names))


def _integrity(altered: tuple[str, ...]) -> Check:
    if not altered:
        return Check("integrity", Result.OK)
    detail = f"{len(altered)} of the sealed files changed or missing"
    return Check("integrity", Result.FAIL, detail, Reason.DOCUMENT_ALTERED)


def unknown_version(error: SealVersionError) -> SignatureReport:
    """Return the report on a seal of a version that is not read here."""
    return _broken(str(error), Reason.FORMAT_UNKNOWN)._replace(version=error.version)


def _broken(detail: str, reason: Reason) -> SignatureReport:
    return SignatureReport(checks=(Check("format", Result.FAIL, detail, reason),))
