"""Passwords and secrets of a demonstration city, all derived from the root of its charter by HMAC-SHA-256.

Nothing of them is stored, and a city that is opened again has the same ones. Pure.
"""

from __future__ import annotations

import base64
import hmac
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric import ec

from keys.base64url import b64u
from keys.signer import es256_public

if TYPE_CHECKING:
    from licences.demo.charter import Charter

_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # of P-256, FIPS 186-4 D.1.2.3


def password(charter: Charter, number: str) -> str:
    """Return the password of a person: 60 bits as three groups of four letters and digits, easy to type."""
    text = base64.b32encode(_derive(charter, f"password|{number}")).decode().lower()
    return "-".join((text[:4], text[4:8], text[8:12]))


def totp_secret(charter: Charter, number: str) -> str:
    """Return the secret of a person's authenticator app: 160 bits in base32 (RFC 4226 section 4, R6)."""
    return base64.b32encode(_derive(charter, f"totp|{number}")[:20]).decode()


def client_secret(charter: Charter, client_id: str) -> str:
    """Return the secret of a client: 256 bits in base64url."""
    return b64u(_derive(charter, f"client secret|{client_id}"))


def initial_access_token(charter: Charter) -> str:
    """Return the token with which anybody in the demonstration may register an app (RFC 7591)."""
    return b64u(_derive(charter, "initial access token"))


def private_jwk(charter: Charter, client_id: str) -> dict[str, str]:
    """Return the private ES256 key of a client as JWK (RFC 7518 section 6.2.2)."""
    # 512 bits, so that the reduction favours no scalar that anybody could notice.
    wide = b"".join(_derive(charter, f"client key {half}|{client_id}") for half in "ab")
    scalar = 1 + int.from_bytes(wide, "big") % (_ORDER - 1)
    point = ec.derive_private_key(scalar, ec.SECP256R1()).public_key().public_numbers()
    public = es256_public(point.x.to_bytes(32, "big"), point.y.to_bytes(32, "big"))
    return {**public.jwk(), "d": b64u(scalar.to_bytes(32, "big")), "kid": public.kid, "alg": "ES256", "use": "sig"}


def public_jwk(private: dict[str, str]) -> dict[str, str]:
    """Return the public part of a private JWK."""
    return {name: value for name, value in private.items() if name != "d"}


def _derive(charter: Charter, purpose: str) -> bytes:
    return hmac.digest(charter.root, purpose.encode(), "sha256")
