"""Certificates of the keys with which this house signs to strangers (凭证签发与核验证书): under the root for documents.

A reader that knows no key set of ours finds the key by certificate (x5chain, x5c). Each key gets its certificate when
it is needed first and keeps it; the private key stays where it is, in the ring under its own purpose.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from idservice import audit
from idservice.db import add_if_new
from keys.base64url import unb64u
from keys.certificates import Certificate, KeyUsage, issue, parse
from seals.authority import DOCUMENT_ROOT, PARTY_TERM, party_of
from seals.deeds import Deed
from seals.models import SealAuthority

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from idservice.call import Call
    from keys.signer import PublicKey


@dataclass(frozen=True, slots=True)
class Use:
    """What a certificate of the house is for: its name in the register, the name it bears, its extended key usage."""

    prefix: str
    common_name: str
    extended_usage: str


#: A signer of mdocs: ISO/IEC 18013-5:2021 annex B.1.4.
CREDENTIALS: Final = Use("signer-", "一号通行演示凭证签发 Demonstration Credential Signer", "1.0.18013.5.1.2")
#: A reader that asks wallets (mdoc reader authentication): ISO/IEC 18013-5:2021 annex B.1.7.
VERIFIER: Final = Use("verifier-", "一号通行演示核验方 Demonstration Verifier", "1.0.18013.5.1.6")


def certificate_of(
    call: Call, key: PublicKey, use: Use = CREDENTIALS, *, dns_names: tuple[str, ...] = ()
) -> Certificate:
    """Return the certificate of a P-256 key of the house; the first call makes it, and needs a writing transaction.

    `dns_names` are the host names it states, where a wallet is to compare them; they are fixed when it is made.

    Raises:
        Problem: unavailable, where no root for documents is set up.
        CertificateError: a name that is none.
    """
    if (certificate := known(call.session, key, use)) is not None:
        return certificate
    name = f"{use.prefix}{key.kid}"
    root, point, begin = party_of(call, DOCUMENT_ROOT), key.jwk(), call.now.replace(microsecond=0)
    made = issue(
        subject=[("C", "CN"), ("CN", use.common_name)],
        public_key=b"\x04" + unb64u(point["x"]) + unb64u(point["y"]),
        key_algorithm="P-256",
        issuer=root.certificate,
        sign=root.sign,
        serial=1 + secrets.randbits(120),
        not_before=begin,
        not_after=min(begin + PARTY_TERM, root.certificate.not_after),
        ca=False,
        key_usage=frozenset({KeyUsage.DIGITAL_SIGNATURE}),
        extended_usage=(use.extended_usage,),
        dns_names=dns_names,
    )
    if add_if_new(call.session, SealAuthority, {"name": name, "certificate": made, "created_at": call.now}):
        audit.record(call, Deed.AUTHORITY_MADE, authority=name)
    return parse(call.session.get_one(SealAuthority, name).certificate)


def known(session: Session, key: PublicKey, use: Use = CREDENTIALS) -> Certificate | None:
    """Return the certificate of a key of the house where it was made before."""
    found = session.get(SealAuthority, f"{use.prefix}{key.kid}")
    return None if found is None else parse(found.certificate)
