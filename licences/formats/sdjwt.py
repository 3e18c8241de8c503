"""A licence as SD-JWT VC (可选择披露的电子证照凭证): RFC 9901, and draft-ietf-oauth-sd-jwt-vc-19 for `vct` and `typ`.

Everything but the signature is a function of the record: salts come from a stored 32-byte seed by HMAC, so a row keeps
seed and signature and the very same bytes are built again whenever somebody asks for the credential.

`build` -> sign `signing_input` -> `finish`; `present` leaves disclosures out; `verify` says what is left to read.
A key-binding JWT is refused by name until holders' keys are enrolled: it is never ignored.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC

from keys import jws
from keys.base64url import b64u
from licences.formats.disclosures import (
    DIGESTS,
    HASH,
    HASH_CLAIM,
    MAX_DISCLOSURES,
    SDJWTError,
    digest,
    read,
    refuse_structural_names,
    restore,
    to_json,
    write,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from keys.signer import PublicKey, Signer

__all__ = ["SDJWTError", "Unsigned", "Verified", "authenticate", "build", "finish", "present", "sign", "verify"]

TYPE: Final = "dc+sd-jwt"
MAX_CREDENTIAL: Final = 65_536  # characters
SEED_BYTES: Final = 32

#: The media type until 2024; wallets still hold credentials that carry it.
_ACCEPTED_TYPES: frozenset[str | None] = frozenset({TYPE, "vc+sd-jwt"})
#: Claims that `build` writes itself, and those that SD-JWT VC section 3.2.2.2 wants to stand in the open.
_WRITTEN = frozenset({"iss", "vct", "iat", "exp"})
_OPEN = _WRITTEN | {"nbf", "cnf", "status", "vct#integrity"}
_SALT_BYTES = 16  # RFC 9901 section 9.3: 128 bits
_LEEWAY = 10  # seconds granted to an issuer's clock that runs ahead


@dataclass(frozen=True, slots=True)
class Unsigned:
    """A credential that lacks its signature over `signing_input` (the two first parts of the issuer-signed JWT)."""

    kid: str
    algorithm: str
    signing_input: bytes
    disclosures: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Verified:
    """What a credential says: `claims` with the disclosed ones in place, and which of them were `disclosed`."""

    kid: str
    claims: dict[str, Any]
    disclosed: tuple[str, ...]


def build(
    claims: Mapping[str, Any],
    disclosable: Collection[str],
    *,
    issuer: str,
    vct: str,
    kid: str,
    seed: bytes,
    issued_at: datetime,
    expires_at: datetime | None = None,
    algorithm: str = "ES256",
    chain: Sequence[bytes] = (),
) -> Unsigned:
    """Return the credential to be signed; the same arguments always give the same bytes.

    `disclosable` names the top-level members of `claims` that the holder may hold back. `seed` is 32 secret random
    bytes of this one credential: who knows it can guess hidden values. `chain` (DER certificates, the signer's own
    first, the anchor left out) stands in the header for readers that know no key set of the issuer. Raises `SDJWTError`
    (`seed claim_reserved claim_unknown not_json too_deep`).
    """
    if len(seed) != SEED_BYTES:
        raise SDJWTError("seed")
    hidden = frozenset(disclosable)
    if not claims.keys() >= hidden:
        raise SDJWTError("claim_unknown")
    if not _WRITTEN.isdisjoint(claims) or not _OPEN.isdisjoint(hidden):
        raise SDJWTError("claim_reserved")
    refuse_structural_names(dict(claims))
    salts = HMAC(seed, SHA256())
    disclosures = tuple(write(_salt(salts, name), name, claims[name]) for name in sorted(hidden))
    payload = {name: value for name, value in claims.items() if name not in hidden}
    payload |= {"iss": issuer, "vct": vct, "iat": int(issued_at.timestamp())}
    if expires_at is not None:
        payload["exp"] = int(expires_at.timestamp())
    if disclosures:
        # Sorted by digest, the order tells nothing about which claim is which (RFC 9901 section 4.2.4.1).
        payload |= {HASH_CLAIM: HASH, DIGESTS: sorted(map(digest, disclosures))}
    signing_input = f"{_header(algorithm, kid, tuple(chain))}.{b64u(to_json(payload))}"
    return Unsigned(kid, algorithm, signing_input.encode("ascii"), disclosures)


def finish(unsigned: Unsigned, signature: bytes) -> str:
    """Return the compact credential `jwt~disclosure~...~` with every disclosure, as the holder receives it."""
    jwt = f"{unsigned.signing_input.decode('ascii')}.{b64u(signature)}"
    return "~".join((jwt, *unsigned.disclosures, ""))


def sign(unsigned: Unsigned, signer: Signer) -> str:
    """Sign and finish; raises `SDJWTError("signer")` where the signer is not the one the header names."""
    if (signer.kid, signer.algorithm) != (unsigned.kid, unsigned.algorithm):
        raise SDJWTError("signer")
    return finish(unsigned, signer.sign(unsigned.signing_input))


def present(credential: str, names: Collection[str]) -> str:
    """Return `credential` with the disclosures of `names` alone, for credentials as `build` makes them.

    Raises `SDJWTError` (`form`, `disclosure`, `claim_unknown` where a name is not among the disclosures). Nothing is
    verified here: who shows a credential need not hold the issuer's key.
    """
    jwt, disclosures = _split(credential)
    named: dict[str, str] = {}
    for disclosure in disclosures:
        members = read(disclosure)
        if len(members) != 3 or members[1] in named:
            raise SDJWTError("disclosure")
        named[members[1]] = disclosure
    if not named.keys() >= set(names):
        raise SDJWTError("claim_unknown")
    return "~".join((jwt, *(disclosure for name, disclosure in named.items() if name in names), ""))


def authenticate(credential: str, *, keys: Mapping[str, PublicKey], issuer: str, vct: str | None = None) -> Verified:
    """Return what `credential` says if `issuer` signed it, whatever the day; raises `SDJWTError`.

    `keys` are the issuer's keys by `kid`; `vct` is the expected type where only one will do. A report that is to name
    an expired licence starts here; whoever only wants a yes or no calls `verify`.
    """
    jwt, disclosures = _split(credential)
    try:
        decoded = jws.decode(jwt, keys=keys, typ=_ACCEPTED_TYPES, with_chain=True, max_bytes=MAX_CREDENTIAL)
    except jws.JWSError as error:
        raise SDJWTError(error.code) from None
    payload = decoded.payload
    if payload.get("iss") != issuer:
        raise SDJWTError("issuer")
    found = payload.get("vct")
    if not isinstance(found, str) or not found or (vct is not None and found != vct):
        raise SDJWTError("vct")
    claims, disclosed = restore(payload, disclosures)
    if not _OPEN.isdisjoint(disclosed):
        raise SDJWTError("claim_reserved")
    return Verified(decoded.header["kid"], claims, disclosed)


def verify(
    credential: str, *, keys: Mapping[str, PublicKey], issuer: str, now: datetime, vct: str | None = None
) -> Verified:
    """Return what `credential` says if `issuer` signed it and it is in force at `now`; raises `SDJWTError`.

    `exp` is exact; 10 seconds are granted to `iat` and `nbf` (an issuer's clock that runs ahead).
    """
    found = authenticate(credential, keys=keys, issuer=issuer, vct=vct)
    check_period(found.claims, now=now)
    return found


def check_period(claims: Mapping[str, Any], *, now: datetime) -> None:
    """Check that claims are in force at `now`; raises `SDJWTError` (`expired`, `not_yet_valid`)."""
    moment = now.timestamp()
    if moment >= claims.get("exp", float("inf")):
        raise SDJWTError("expired")
    if any(claims.get(name, moment) > moment + _LEEWAY for name in ("iat", "nbf")):
        raise SDJWTError("not_yet_valid")


def _split(credential: str) -> tuple[str, list[str]]:
    if len(credential) > MAX_CREDENTIAL:
        raise SDJWTError("too_large")
    jwt, *disclosures = credential.split("~", MAX_DISCLOSURES + 2)
    if not disclosures or not jwt or "" in disclosures[:-1] or len(disclosures) > MAX_DISCLOSURES + 1:
        raise SDJWTError("form")
    if disclosures.pop():
        raise SDJWTError("key_binding_unsupported")
    return jwt, disclosures


def _salt(salts: HMAC, name: str) -> str:
    named = salts.copy()  # with the seed's key schedule, which costs more than the name's hash
    named.update(b"sd-jwt salt " + name.encode("utf-8", "surrogatepass"))
    return b64u(named.finalize()[:_SALT_BYTES])


@lru_cache(maxsize=256)
def _header(algorithm: str, kid: str, chain: tuple[bytes, ...]) -> str:
    certificates = {"x5c": [base64.b64encode(der).decode() for der in chain]} if chain else {}  # RFC 7515 section 4.1.6
    return b64u(to_json({"alg": algorithm, "kid": kid, "typ": TYPE, **certificates}))
