"""DPoP proofs (持有密钥证明): RFC 9449 sections 4.3, 8 and 11.

A proof is a signed note "I, with this key, send this request now". It is good for one method, one address, one token
and one minute, and only with a nonce of ours in it, so that nobody makes proofs ahead. The nonce is kept nowhere: it is
the time, under a secret of ours.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from idservice.oauth.confirmation import DPOP, Key
from keys.base64url import b64u
from keys.jws import JWSError, decode_with_own_key
from keys.signer import thumbprint

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

ALGORITHMS = ("ES256", "EdDSA", "PS256")
TYPE = "dpop+jwt"
WINDOW = timedelta(seconds=60)  # by how much `iat` may lie before or after our clock
NONCE_SECONDS = 120  # a nonce is taken for one to two of these
MAX_PROOF = 8192
MAX_JTI = 256

_PORTS = {"https": 443, "http": 80}


class ProofRefused(Exception):
    """The proof does not hold; `description` may be told to the sender."""

    code = "invalid_dpop_proof"

    def __init__(self, description: str) -> None:
        super().__init__(description)
        self.description = description


class NonceNeeded(ProofRefused):
    """The proof holds but for the nonce: the sender repeats the request with the one he is given."""

    code = "use_dpop_nonce"


@dataclass(frozen=True, slots=True)
class Proof:
    """A proof that holds. Whether it was sent before is not known yet."""

    key: Key
    jti: str
    expires_at: datetime


def check(
    text: str,
    *,
    method: str,
    urls: Collection[str],
    now: datetime,
    secrets: Iterable[bytes],
    access_token: str | None = None,
) -> Proof:
    """Return what `text` proves.

    Args:
        text: the DPoP header.
        method: of the request.
        urls: the addresses the request may have been sent to, without query.
        now: this instant.
        secrets: from which nonces are made, or were made before a rotation.
        access_token: that comes with it at a resource.

    Raises:
        ProofRefused: with the reason.
        NonceNeeded: everything else holds.
    """
    try:
        decoded, public = decode_with_own_key(text, typ=TYPE, max_bytes=MAX_PROOF)
    except JWSError as error:
        raise ProofRefused(f"The DPoP proof is refused: {error.code}.") from None
    claims = decoded.payload
    jti = claims.get("jti")
    if not isinstance(jti, str) or not 0 < len(jti) <= MAX_JTI:
        raise ProofRefused("jti is missing or too long.")
    if claims.get("htm") != method:
        raise ProofRefused("htm is not the method of this request.")
    if _plain(claims.get("htu")) not in {_plain(url) for url in urls}:
        raise ProofRefused("htu is not the address of this request.")
    _in_time(claims, now)
    if access_token is not None and not _is_same(claims.get("ath"), _hash(access_token)):
        raise ProofRefused("ath is not the hash of the access token.")
    if not nonce_holds(secrets, claims.get("nonce"), now):
        raise NonceNeeded("Send the request again with the nonce of the DPoP-Nonce header.")
    key = Key(DPOP, b64u(thumbprint(public.members)))
    return Proof(key, jti, datetime.fromtimestamp(claims["iat"], now.tzinfo) + WINDOW)


def nonce(secret: bytes, now: datetime, *, back: int = 0) -> str:
    """Return the nonce of this time, or of `back` rotations ago."""
    window = int(now.timestamp()) // NONCE_SECONDS - back
    return b64u(hmac.digest(secret, f"dpop nonce|{window}".encode(), "sha256")[:18])


def nonce_holds(secrets: Iterable[bytes], found: Any, now: datetime) -> bool:
    """Return whether `found` is the present nonce or the one before, by any of the secrets."""
    return any(_is_same(found, nonce(secret, now, back=back)) for secret in secrets for back in (0, 1))


def _in_time(claims: dict[str, Any], now: datetime) -> None:
    issued, moment, window = claims.get("iat"), now.timestamp(), WINDOW.total_seconds()
    if issued is None or not moment - window <= issued <= moment + window:
        raise ProofRefused("iat is missing or not of this minute.")
    if claims.get("exp", moment + 1) <= moment or claims.get("nbf", moment) > moment + window:
        raise ProofRefused("The DPoP proof is expired or not yet valid.")


def _plain(url: object) -> tuple[str, str, int | None, str] | None:
    """Return scheme, host, port and path of a URL: equal where two URLs are (RFC 3986 section 6.2), query aside."""
    if not isinstance(url, str) or len(url) > 2048:
        return None
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme)
    except ValueError:
        return None
    if parts.username is not None or not parts.hostname:
        return None
    return parts.scheme, parts.hostname, port, unquote(parts.path) or "/"


def _hash(access_token: str) -> str:
    return b64u(hashlib.sha256(access_token.encode()).digest())


def _is_same(found: object, expected: str) -> bool:
    return isinstance(found, str) and hmac.compare_digest(found.encode(), expected.encode())
