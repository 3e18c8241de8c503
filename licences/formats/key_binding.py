"""The holder's proof that a credential is his (持有人密钥绑定): key binding of SD-JWT, RFC 9901 section 4.3.

A credential that names its holder's key (`cnf`, RFC 7800) is shown with a JWT signed by that key over what is shown,
for one reader (`aud`) and one question (`nonce`). Without it such a credential proves nothing about who shows it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from keys import jws
from keys.base64url import b64u
from keys.jwk import JWKError, parse
from licences.formats import sdjwt
from licences.formats.disclosures import SDJWTError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from keys.signer import PublicKey, Signer
    from licences.formats.sdjwt import Verified

TYPE: Final = "kb+jwt"
MOST_SECONDS: Final = 300  # a proof older than this was made for another occasion
_LEEWAY: Final = 10  # seconds granted to a telephone's clock that runs ahead


@dataclass(frozen=True, slots=True)
class Asked:
    """What the reader asked for: proofs are for him (`audience`) and answer this one question (`nonce`)."""

    audience: str
    nonce: str


def confirmation(jwk: Mapping[str, Any]) -> dict[str, Any]:
    """Return the claim `cnf` that binds a credential to a holder's public key; raises `SDJWTError("holder_key")`."""
    try:
        return {"jwk": parse(jwk).jwk()}
    except JWKError:
        raise SDJWTError("holder_key") from None


def bind(presentation: str, signer: Signer, asked: Asked, *, now: datetime) -> str:
    """Return `presentation` (issuer-signed JWT and disclosures, ending in `~`) with the holder's proof behind it."""
    proof = {
        "iat": int(now.timestamp()),
        "aud": asked.audience,
        "nonce": asked.nonce,
        "sd_hash": _hash(presentation),
    }
    return presentation + jws.encode(proof, signer=signer, typ=TYPE)


def verify(
    presentation: str,
    asked: Asked,
    *,
    keys: Mapping[str, PublicKey],
    issuer: str,
    now: datetime,
    vct: str | None = None,
) -> Verified:
    """Return what a presentation says if issuer and holder signed it, for this reader and this question, now.

    Raises:
        SDJWTError: those of `authenticate`, `expired` and `not_yet_valid`.
    """
    found = authenticate(presentation, asked, keys=keys, issuer=issuer, now=now, vct=vct)
    sdjwt.check_period(found.claims, now=now)
    return found


def authenticate(
    presentation: str,
    asked: Asked,
    *,
    keys: Mapping[str, PublicKey],
    issuer: str,
    now: datetime,
    vct: str | None = None,
) -> Verified:
    """Return what a presentation says if issuer and holder signed it, though the credential may have run out.

    Raises:
        SDJWTError: those of `sdjwt.authenticate`, and `holder_key` (the credential names none, or none we take),
            `key_binding_missing`, `key_binding` (the proof is not the holder's, or of something else shown),
            `key_binding_audience`, `key_binding_nonce`, `key_binding_time`.
    """
    shown, _, proof = presentation.rpartition("~")
    found = sdjwt.authenticate(f"{shown}~", keys=keys, issuer=issuer, vct=vct)
    if not proof:
        raise SDJWTError("key_binding_missing")
    payload = _proven(proof, found.claims)
    if payload.get("sd_hash") != _hash(f"{shown}~"):
        raise SDJWTError("key_binding")
    if payload.get("aud") != asked.audience:
        raise SDJWTError("key_binding_audience")
    if payload.get("nonce") != asked.nonce:
        raise SDJWTError("key_binding_nonce")
    made = payload.get("iat")
    if made is None or not -MOST_SECONDS <= made - now.timestamp() <= _LEEWAY:
        raise SDJWTError("key_binding_time")
    return found


def holder_key(claims: Mapping[str, Any]) -> PublicKey | None:
    """Return the key to which a credential is bound (`cnf`); None where it names none, or none that we take."""
    cnf = claims.get("cnf")
    jwk = cnf.get("jwk") if isinstance(cnf, dict) else None
    try:
        return parse(jwk) if isinstance(jwk, dict) else None
    except JWKError:
        return None


def _proven(proof: str, claims: Mapping[str, Any]) -> dict[str, Any]:
    """Return the claims of a proof that the holder's key signed."""
    key = holder_key(claims)
    if key is None:
        raise SDJWTError("holder_key")
    try:
        return jws.decode_with_key(proof, key=key, typ=TYPE).payload
    except jws.JWSError:
        raise SDJWTError("key_binding") from None


def _hash(shown: str) -> str:
    """Return `sd_hash`: the digest of everything in front of the proof (RFC 9901 section 4.3.1)."""
    return b64u(hashlib.sha256(shown.encode("ascii")).digest())
