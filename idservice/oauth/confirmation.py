"""The key a token is bound to (绑定密钥): the `cnf` claim of RFC 7800 section 3.1.

By DPoP (RFC 9449 section 6.1) it is the thumbprint of a public key, by mutual TLS (RFC 8705 section 3.1) that of a
certificate. Whoever has the token alone has nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

DPOP: Final = "jkt"
TLS: Final = "x5t#S256"


@dataclass(frozen=True, slots=True)
class Key:
    """A key whose holder was proven to be the sender of a request."""

    method: str  # DPOP or TLS
    thumbprint: str

    @property
    def claim(self) -> dict[str, str]:
        """Return the value of `cnf`."""
        return {self.method: self.thumbprint}

    @property
    def text(self) -> str:
        """Return method and thumbprint as one text, as a row keeps them."""
        return f"{self.method}:{self.thumbprint}"

    @property
    def token_type(self) -> str:
        """Return the `token_type` of a token bound to the key: only DPoP changes how it is sent."""
        return "DPoP" if self.method == DPOP else "Bearer"


def claim_of(text: str) -> dict[str, str]:
    """Return the value of `cnf` for what a row keeps."""
    method, _, thumbprint = text.partition(":")
    return {method: thumbprint}
