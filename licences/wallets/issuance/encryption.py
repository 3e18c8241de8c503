"""Answers that only the wallet can read (应答加密): OpenID4VCI 1.0 section 10, JWE (RFC 7516) with ECDH-ES (RFC 7518).

joserfc encrypts; here it is only said what is taken: a P-256 key, key agreement without wrapping, AES-GCM.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from keys.jwk import JWKError, parse
from licences.wallets.issuance.refusals import Refusal, WalletRefused

ALGORITHM: Final = "ECDH-ES"
CIPHERS: Final = ("A256GCM", "A128GCM")
MEDIA_TYPE: Final = "application/jwt"
_MAX_KID: Final = 256
_COORDINATE: Final = 43  # characters of 32 bytes in base64url
METADATA: Final = {
    "alg_values_supported": [ALGORITHM],
    "enc_values_supported": list(CIPHERS),
    "encryption_required": False,
}


@dataclass(frozen=True, slots=True)
class Envelope:
    """For which key an answer is encrypted, and how."""

    jwk: dict[str, str]
    cipher: str

    def close(self, answer: dict[str, Any]) -> str:
        """Return the answer as compact JWE."""
        from joserfc import jwe
        from joserfc.jwk import ECKey

        header = {"alg": ALGORITHM, "enc": self.cipher} | {n: self.jwk[n] for n in ("kid",) if n in self.jwk}
        key = ECKey.import_key({name: self.jwk[name] for name in ("kty", "crv", "x", "y")})
        text: str = jwe.encrypt_compact(header, json.dumps(answer), key, algorithms=[ALGORITHM, *CIPHERS])
        return text


def read(stated: Any) -> Envelope:
    """Return what `credential_response_encryption` asks for.

    Raises:
        WalletRefused: invalid_encryption_parameters.
    """
    jwk = stated.get("jwk") if isinstance(stated, dict) else None
    if not isinstance(jwk, dict) or stated.get("enc") not in CIPHERS or "zip" in stated:
        raise _refused(f"jwk and enc are needed; enc is {' or '.join(CIPHERS)}; zip is not offered.")
    if jwk.get("alg") != ALGORITHM or jwk.get("use", "enc") != "enc":
        raise _refused(f"The alg of the key is {ALGORITHM}, and it is meant for encryption.")
    if (jwk.get("kty"), jwk.get("crv")) != ("EC", "P-256") or "d" in jwk:
        raise _refused("The key is a public one on P-256.")
    members = {name: jwk[name] for name in ("kty", "crv", "x", "y", "kid") if name in jwk}
    sizes = {"x": _COORDINATE, "y": _COORDINATE, "kid": _MAX_KID}
    if not {"x", "y"} <= members.keys() or not all(
        isinstance(members[name], str) and len(members[name]) <= size for name, size in sizes.items() if name in members
    ):
        raise _refused("The key is malformed.")
    _refuse_no_point(members)
    return Envelope(members, stated["enc"])


def _refuse_no_point(members: dict[str, str]) -> None:
    try:
        parse({name: members[name] for name in ("kty", "crv", "x", "y")})
    except JWKError:
        raise _refused("The key is not a point on P-256.") from None


def _refused(description: str) -> WalletRefused:
    return WalletRefused(Refusal.ENCRYPTION, description)
