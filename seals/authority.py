"""The demonstration's certificate authority (演示证书机构): a root, a seal maker (制章者), certificates for signers.

A real city's maker and signers are certified by a licensed authority (电子认证服务机构); nothing here is. Both keys lie
in the key ring, both certificates in the register, and the root becomes a trust anchor.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import insert, select

from idservice import audit
from idservice.errors import Problem
from keys.base64url import unb64u
from keys.certificates import Certificate, KeyUsage, issue, parse
from keys.ring import RingError
from seals.deeds import Deed
from seals.models import SealAuthority
from seals.verify import trust

if TYPE_CHECKING:
    from idservice.call import Call
    from idservice.models import Department
    from keys.ring import KeyRing
    from keys.signer import PublicKey, Signer

ROOT, MAKER = "demo-root", "demo-maker"  # names of seal keys in the ring
ROOT_TERM, MAKER_TERM = timedelta(days=20 * 365), timedelta(days=15 * 365)
_ORGANISATION = ("O", "一号通行演示（不具法律效力）")
_SIGNS = frozenset({KeyUsage.DIGITAL_SIGNATURE, KeyUsage.NON_REPUDIATION})
_CERTIFIES = frozenset({KeyUsage.KEY_CERT_SIGN, KeyUsage.CRL_SIGN})


@dataclass(frozen=True, slots=True)
class Party:
    """A certificate and the means to sign with its key."""

    certificate: Certificate
    sign: Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True)
class Authority:
    """Who certifies signers and who makes seals."""

    root: Party
    maker: Party


def make_authority(call: Call) -> Authority:
    """Set the demonstration's authority up, or return it where it is already."""
    if (found := _find(call)) is not None:
        return found
    begin = call.now.replace(microsecond=0)
    root_key, maker_key = (_key(call.keys, name, call.now) for name in (ROOT, MAKER))
    root = _certify(
        [("C", "CN"), _ORGANISATION, ("CN", "演示根证书 Demonstration Root")],
        root_key.public,
        root_key.sign,
        term=(begin, begin + ROOT_TERM),
        ca=True,
    )
    maker = _certify(
        [("C", "CN"), _ORGANISATION, ("CN", "演示制章中心 Demonstration Seal Maker")],
        maker_key.public,
        root_key.sign,
        issuer=root,
        term=(begin, begin + MAKER_TERM),
    )
    rows = [
        {"name": name, "certificate": certificate.der, "created_at": call.now}
        for name, certificate in ((ROOT, root), (MAKER, maker))
    ]
    call.session.execute(insert(SealAuthority), rows)
    audit.record(call, Deed.AUTHORITY_MADE, authority=ROOT)
    trust(call, root)
    return Authority(Party(root, root_key.sign), Party(maker, maker_key.sign))


def authority_of(call: Call) -> Authority:
    """Return the authority that makes seals here.

    Raises:
        Problem: unavailable, where none is set up or its keys are not at hand.
    """
    try:
        found = _find(call)
    except RingError:
        raise Problem("unavailable", "The keys of the seal authority are not at hand.") from None
    if found is None:
        raise Problem("unavailable", "No seal authority is set up: run `flask seals authority`.")
    return found


def certify_signer(
    authority: Authority, department: Department, key: PublicKey, *, term: tuple[datetime, datetime]
) -> bytes:
    """Return the DER of a department's certificate for the key of one of its seals.

    Raises:
        CertificateError: the department's name does not fit a certificate.
    """
    root = authority.root
    subject = [("C", "CN"), ("O", department.name), ("CN", department.name)]
    code = department.credit_code
    return _certify(subject, key, root.sign, issuer=root.certificate, term=term, organization_code=code).der


def _find(call: Call) -> Authority | None:
    rows = call.session.execute(select(SealAuthority.name, SealAuthority.certificate)).all()
    certificates = {name: parse(der) for name, der in rows}
    if not {ROOT, MAKER} <= certificates.keys():
        return None
    root, maker = (Party(certificates[name], call.keys.seal_signer(name).sign) for name in (ROOT, MAKER))
    return Authority(root, maker)


def _key(ring: KeyRing, name: str, now: datetime) -> Signer:
    """Return the seal key of that name, new or left by a set-up that did not come to its end."""
    try:
        return ring.seal_signer(name)
    except RingError:
        ring.new_seal_key(name, now=now)
        return ring.seal_signer(name)


def _certify(
    subject: list[tuple[str, str]],
    key: PublicKey,
    sign: Callable[[bytes], bytes],
    *,
    term: tuple[datetime, datetime],
    issuer: Certificate | None = None,
    ca: bool = False,
    organization_code: str | None = None,
) -> Certificate:
    point = key.jwk()
    der = issue(
        subject=subject,
        public_key=b"\x04" + unb64u(point["x"]) + unb64u(point["y"]),
        issuer=issuer,
        sign=sign,
        serial=1 + secrets.randbits(120),
        not_before=term[0],
        not_after=term[1],
        ca=ca,
        key_usage=_CERTIFIES if ca else _SIGNS,
        organization_code=organization_code,
    )
    return parse(der)
