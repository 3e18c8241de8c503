"""What a request to a wallet keeps encrypted (请求密文): the query, its nonce and state, the key for its answer."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from cryptography.hazmat.primitives.asymmetric import ec

from keys.base64url import b64u
from licences.wallets.presentation.device_response import Session
from licences.wallets.presentation.request import Stated
from licences.wallets.presentation.response import jwk_thumbprint

if TYPE_CHECKING:
    from collections.abc import Mapping

    from idservice.call import Call

_TABLE: Final = "wallet_request"


@dataclass(frozen=True, slots=True)
class Secret:
    """The secrets of one request; `jwk` is the private key for its answer, `return_uri` where the app goes on."""

    query: dict[str, Any]
    client_id: str
    client_name: str
    nonce: str = field(repr=False)
    state: str = field(repr=False)
    jwk: dict[str, str] | None = field(repr=False)
    return_uri: str | None

    def stated(self, response_uri: str) -> Stated:
        """Return what the wallet is told."""
        public = None if self.jwk is None else {name: value for name, value in self.jwk.items() if name != "d"}
        return Stated(
            self.client_id, response_uri, self.nonce, self.state, self.query, public, client_name=self.client_name
        )

    def session(self, response_uri: str) -> Session:
        """Return what presentations must be bound to."""
        thumbprint = None if self.jwk is None else jwk_thumbprint(self.jwk)
        return Session(self.client_id, self.nonce, thumbprint, response_uri)


def new_key() -> dict[str, str]:
    """Return a new P-256 key as a private JWK: for one answer, and gone with it."""
    private = ec.generate_private_key(ec.SECP256R1()).private_numbers()
    point = private.public_numbers
    numbers = {"x": point.x, "y": point.y, "d": private.private_value}
    members = {name: b64u(value.to_bytes(32, "big")) for name, value in numbers.items()}
    return {"kty": "EC", "crv": "P-256", "kid": secrets.token_hex(8), **members}


def seal(call: Call, value: Mapping[str, Any], column: str, code_hash: bytes) -> bytes:
    """Return a value encrypted for its place in the table."""
    text = json.dumps(value, ensure_ascii=False)
    return call.cipher.seal(text.encode(), table=_TABLE, column=column, row=code_hash.hex())


def opened(call: Call, blob: bytes, column: str, code_hash: bytes) -> dict[str, Any]:
    """Return what `seal` was given."""
    found: dict[str, Any] = json.loads(call.cipher.open(blob, table=_TABLE, column=column, row=code_hash.hex()))
    return found
