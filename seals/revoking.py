"""Revocation (证书吊销): revoke certificates of the demonstration's authority, issue its lists, add those of others.

Lists are added by the operator or issued here; none is ever fetched from an address that a file names.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select

from idservice import audit
from idservice.errors import Problem
from keys.certificates import Certificate, RevocationList, parse, read_lists
from keys.certificates.crl import REASONS, issue_list
from keys.sm2 import sm3
from seals import contents
from seals.authority import ROOTS, party_of
from seals.deeds import Deed
from seals.models import CertificateRevocation, DocumentCertificate, Seal, SealAuthority, StoredRevocationList

if TYPE_CHECKING:
    from idservice.call import Call

LIFE = timedelta(days=30)  # of a list


def revoke(call: Call, name: str, *, reason: str) -> tuple[str, ...]:
    """Revoke what is certified under `name` (a party's name, a seal's number, or a serial number in hexadecimal).

    Returns the serial numbers, and issues new lists. To revoke again changes nothing.

    Raises:
        Problem: not_found; invalid for an unknown reason; unavailable.
    """
    if reason not in REASONS.values():
        raise Problem("invalid", f"The reason is one of: {', '.join(REASONS.values())}.")
    roots = {party_of(call, root).certificate.subject: root for root in ROOTS}
    found = [one for one in _certificates(call, name) if one.issuer in roots and one.issuer != one.subject]
    if not found:
        raise Problem("not_found", "No certificate of this authority goes by that name.")
    for certificate in found:
        key = (roots[certificate.issuer], f"{certificate.serial:x}")
        if call.session.get(CertificateRevocation, key) is None:
            row = {
                "authority": key[0],
                "certificate_number": key[1],
                "reason": reason,
                "at": call.now.replace(microsecond=0),
            }
            call.session.execute(insert(CertificateRevocation), row | {"actor": call.caller.name_for_log})
            audit.record(call, Deed.CERTIFICATE_REVOKED, authority=key[0], serial=key[1], reason=reason)
    issue_lists(call)
    return tuple(f"{certificate.serial:x}" for certificate in found)


def is_revoked(call: Call, certificate: Certificate) -> bool:
    """Return whether this authority revoked a certificate of its own; lists of others are not asked."""
    number = CertificateRevocation.certificate_number == f"{certificate.serial:x}"
    authorities = call.session.scalars(select(CertificateRevocation.authority).where(number))
    return any(party_of(call, root).certificate.subject == certificate.issuer for root in authorities)


def issue_lists(call: Call) -> tuple[RevocationList, ...]:
    """Issue a list for each root, as of now, and add them to those that verification consults."""
    return tuple(_issue(call, root) for root in ROOTS)


def keep_fresh(call: Call) -> None:
    """Issue new lists where the newest have less than half of their life left, or none are there."""
    roots = [party_of(call, root).certificate.subject for root in ROOTS]
    rows = call.session.execute(select(StoredRevocationList.issuer, StoredRevocationList.next_update)).all()
    fresh = {issuer for issuer, until in rows if until is not None and until - call.now > LIFE / 2}
    if not fresh.issuperset(roots):
        issue_lists(call)


def add_lists(call: Call, data: bytes) -> tuple[RevocationList, ...]:
    """Add the lists of a DER or PEM file to those that verification consults.

    Raises:
        CertificateError: it holds no list, or one that says too little.
    """
    lists = read_lists(data)
    for one in lists:
        _add(call, one)
    return lists


def _issue(call: Call, root: str) -> RevocationList:
    party, now = party_of(call, root), call.now.replace(microsecond=0)
    rows = call.session.scalars(select(CertificateRevocation).where(CertificateRevocation.authority == root))
    der = issue_list(
        issuer=party.certificate,
        sign=party.sign,
        number=int(now.timestamp()),  # grows without a counter that processes would share
        this_update=now,
        next_update=now + LIFE,
        revoked=[(int(row.certificate_number, 16), row.at, row.reason) for row in rows],
    )
    (made,) = read_lists(der)
    _add(call, made)
    return made


def _add(call: Call, one: RevocationList) -> None:
    fingerprint = sm3(one.der).hex()
    if call.session.get(StoredRevocationList, fingerprint) is None:
        row = {"fingerprint": fingerprint, "issuer": one.issuer, "der": one.der, "added_at": call.now}
        times = {"this_update": one.this_update, "next_update": one.next_update}
        call.session.execute(insert(StoredRevocationList), row | times)
        audit.record(call, Deed.LIST_ADDED, fingerprint=fingerprint)


def _certificates(call: Call, name: str) -> list[Certificate]:
    """Return the certificates that go by a name here."""
    party = call.session.scalar(select(SealAuthority.certificate).where(SealAuthority.name == name))
    parties = [] if party is None else [parse(party)]
    certificates = parties + _of_seals(call, Seal.seal_id == name)
    return certificates or [one for one in _all(call) if f"{one.serial:x}" == name.lower()]


def _all(call: Call) -> list[Certificate]:
    parties = [parse(der) for der in call.session.scalars(select(SealAuthority.certificate))]
    return parties + _of_seals(call)


def _of_seals(call: Call, *which: Any) -> list[Certificate]:
    """Return the certificates of the seals that meet conditions: SM2, and P-256 where there is one."""
    joined = select(Seal, DocumentCertificate).outerjoin(
        DocumentCertificate, DocumentCertificate.seal_id == Seal.seal_id
    )
    found = []
    for seal, document in call.session.execute(joined.where(*which)):
        found.append(contents.certificate(call, seal))
        if document is not None:
            found.append(contents.opened(call, seal, contents.DOCUMENT_CERTIFICATE, document.certificate))
    return [parse(der) for der in found]
