"""What a wallet's maker says of the wallet's keys (密钥证明): key attestations, OpenID4VCI 1.0 appendix D.

They are believed from the makers of ONA_WALLET_MAKERS alone, a file with a JWK Set: who signed is found by `kid`, never
by what an attestation brings. Without such a file nobody is believed, and what wallets carry along is not looked at.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from keys.jwk import JWKError, parse
from keys.jws import JWSError, decode_with_jwk
from licences.wallets.issuance.refusals import Refusal, WalletRefused

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from idservice.settings import Settings
    from keys.signer import PublicKey

TYPE: Final = "key-attestation+jwt"
MOST_KEYS: Final = 32
_LEEWAY: Final = 60  # seconds by which a maker's clock may run ahead

Makers = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Attested:
    """The keys that a maker says its wallet keeps, and the nonce for which it said so, where it named one."""

    keys: tuple[PublicKey, ...]
    nonce: str | None


def makers(settings: Settings) -> Makers | None:
    """Return the JWK Set of the makers that are believed, None where the settings name none."""
    return None if settings.wallet_makers is None else _read(settings.wallet_makers)


def verify(text: str, believed: Makers, *, now: datetime) -> Attested:
    """Return what an attestation says, if one of the makers signed it and its time is not over.

    Raises:
        WalletRefused: invalid_proof.
    """
    try:
        claims = decode_with_jwk(text, jwks=believed, typ=TYPE).payload
    except JWSError as error:
        raise _refused(f"The key attestation is refused: {error.code}.") from None
    moment = now.timestamp()
    if claims.get("iat", moment + _LEEWAY + 1) > moment + _LEEWAY or claims.get("exp", moment + 1) <= moment:
        raise _refused("The key attestation has no iat, or is not of this time.")
    stated = claims.get("attested_keys")
    if not isinstance(stated, list) or not 0 < len(stated) <= MOST_KEYS:
        raise _refused(f"attested_keys is an array of 1 to {MOST_KEYS} keys.")
    nonce = claims.get("nonce")
    if nonce is not None and not isinstance(nonce, str):
        raise _refused("nonce is a text.")
    return Attested(tuple(_key(jwk) for jwk in stated), nonce)


def _key(jwk: object) -> PublicKey:
    try:
        if isinstance(jwk, dict):
            return parse(jwk)
    except JWKError:
        pass
    raise _refused("attested_keys holds what is no key we take.")


@lru_cache(maxsize=8)
def _read(path: Path) -> Makers:
    found: Makers = json.loads(path.read_text("utf-8"))
    return found


def _refused(description: str) -> WalletRefused:
    return WalletRefused(Refusal.PROOF, description)
