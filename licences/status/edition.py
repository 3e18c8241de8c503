"""One edition of a list in all its forms: Token Status List as JWT and CWT, and the two bitstrings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from licences.status import bitstring, token_list

if TYPE_CHECKING:
    from collections.abc import Collection

    from keys.signer import Signer

PATH: Final = "/status"
AGGREGATION: Final = f"{PATH}/lists"
TTL: Final = 30  # seconds a verifier that is online keeps a list
LIFE: Final = timedelta(days=3)  # a long weekend without a network


@dataclass(frozen=True, slots=True)
class Edition:
    """What stands in list `number` of `issuer` at `moment` (Unix seconds): `entries` are the places not valid.

    `chain` are the certificates (DER) of the key that signs, for readers that know it by them (x5c, x5chain).
    """

    issuer: str
    number: int
    entries: Collection[tuple[int, int]]
    moment: int
    chain: tuple[bytes, ...] = ()

    def files(self, signer: Signer) -> dict[str, bytes]:
        """Return every form, signed, by the name under which it is kept and served below `PATH`."""
        return self.tokens(signer) | {
            name_of(self.number, str(purpose)): self._bitstring(purpose, signer) for purpose in bitstring.Purpose
        }

    def tokens(self, signer: Signer) -> dict[str, bytes]:
        """Return the Token Status List alone, as JWT and as CWT."""
        compressed = token_list.compress(token_list.pack(self.entries))
        stated = token_list.Stated(
            uri_of(self.issuer, self.number), self.moment, self._end, TTL, f"{self.issuer}{AGGREGATION}"
        )
        return {
            name_of(self.number, "jwt"): token_list.to_jwt(
                compressed, stated, signer=signer, chain=self.chain
            ).encode(),
            name_of(self.number, "cwt"): token_list.to_cwt(compressed, stated, signer=signer, chain=self.chain),
        }

    def _bitstring(self, purpose: bitstring.Purpose, signer: Signer) -> bytes:
        return bitstring.to_jwt(
            bitstring.pack(self.entries, purpose),
            uri=uri_of(self.issuer, self.number),
            purpose=purpose,
            issuer=self.issuer,
            issued_at=self.moment,
            expires_at=self._end,
            ttl=TTL,
            signer=signer,
        ).encode()

    @property
    def _end(self) -> int:
        return self.moment + int(LIFE.total_seconds())


def uri_of(issuer: str, number: int) -> str:
    """Return the address of a list: the same for JWT and CWT, and the `sub` of its tokens."""
    return f"{issuer}{PATH}/{number}"


def name_of(number: int, form: str) -> str:
    """Return the name of a list's file: `jwt`, `cwt`, `revocation` or `suspension`."""
    return f"{number}/{form}"
