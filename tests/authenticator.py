"""An authenticator in software (Web Authentication Level 3 section 6), and the browser part around it, for the tests.

It keeps to the standard unless told to lie: every member that a relying party must check can be given another value.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from keys.base64url import b64u, unb64u

UP, UV, AT = 0x01, 0x04, 0x40  # section 6.1: user present, user verified, attested credential data


@dataclass
class Authenticator:
    """One passkey: made by `create`, used by `get`."""

    origin: str = "http://localhost:8000"
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    credential_id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    handle: bytes = b""
    count: int = 0

    def create(self, options: str, **lies: Any) -> str:
        """Answer `navigator.credentials.create` (section 5.1.3) as JSON."""
        asked = json.loads(options)
        self.handle = unb64u(asked["user"]["id"])
        data = self._data(lies.get("rp_id", asked["rp"]["id"]), lies.get("flags", UP | UV) | AT)
        data += bytes(16) + len(self.credential_id).to_bytes(2, "big") + self.credential_id + self._cose_key()
        attested = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        client = self._client("webauthn.create", asked["challenge"], lies)
        return self._written({"attestationObject": b64u(attested), "clientDataJSON": b64u(client)})

    def get(self, options: str, **lies: Any) -> str:
        """Answer `navigator.credentials.get` (section 5.1.4) as JSON."""
        asked = json.loads(options)
        self.count = lies.get("count", self.count + 1)
        data = self._data(lies.get("rp_id", asked["rpId"]), lies.get("flags", UP | UV))
        client = self._client(lies.get("type", "webauthn.get"), asked["challenge"], lies)
        signer = lies.get("signer", self.key)
        signature = signer.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        response = {
            "authenticatorData": b64u(data),
            "clientDataJSON": b64u(client),
            "signature": b64u(signature),
            "userHandle": b64u(lies.get("handle", self.handle)),
        }
        return self._written(response)

    def _data(self, rp_id: str, flags: int) -> bytes:
        return hashlib.sha256(rp_id.encode()).digest() + bytes([flags]) + self.count.to_bytes(4, "big")

    def _client(self, kind: str, challenge: str, lies: dict[str, Any]) -> bytes:
        members = {
            "type": kind,
            "challenge": lies.get("challenge", challenge),
            "origin": lies.get("origin", self.origin),
        }
        return json.dumps(members).encode()

    def _cose_key(self) -> bytes:
        point = self.key.public_key().public_numbers()
        return cbor2.dumps({1: 2, 3: -7, -1: 1, -2: point.x.to_bytes(32, "big"), -3: point.y.to_bytes(32, "big")})

    def _written(self, response: dict[str, str]) -> str:
        name = b64u(self.credential_id)
        return json.dumps(
            {"id": name, "rawId": name, "type": "public-key", "clientExtensionResults": {}, "response": response}
        )
