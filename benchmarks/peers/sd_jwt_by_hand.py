"""An SD-JWT with the fewest steps that give a right one: no policy, no foreign input, no error messages."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import time
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

if TYPE_CHECKING:
    from collections.abc import Mapping

_ECDSA = ec.ECDSA(SHA256())
_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class ByHand:
    """Issues and verifies under one key of its own."""

    def __init__(self, issuer: str, vct: str) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._public = self._key.public_key()
        self._head = _b64(b'{"alg":"ES256","kid":"1","typ":"dc+sd-jwt"}')
        self._open = {"iss": issuer, "vct": vct, "iat": int(time.time()), "_sd_alg": "sha-256"}

    def issue(self, claims: Mapping[str, str]) -> str:
        """Return a credential in which every claim can be held back."""
        disclosures = [_b64(_json([_b64(secrets.token_bytes(16)), *claim]).encode()) for claim in claims.items()]
        payload = self._open | {"_sd": sorted(map(_digest, disclosures))}
        signed = f"{self._head}.{_b64(_json(payload).encode())}"
        r, s = decode_dss_signature(self._key.sign(signed.encode(), _ECDSA))
        signature = _b64(r.to_bytes(32, "big") + s.to_bytes(32, "big"))
        return "~".join((f"{signed}.{signature}", *disclosures, ""))

    def verify(self, credential: str) -> dict[str, Any]:
        """Return the claims; InvalidSignature or ValueError where the credential does not hold."""
        jwt, *disclosures, _ = credential.split("~")
        signed, _, signature = jwt.rpartition(".")
        raw = _unb64(signature)
        value = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
        self._public.verify(value, signed.encode(), _ECDSA)
        payload: dict[str, Any] = json.loads(_unb64(signed.partition(".")[2]))
        digests = set(payload.pop("_sd"))
        for disclosure in disclosures:
            if _digest(disclosure) not in digests:
                raise ValueError("a disclosure that was not signed")
            _, name, value = json.loads(_unb64(disclosure))
            payload[name] = value
        return payload


def _digest(disclosure: str) -> str:
    return _b64(hashlib.sha256(disclosure.encode()).digest())


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
