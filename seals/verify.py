"""Verify a seal with what this service relies on (验章): roots, permitted makers and revocation lists."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from sqlalchemy import insert, select

from idservice import audit
from idservice.errors import FieldProblem, Kind, Problem, register
from keys.certificates import CertificateError, RevocationList, parse, parse_pem
from keys.certificates.crl import parse_list
from keys.sm2 import sm3
from keys.verdict import Reason
from seals.check import check_file
from seals.deeds import Deed
from seals.models import PermittedMaker, StoredRevocationList, TrustAnchor
from seals.report import ExitStatus
from seals.trust import Trust

if TYPE_CHECKING:
    from datetime import datetime

    from idservice.call import Call
    from idservice.db import Database
    from keys.certificates import Certificate
    from seals.report import SealReport

register(
    {
        "seal_rehearsal_failed": Kind(500, "用印自检未通过，印章未使用", "The rehearsal failed; nothing was sealed"),
        "seal_certificate_revoked": Kind(
            409, "印章的证书已吊销，印章未使用", "A certificate of this seal is revoked; nothing was sealed"
        ),
    }
)


@dataclass(frozen=True, slots=True)
class Known:
    """What this service relies on at one moment; the members are arguments of `check_file`."""

    anchors: tuple[Certificate, ...]
    makers: tuple[Certificate, ...]
    lists: tuple[RevocationList, ...]


_KEEP = 2.0  # seconds a process may go on with what it has read
_read: WeakKeyDictionary[Database, tuple[float, Known]] = WeakKeyDictionary()
_lists: WeakKeyDictionary[Database, dict[str, RevocationList]] = WeakKeyDictionary()


def verify(
    call: Call, data: bytes, *, document: bytes | None = None, certificate: Certificate | None = None
) -> SealReport:
    """Judge a sealed file, or a signature beside its `document` (a value alone with `certificate`), at this instant."""
    relied = known(call)
    return check_file(
        data,
        document=document,
        certificate=certificate,
        anchors=relied.anchors,
        makers=relied.makers,
        lists=relied.lists,
        now=call.now,
    )


def certificate_of_file(data: bytes) -> Certificate:
    """Return the certificate that somebody handed in beside a signature value, DER or PEM.

    Raises:
        Problem: invalid.
    """
    try:
        return parse_pem(data)[0] if data.startswith(b"-----") else parse(data)
    except CertificateError as error:
        fault = FieldProblem("/certificate", "unreadable", f"{str(error)[:200]}.")
        raise Problem("invalid", "", errors=[fault]) from None


def trust_of(call: Call) -> Trust:
    """Return what this service relies on at this instant."""
    relied = known(call)
    return Trust(anchors=relied.anchors, makers=relied.makers, lists=relied.lists, now=call.now)


def rehearse(
    call: Call,
    sealed: bytes,
    *,
    document: bytes | None = None,
    certificate: Certificate | None = None,
    now: datetime,
) -> None:
    """Verify, as of `now`, what was just made with the verifier everybody else uses; what does not hold is not kept.

    The last seal on the file, which is the one just made, has to hold. Those of others before it must not fail; their
    roots may be unknown here.

    Raises:
        Problem: seal_certificate_revoked, or seal_rehearsal_failed, with the reason codes.
    """
    relied = read_known(call)
    report = check_file(
        sealed,
        document=document,
        certificate=certificate,
        anchors=relied.anchors,
        makers=relied.makers,
        lists=relied.lists,
        now=now,
    )
    last = report.signatures[-1:]
    if not last or not last[0].ok or report.problems or report.exit_status is ExitStatus.NO:
        refuse_revoked(report)
        raise Problem("seal_rehearsal_failed", f"It does not verify: {', '.join(report.reasons)}.")


def refuse_revoked(report: SealReport) -> None:
    """Refuse what was just made with a seal whose certificate, or its maker's, was revoked: somebody has to act on it.

    Raises:
        Problem: seal_certificate_revoked.
    """
    if any(check.reason is Reason.KEY_REVOKED for last in report.signatures[-1:] for check in last.checks):
        raise Problem("seal_certificate_revoked", "Apply for a new seal.")


def known(call: Call) -> Known:
    """Return what is relied on, at most two seconds old.

    No root is built in, and having none is not remembered: a new city trusts its first root at once.
    """
    database, moment = call.house.database, time.monotonic()
    found = _read.get(database)
    if found is None or not found[1].anchors or moment - found[0] > _KEEP:
        found = _read[database] = (moment, read_known(call))
    return found[1]


def read_known(call: Call) -> Known:
    """Return what is relied on as it is now, what was added in this transaction included."""
    return Known(read_anchors(call), read_makers(call), read_revocation_lists(call))


def anchors(call: Call) -> tuple[Certificate, ...]:
    """Return the configured trust anchors, at most two seconds old: the register's and the settings' file."""
    return known(call).anchors


def read_anchors(call: Call) -> tuple[Certificate, ...]:
    """Return the trust anchors as they are now, those added in this transaction among them."""
    stored = call.session.scalars(select(TrustAnchor.certificate).order_by(TrustAnchor.fingerprint))
    return tuple(parse(der) for der in stored) + from_file(call.settings.trust_anchors)


def read_makers(call: Call) -> tuple[Certificate, ...]:
    """Return who may make seals: the register's makers and those of the settings' file."""
    stored = call.session.scalars(select(PermittedMaker.certificate).order_by(PermittedMaker.fingerprint))
    return tuple(parse(der) for der in stored) + from_file(call.settings.seal_makers)


def read_revocation_lists(call: Call) -> tuple[RevocationList, ...]:
    """Return the revocation lists at hand. Each is read from the database and parsed once in a process."""
    kept = _lists.setdefault(call.house.database, {})
    listed = call.session.scalars(select(StoredRevocationList.fingerprint)).all()
    for fingerprint in listed:
        if fingerprint not in kept:
            kept[fingerprint] = parse_list(call.session.get_one(StoredRevocationList, fingerprint).der)
    for gone in kept.keys() - set(listed):
        kept.pop(gone, None)
    return tuple(kept[fingerprint] for fingerprint in sorted(listed))


def trust(call: Call, certificate: Certificate) -> None:
    """Add a certificate to the register of trust anchors, if it is not there yet."""
    fingerprint = sm3(certificate.der).hex()
    if call.session.get(TrustAnchor, fingerprint) is None:
        row = {"fingerprint": fingerprint, "certificate": certificate.der, "added_at": call.now}
        call.session.execute(insert(TrustAnchor), row)
        audit.record(call, Deed.ANCHOR_TRUSTED, fingerprint=fingerprint)


def permit(call: Call, certificate: Certificate) -> None:
    """Permit somebody to make seals, if he is not permitted yet."""
    fingerprint = sm3(certificate.der).hex()
    if call.session.get(PermittedMaker, fingerprint) is None:
        row = {"fingerprint": fingerprint, "certificate": certificate.der, "added_at": call.now}
        call.session.execute(insert(PermittedMaker), row)
        audit.record(call, Deed.MAKER_PERMITTED, fingerprint=fingerprint)


def forbid(call: Call, fingerprint: str) -> None:
    """Take a maker off the list: seals of his making hold no longer.

    Raises:
        Problem: not_found.
    """
    row = call.session.get(PermittedMaker, fingerprint)
    if row is None:
        raise Problem("not_found", "No permitted maker has this fingerprint.")
    call.session.delete(row)
    audit.record(call, Deed.MAKER_FORBIDDEN, fingerprint=fingerprint)


def from_file(path: Path | None) -> tuple[Certificate, ...]:
    """Return the certificates of a PEM file; none where no file is configured."""
    return tuple(parse_pem(path.read_bytes())) if path is not None else ()
