"""Bitstring Status List v1.0 (W3C Recommendation, 2025): the same statuses for verifiers of W3C credentials.

Section 3.1: one bit for each place, the first at the left, compressed with GZIP, as multibase base64url without
padding. A list has one purpose, so there are two: `revocation` never goes back, `suspension` does. The credential that
carries a list is signed as VC-JWT (`vc+jwt`, Securing Verifiable Credentials using JOSE and COSE).
"""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from keys import jws
from keys.base64url import b64u
from licences.status.token_list import SIZE, Status

if TYPE_CHECKING:
    from collections.abc import Iterable

    from keys.signer import Signer

TYPE: Final = "vc+jwt"


class Purpose(StrEnum):
    """What a set bit means (`statusPurpose`, section 2.2)."""

    REVOCATION = "revocation"
    SUSPENSION = "suspension"


#: Which status sets the bit of which list.
SETS: Final = {Purpose.REVOCATION: Status.INVALID, Purpose.SUSPENSION: Status.SUSPENDED}


def pack(entries: Iterable[tuple[int, int]], purpose: Purpose) -> str:
    """Return the `encodedList` in which the bits of these places (index, value) are set that `purpose` is about."""
    bits = bytearray(SIZE // 8)
    for index, value in entries:
        if value == SETS[purpose]:
            bits[index // 8] |= 0x80 >> index % 8
    return "u" + b64u(gzip.compress(bytes(bits), 9, mtime=0))


def to_jwt(
    encoded: str, *, uri: str, purpose: Purpose, issuer: str, issued_at: int, expires_at: int, ttl: int, signer: Signer
) -> str:
    """Return the BitstringStatusListCredential of a list; `ttl` is in seconds here and in milliseconds on the wire."""
    address = address_of(uri, purpose)
    subject = {
        "id": f"{address}#list",
        "type": "BitstringStatusList",
        "statusPurpose": str(purpose),
        "encodedList": encoded,
        "ttl": ttl * 1000,
    }
    credential = {
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "id": address,
        "type": ["VerifiableCredential", "BitstringStatusListCredential"],
        "issuer": issuer,
        "validFrom": _moment(issued_at),
        "validUntil": _moment(expires_at),
        "credentialSubject": subject,
    }
    return jws.encode(credential, signer=signer, typ=TYPE, headers={"cty": "vc"})


def address_of(uri: str, purpose: Purpose) -> str:
    """Return the address of the bitstring that goes with the token list at `uri`."""
    return f"{uri}/{purpose}"


def _moment(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
