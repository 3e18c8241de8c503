"""What a wallet's maker says of the wallet's keys (密钥证明): key attestations, OpenID4VCI 1.0 appendix D.

They are believed from the makers of ONA_WALLET_MAKERS, a file with a JWK Set, where who signed is found by `kid`; and
by certificates they bring (`x5c`, as HAIP 1.0 has it) where these lead to one of ONA_WALLET_MAKER_ANCHORS, a file with
certificates in PEM. Without such files nobody is believed, and what wallets carry along is not looked at.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, Final

from keys.certificates import Certificate, CertificateError, parse_pem, verify_path
from keys.certificates import parse as parse_certificate
from keys.jwk import JWKError, parse
from keys.jws import JWSError, decode_with_chain, decode_with_jwk
from keys.signer import es256_public
from keys.verdict import Result
from licences.wallets.issuance.refusals import Refusal, WalletRefused

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from idservice.settings import Settings
    from keys.jws import Decoded
    from keys.signer import PublicKey

TYPE: Final = "key-attestation+jwt"
MOST_KEYS: Final = 32
_LEEWAY: Final = 60  # seconds by which a maker's clock may run ahead


@dataclass(frozen=True, slots=True)
class Makers:
    """The makers that are believed: their keys as a JWK Set, and the anchors to which their certificates lead."""

    jwks: dict[str, Any]
    anchors: tuple[Certificate, ...] = ()


@dataclass(frozen=True, slots=True)
class Attested:
    """The keys that a maker says its wallet keeps, and the nonce for which it said so, where it named one."""

    keys: tuple[PublicKey, ...]
    nonce: str | None


def makers(settings: Settings) -> Makers | None:
    """Return the makers that are believed, None where the settings name none."""
    if settings.wallet_makers is None and settings.wallet_maker_anchors is None:
        return None
    return _read(settings.wallet_makers, settings.wallet_maker_anchors)


def verify(text: str, believed: Makers, *, now: datetime, must_end: bool = True) -> Attested:
    """Return what an attestation says, if one of the makers signed it and its time is not over.

    `must_end`: it states an end (`exp`), as it must where it stands beside a proof and so may come again and again.

    Raises:
        WalletRefused: invalid_proof.
    """
    try:
        claims = _decoded(text, believed, now).payload
    except JWSError as error:
        raise _refused(f"The key attestation is refused: {error.code}.") from None
    moment = now.timestamp()
    if claims.get("iat", moment + _LEEWAY + 1) > moment + _LEEWAY or claims.get("exp", moment + 1) <= moment:
        raise _refused("The key attestation has no iat, or is not of this time.")
    if must_end and "exp" not in claims:
        raise _refused("The key attestation has no exp: nobody believes it for ever.")
    stated = claims.get("attested_keys")
    if not isinstance(stated, list) or not 0 < len(stated) <= MOST_KEYS:
        raise _refused(f"attested_keys is an array of 1 to {MOST_KEYS} keys.")
    nonce = claims.get("nonce")
    if nonce is not None and not isinstance(nonce, str):
        raise _refused("nonce is a text.")
    return Attested(tuple(_key(jwk) for jwk in stated), nonce)


def _decoded(text: str, believed: Makers, now: datetime) -> Decoded:
    try:
        return decode_with_jwk(text, jwks=believed.jwks, typ=TYPE)
    except JWSError as error:
        if error.code not in {"header_refused", "too_large"} or not believed.anchors:
            raise
    return decode_with_chain(text, typ=TYPE, key_of=partial(_certified, believed.anchors, now))


def _certified(anchors: tuple[Certificate, ...], now: datetime, chain: tuple[bytes, ...]) -> PublicKey | None:
    """Return the key of a chain's first certificate, where it leads to an anchor and is none itself."""
    try:
        leaf, *others = (parse_certificate(der) for der in chain)
    except CertificateError:
        return None
    found = verify_path(leaf, others, anchors, at=now)
    if leaf.subject == leaf.issuer or found.result not in {Result.OK, Result.NOTICE} or leaf.key_algorithm != "P-256":
        return None
    return es256_public(leaf.public_key[1:33], leaf.public_key[33:])


def _key(jwk: object) -> PublicKey:
    try:
        if isinstance(jwk, dict):
            return parse(jwk)
    except JWKError:
        pass
    raise _refused("attested_keys holds what is no key we take.")


@lru_cache(maxsize=8)
def _read(keys: Path | None, anchors: Path | None) -> Makers:
    jwks = {"keys": []} if keys is None else json.loads(keys.read_text("utf-8"))
    return Makers(jwks, () if anchors is None else tuple(parse_pem(anchors.read_bytes())))


def _refused(description: str) -> WalletRefused:
    return WalletRefused(Refusal.PROOF, description)
