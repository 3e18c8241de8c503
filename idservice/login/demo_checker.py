"""A checker of real persons for demonstrations: it believes whatever the button says, and signs that."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from keys.jws import encode
from keys.ring import Purpose
from keys.signer import SoftwareSigner, eddsa_public

if TYPE_CHECKING:
    from datetime import datetime

    from keys.ring import KeyRing

PATH = "/login/demo-checker"
SECONDS = 300


def signer(ring: KeyRing) -> SoftwareSigner:
    """Return the demonstration's key: the same in every process of the city."""
    seed = hmac.digest(ring.secret(Purpose.SESSION), b"demonstration checker of persons", "sha256")
    key = Ed25519PrivateKey.from_private_bytes(seed)
    return SoftwareSigner(eddsa_public(key.public_key().public_bytes_raw()), key.sign)


def word(ring: KeyRing, *, checker: str, audience: str, nonce: str, who: str, now: datetime) -> str:
    """Return the signed word of a checker that he saw a person, alive."""
    issued = int(now.timestamp())
    payload = {
        "iss": checker,
        "aud": audience,
        "iat": issued,
        "exp": issued + SECONDS,
        "nonce": nonce,
        "alive": True,
        "who": who,
    }
    return encode(payload, signer=signer(ring), typ="ona-proofing+jwt")
