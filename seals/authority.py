"""The demonstration's certificate authority (演示证书机构): who certifies signers, makes seals and gives time stamps.

There are two roots, because no PDF reader knows SM2: one with an SM2 key for seals (GB/T 38540), one with a P-256 key
for signatures in PDF (PAdES) and for time stamps (RFC 3161). A real city's parties are certified by a licensed
authority (电子认证服务机构); nothing here is. All keys lie in the key ring, all certificates in the register, the roots
become trust anchors, and the maker becomes the only one who is permitted to make seals under his root.
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
from keys.certificates import Certificate, KeyUsage, der_signing, issue, parse
from keys.certificates.extensions import TIME_STAMPING
from keys.imported import read_pkcs8
from keys.ring import Purpose, RingError
from keys.signer import Algorithm
from seals.deeds import Deed
from seals.models import SealAuthority
from seals.verify import permit, trust

if TYPE_CHECKING:
    from idservice.call import Call
    from keys.ring import KeyRing
    from keys.signer import PublicKey, Signer
    from seals.owners import Owner

ROOT, MAKER, DOCUMENT_ROOT, TIME_STAMPER = "demo-root", "demo-maker", "demo-document-root", "demo-time-stamper"
ROOT_TERM, PARTY_TERM = timedelta(days=20 * 365), timedelta(days=15 * 365)
_ORGANISATION = ("O", "一号通行演示（不具法律效力）")
_SIGNS = frozenset({KeyUsage.DIGITAL_SIGNATURE, KeyUsage.NON_REPUDIATION})
_CERTIFIES = frozenset({KeyUsage.KEY_CERT_SIGN, KeyUsage.CRL_SIGN})
_CURVES = {Algorithm.SM2: "SM2", Algorithm.ES256: "P-256"}


@dataclass(frozen=True, slots=True)
class Role:
    """What one party of the authority is: its name in a certificate, its kind of key, and who certifies it."""

    common_name: str
    purpose: Purpose
    issuer: str | None = None
    extended_usage: tuple[str, ...] = ()


ROLES = {
    ROOT: Role("演示根证书 Demonstration Root", Purpose.SEAL),
    MAKER: Role("演示制章中心 Demonstration Seal Maker", Purpose.SEAL, ROOT),
    DOCUMENT_ROOT: Role("演示文档根证书 Demonstration Document Root", Purpose.DOCUMENT),
    TIME_STAMPER: Role("演示时间戳服务 Demonstration Time Stamps", Purpose.TIMESTAMP, DOCUMENT_ROOT, (TIME_STAMPING,)),
}
ROOTS = tuple(name for name, role in ROLES.items() if role.issuer is None)


@dataclass(frozen=True, slots=True)
class Party:
    """A certificate and the means to sign with its key: `sign(data) -> DER signature`."""

    certificate: Certificate
    sign: Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True)
class Authority:
    """Who certifies signers, who makes seals, and who certifies what signs in PDF."""

    root: Party
    maker: Party
    document_root: Party | None = None


def make_authority(call: Call) -> Authority:
    """Set the demonstration's authority up, or what of it is not there yet, and return it."""
    present = _certificates(call)
    for name, role in ROLES.items():
        if name not in present:
            present[name] = _set_up(call, name, role, present)
    return authority_of(call)


def authority_of(call: Call) -> Authority:
    """Return the authority that makes seals here.

    Raises:
        Problem: unavailable, where none is set up or its keys are not at hand.
    """
    certificates = _certificates(call)
    if not {ROOT, MAKER} <= certificates.keys():
        raise Problem("unavailable", "No seal authority is set up: run `flask seals authority`.")
    root, maker = (_party(call, name, certificates[name]) for name in (ROOT, MAKER))
    documents = certificates.get(DOCUMENT_ROOT)
    return Authority(root, maker, _party(call, DOCUMENT_ROOT, documents) if documents else None)


def party_of(call: Call, name: str) -> Party:
    """Return one party of the authority, such as the TIME_STAMPER.

    Raises:
        Problem: unavailable, where it is not set up or its key is not at hand.
    """
    certificate = _certificates(call).get(name)
    if certificate is None:
        raise Problem("unavailable", "The authority is not set up: run `flask seals authority`.")
    return _party(call, name, certificate)


def certify_signer(authority: Authority, owner: Owner, key: PublicKey, *, term: tuple[datetime, datetime]) -> bytes:
    """Return the DER of an owner's certificate for the key of one of his seals, SM2 or P-256.

    A person's certificate has his name and no number: whoever sees his seal has no need of it.

    Raises:
        CertificateError: the owner's name does not fit a certificate.
        Problem: unavailable, for a P-256 key where no root for documents is set up.
    """
    root = authority.root if key.algorithm is Algorithm.SM2 else authority.document_root
    if root is None:
        raise Problem("unavailable", "No root for documents is set up: run `flask seals authority`.")
    unit = [] if owner.credit_code is None else [("O", owner.name)]
    subject, code = [("C", "CN"), *unit, ("CN", owner.name)], owner.credit_code
    return _certify(subject, key, root.sign, issuer=root.certificate, term=term, organization_code=code).der


def certify_party(call: Call, name: str, common_name: str, *, issuer: str = ROOT) -> Certificate:
    """Make a further party under one of the roots, with a key of its own in the ring under `name`.

    Raises:
        Problem: conflict where the name is taken, unavailable.
        CertificateError: a name that does not fit a certificate.
    """
    present = _certificates(call)
    if name in present or issuer not in present:
        raise Problem("conflict", "That name is taken, or the authority is not set up.")
    return _set_up(call, name, Role(common_name, ROLES[issuer].purpose, issuer), present)


def take_in(call: Call, name: str, key: bytes, *, issuer: str = ROOT) -> None:
    """Take in a private key made elsewhere for the party `name`, which `certify_party` then certifies.

    Raises:
        RingError: it is no key of the issuer's kind, or a weak one.
    """
    algorithm, private = read_pkcs8(key)
    purpose = ROLES[issuer].purpose
    if algorithm is not purpose.algorithm:
        raise RingError(f"under this root a key is {purpose.algorithm}")
    call.keys.take_in(name, private, purpose, now=call.now)


def _set_up(call: Call, name: str, role: Role, present: dict[str, Certificate]) -> Certificate:
    begin = call.now.replace(microsecond=0)
    key = _key(call.keys, name, role.purpose, call.now)
    issuer = present[role.issuer] if role.issuer else None
    sign = der_signing(key) if issuer is None else _party(call, role.issuer or "", issuer).sign
    certificate = _certify(
        [("C", "CN"), _ORGANISATION, ("CN", role.common_name)],
        key.public,
        sign,
        issuer=issuer,
        term=(begin, begin + (PARTY_TERM if issuer else ROOT_TERM)),
        ca=issuer is None,
        extended_usage=role.extended_usage,
    )
    row = {"name": name, "certificate": certificate.der, "created_at": call.now}
    call.session.execute(insert(SealAuthority), row)
    audit.record(call, Deed.AUTHORITY_MADE, authority=name)
    if issuer is None:
        trust(call, certificate)
    if name == MAKER:
        permit(call, certificate)
    return certificate


def _certificates(call: Call) -> dict[str, Certificate]:
    rows = call.session.execute(select(SealAuthority.name, SealAuthority.certificate)).all()
    return {name: parse(der) for name, der in rows}


def _party(call: Call, name: str, certificate: Certificate) -> Party:
    purpose = ROLES[name].purpose if name in ROLES else _PURPOSES.get(certificate.key_algorithm, Purpose.SEAL)
    try:
        return Party(certificate, der_signing(call.keys.seal_signer(name, purpose)))
    except RingError:
        raise Problem("unavailable", "The keys of the seal authority are not at hand.") from None


_PURPOSES = {"SM2": Purpose.SEAL, "P-256": Purpose.DOCUMENT}


def _key(ring: KeyRing, name: str, purpose: Purpose, now: datetime) -> Signer:
    """Return the key of that name, new or left by a set-up that did not come to its end."""
    try:
        return ring.seal_signer(name, purpose)
    except RingError:
        ring.new_seal_key(name, purpose, now=now)
        return ring.seal_signer(name, purpose)


def _certify(
    subject: list[tuple[str, str]],
    key: PublicKey,
    sign: Callable[[bytes], bytes],
    *,
    term: tuple[datetime, datetime],
    issuer: Certificate | None = None,
    ca: bool = False,
    organization_code: str | None = None,
    extended_usage: tuple[str, ...] = (),
) -> Certificate:
    point = key.jwk()
    der = issue(
        subject=subject,
        public_key=b"\x04" + unb64u(point["x"]) + unb64u(point["y"]),
        key_algorithm=_CURVES[key.algorithm],
        issuer=issuer,
        sign=sign,
        serial=1 + secrets.randbits(120),
        not_before=term[0],
        not_after=term[1],
        ca=ca,
        key_usage=_CERTIFIES if ca else _SIGNS,
        organization_code=organization_code,
        extended_usage=extended_usage,
    )
    return parse(der)
