"""Verify a seal with the trust anchors of this service (验章)."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from sqlalchemy import insert, select

from idservice import audit
from idservice.errors import Kind, Problem, register
from keys.certificates import parse, parse_pem
from keys.sm2 import sm3
from seals.check import check_file
from seals.deeds import Deed
from seals.models import TrustAnchor
from seals.report import ExitStatus

if TYPE_CHECKING:
    from datetime import datetime

    from idservice.call import Call
    from idservice.db import Database
    from keys.certificates import Certificate
    from seals.report import SealReport

register({"seal_rehearsal_failed": Kind(500, "用印自检未通过，印章未使用", "The rehearsal failed; nothing was sealed")})

_KEEP = 2.0  # seconds a process may go on with the anchors it has read
_read: WeakKeyDictionary[Database, tuple[float, tuple[Certificate, ...]]] = WeakKeyDictionary()


def verify(call: Call, data: bytes, *, document: bytes | None = None) -> SealReport:
    """Judge a sealed file, or a seal signature beside its `document`, at this instant."""
    return check_file(data, document=document, anchors=anchors(call), now=call.now)


def rehearse(call: Call, sealed: bytes, *, document: bytes | None = None, now: datetime) -> None:
    """Verify, as of `now`, what was just made with the verifier everybody else uses; what does not hold is not kept.

    The last seal on the file, which is the one just made, has to hold. Those of others before it must not fail; their
    roots may be unknown here.

    Raises:
        Problem: seal_rehearsal_failed, with the reason codes.
    """
    report = check_file(sealed, document=document, anchors=read_anchors(call), now=now)
    last = report.signatures[-1:]
    if not last or not last[0].ok or report.problems or report.exit_status is ExitStatus.NO:
        raise Problem("seal_rehearsal_failed", f"It does not verify: {', '.join(report.reasons)}.")


def anchors(call: Call) -> tuple[Certificate, ...]:
    """Return the configured trust anchors, at most two seconds old: the register's and the settings' file.

    None is built in, and having none is not remembered: a new city trusts its first root at once.
    """
    database, moment = call.house.database, time.monotonic()
    found = _read.get(database)
    if found is None or not found[1] or moment - found[0] > _KEEP:
        found = _read[database] = (moment, read_anchors(call))
    return found[1]


def read_anchors(call: Call) -> tuple[Certificate, ...]:
    """Return the trust anchors as they are now, those added in this transaction among them."""
    stored = call.session.scalars(select(TrustAnchor.certificate).order_by(TrustAnchor.fingerprint))
    return tuple(parse(der) for der in stored) + from_file(call.settings.trust_anchors)


def trust(call: Call, certificate: Certificate) -> None:
    """Add a certificate to the register of trust anchors, if it is not there yet."""
    fingerprint = sm3(certificate.der).hex()
    if call.session.get(TrustAnchor, fingerprint) is None:
        row = {"fingerprint": fingerprint, "certificate": certificate.der, "added_at": call.now}
        call.session.execute(insert(TrustAnchor), row)
        audit.record(call, Deed.ANCHOR_TRUSTED, fingerprint=fingerprint)


def from_file(path: Path | None) -> tuple[Certificate, ...]:
    """Return the certificates of a PEM file; none where no file is configured."""
    return tuple(parse_pem(path.read_bytes())) if path is not None else ()
