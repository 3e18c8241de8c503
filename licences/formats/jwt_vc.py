"""A licence as W3C Verifiable Credential (可验证凭证): data model 2.0, secured by JOSE (`vc+jwt`, VC-JOSE-COSE).

The credential itself is the payload of the JWT; nothing of it can be held back, so its holder gives it to whom he
would give the paper. The context names the terms of this house by `@vocab`, so that no reader has to fetch one of ours.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Final

from keys import jws
from keys.verdict import Reason
from licences.formats.refusal import FormatError
from licences.lifecycle import CHINA_STANDARD_TIME

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from keys.signer import PublicKey, Signer
    from licences.metadata import Metadata

TYPE: Final = "vc+jwt"
CONTENT_TYPE: Final = "vc"
MAX_CREDENTIAL: Final = 65_536  # characters
CONTEXT: Final = "https://www.w3.org/ns/credentials/v2"
KIND: Final = "VerifiableCredential"
_LICENCE: Final = "ElectronicLicence"
TYPES: Final = (KIND, _LICENCE)
_PURPOSES: Final = ("revocation", "suspension")
_SCHEMA: Final = frozenset({"@context", "id", "type", "issuer", "validFrom", "credentialSubject"})

_REASONS = {
    "unknown_key": Reason.ISSUER_UNKNOWN,
    "issuer": Reason.ISSUER_UNKNOWN,
    "signature": Reason.SIGNATURE_INVALID,
    "algorithm": Reason.SIGNATURE_INVALID,
    "wrong_type": Reason.FORMAT_UNKNOWN,
    "bad_payload": Reason.FORMAT_UNKNOWN,
}


class CredentialError(FormatError):
    """The credential is refused; codes: those of `keys.jws.JWSError`, and `issuer`."""

    reasons = _REASONS


def build(metadata: Metadata, *, issuer: str, status: tuple[str, int] | None = None) -> dict[str, Any]:
    """Return the credential of a licence.

    `issuer` is scheme and host; `status` the address of the status lists and the index of this copy in them: one of
    them says what was revoked, one what is suspended (Bitstring Status List v1.0).
    """
    subject: dict[str, Any] = {
        "licenceIdentifier": metadata.identifier,
        "licenceName": metadata.type_name,
        "licenceNumber": metadata.number,
        "holder": [{"name": holder.name, "number": holder.code} for holder in metadata.holders],
        "face": dict(metadata.surface),
        "demonstration": metadata.demonstration,
    }
    found: dict[str, Any] = {
        "@context": [CONTEXT, {"@vocab": f"{issuer}/credentials/terms#"}],
        "id": f"{issuer}/v1/licences/{metadata.identifier}",
        "type": list(TYPES),
        "issuer": {"id": issuer, "name": metadata.issuer.name, "code": metadata.issuer.code},
        "validFrom": _begin_of(metadata.valid_from),
        "credentialSubject": subject,
    }
    if metadata.valid_until is not None:
        found["validUntil"] = _begin_of(metadata.valid_until + timedelta(days=1))
    if status is not None:
        found["credentialStatus"] = [_status(*status, purpose) for purpose in _PURPOSES]
    return found


def sign(credential: Mapping[str, Any], *, signer: Signer) -> str:
    """Return the credential as compact JWS; its header says `typ` vc+jwt and `cty` vc."""
    return jws.encode(credential, signer=signer, typ=TYPE, headers={"cty": CONTENT_TYPE})


def authenticate(token: str, *, keys: Mapping[str, PublicKey], issuer: str) -> dict[str, Any]:
    """Return the credential if `issuer` signed it, whatever the day; raises `CredentialError`."""
    try:
        found = jws.decode(token, keys=keys, typ=TYPE, max_bytes=MAX_CREDENTIAL).payload
    except jws.JWSError as error:
        raise CredentialError(error.code) from None
    said = found.get("issuer")
    if not found.keys() >= _SCHEMA or not isinstance(said, dict) or found["type"] != list(TYPES):
        raise CredentialError("bad_payload")
    if said.get("id") != issuer:
        raise CredentialError("issuer")
    return found


def reference_of(credential: Mapping[str, Any]) -> dict[str, Any]:
    """Return where a credential's status is to be read, as the claim `status` of the other forms says it."""
    stated = (credential.get("credentialStatus") or [{}])[0]
    uri, index = str(stated.get("statusListCredential", "")).rpartition("/")[0], str(stated.get("statusListIndex", ""))
    return {"status_list": {"uri": uri, "idx": int(index) if index.isdecimal() else None}}


def _begin_of(day: date) -> str:
    """Return the first moment of a day in China, where the days of licences are counted."""
    return datetime.combine(day, time(), CHINA_STANDARD_TIME).isoformat()


def _status(uri: str, index: int, purpose: str) -> dict[str, str]:
    address = f"{uri}/{purpose}"
    return {
        "id": f"{address}#{index}",
        "type": "BitstringStatusListEntry",
        "statusPurpose": purpose,
        "statusListIndex": str(index),
        "statusListCredential": address,
    }
