"""Proofs that a wallet holds the keys it wants copies bound to (持有证明): OpenID4VCI 1.0 appendix F.

A proof of type `jwt` is signed by the key in its own header and made for this issuer and for one nonce of ours; where
makers of wallets are believed, it may bring what the maker says of that key. A proof of type `attestation` is the
maker's word alone. All proofs of a request carry the same nonce and different keys: two copies that share a key could
be told to be the same person's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from keys.jws import JWSError, decode_with_own_key
from licences.wallets.issuance import attestations
from licences.wallets.issuance.refusals import Refusal, WalletRefused

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from keys.signer import PublicKey
    from licences.wallets.issuance.attestations import Makers

TYPE: Final = "openid4vci-proof+jwt"
MAX_PROOF: Final = 16_384  # characters: an attestation in its header names all keys of a batch
MOST_SECONDS: Final = 300  # by how much `iat` may lie before or after our clock
BATCH: Final = 10  # copies in one request at most
_ATTESTATION: Final = "key_attestation"


@dataclass(frozen=True, slots=True)
class Terms:
    """What proofs must meet: `issuer` is their `aud`, `client_id` their `iss` if any; `makers` are who is believed."""

    issuer: str
    client_id: str
    now: datetime
    makers: Makers | None = None
    must_be_attested: bool = False  # so a wallet of profile haip, where makers are believed


@dataclass(frozen=True, slots=True)
class Proven:
    """Keys that were proven, in the order of the proofs, and the one nonce of all proofs: not used up yet."""

    keys: tuple[PublicKey, ...]
    nonce: str


def verify(proofs: Sequence[str], terms: Terms) -> Proven:
    """Return the keys that `proofs` of type `jwt`, 1 to `BATCH`, prove.

    Raises:
        WalletRefused: invalid_proof, or invalid_nonce where a proof has none.
    """
    found = [_one(proof, terms) for proof in proofs]
    nonces = {nonce for _key, nonce in found}
    if len(nonces) > 1:
        raise WalletRefused(Refusal.PROOF, "All proofs of a request carry the same nonce.")
    return Proven(_different(key for key, _nonce in found), nonces.pop())


def of_maker(proof: str, terms: Terms) -> Proven:
    """Return the keys that a proof of type `attestation` names.

    Raises:
        WalletRefused: invalid_proof, or invalid_nonce where it has none.
    """
    if terms.makers is None:
        raise WalletRefused(Refusal.PROOF, "No maker of wallets is believed here: prove each key by a jwt.")
    said = attestations.verify(proof, terms.makers, now=terms.now, must_end=False)  # its nonce makes it good for once
    if said.nonce is None:
        raise WalletRefused(Refusal.NONCE, "nonce is missing: get one from the nonce endpoint.")
    if len(said.keys) > BATCH:
        raise WalletRefused(Refusal.PROOF, f"At most {BATCH} keys in one request.")
    return Proven(_different(said.keys), said.nonce)


def _different(keys: Iterable[PublicKey]) -> tuple[PublicKey, ...]:
    found = tuple(keys)
    if len({key.members for key in found}) < len(found):
        raise WalletRefused(Refusal.PROOF, "Two proofs are of the same key: every copy has a key of its own.")
    return found


def _one(proof: str, terms: Terms) -> tuple[PublicKey, str]:
    try:
        decoded, key = decode_with_own_key(
            proof, typ=TYPE, headers=frozenset({_ATTESTATION}), max_bytes=MAX_PROOF, max_header=MAX_PROOF
        )
    except JWSError as error:
        raise WalletRefused(Refusal.PROOF, f"The proof is refused: {error.code}.") from None
    claims = decoded.payload
    if "kid" in decoded.header:
        raise WalletRefused(Refusal.PROOF, "The key stands in jwk: kid must not stand beside it.")
    if claims.get("aud") != terms.issuer:
        raise WalletRefused(Refusal.PROOF, "aud is not the credential issuer.")
    if claims.get("iss", terms.client_id) != terms.client_id:
        raise WalletRefused(Refusal.PROOF, "iss is not the client_id of this wallet.")
    _in_time(claims, terms.now)
    nonce = claims.get("nonce")
    if not isinstance(nonce, str):
        raise WalletRefused(Refusal.NONCE, "nonce is missing: get one from the nonce endpoint.")
    _attested(decoded.header.get(_ATTESTATION), key, nonce, terms)
    return key, nonce


def _attested(said: object, key: PublicKey, nonce: str, terms: Terms) -> None:
    """Refuse a key of which its maker does not say that the wallet keeps it, where makers are believed."""
    if terms.makers is None or (said is None and not terms.must_be_attested):
        return
    if not isinstance(said, str):
        raise WalletRefused(Refusal.PROOF, f"This wallet proves its keys with {_ATTESTATION} in the header.")
    found = attestations.verify(said, terms.makers, now=terms.now)
    if key.members not in {attested.members for attested in found.keys} or found.nonce not in {None, nonce}:
        raise WalletRefused(Refusal.PROOF, "The key attestation is of other keys, or for another nonce.")


def _in_time(claims: dict[str, Any], now: datetime) -> None:
    made, moment = claims.get("iat"), now.timestamp()
    if made is None or not -MOST_SECONDS <= made - moment <= MOST_SECONDS:
        raise WalletRefused(Refusal.PROOF, "iat is missing or not of these minutes.")
    if claims.get("exp", moment + 1) <= moment or claims.get("nbf", moment) > moment + MOST_SECONDS:
        raise WalletRefused(Refusal.PROOF, "The proof is expired or not yet valid.")
