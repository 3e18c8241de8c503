"""A licence as mdoc (移动证件凭证): IssuerSigned of ISO/IEC 18013-5:2021 clause 8.3, and `status` of its 2nd edition.

Every element is an item of its own, salted and digested, so that a holder can hand over some of them. What is signed
is the Mobile Security Object: the digests, the validity and the holder's device key, in a COSE_Sign1 (ES256) whose
unprotected header brings the signer's certificate (x5chain, RFC 9360).

A copy that is downloaded has no device behind it: its device key is one of which nobody keeps the private half, so it
proves what was issued and can open no proximity session. Copies for wallets are built with the wallet's key.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Final

from keys import cbor, cose
from keys.base64url import unb64u
from keys.cbor import Tagged
from keys.signer import Algorithm, KeyMaterialError, es256_public
from keys.verdict import Reason
from licences.formats.refusal import FormatError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from keys.signer import PublicKey, Signer

VERSION: Final = "1.0"
DIGEST: Final = "SHA-256"
MAX_MDOC: Final = 65_536  # bytes
SALT_BYTES: Final = 32
MAX_ITEMS: Final = 128

_ENCODED, _DATE_TIME, _FULL_DATE = 24, 0, 1004  # tags: RFC 8949 section 3.4, RFC 8943
_TAGS: Final = frozenset({_ENCODED, _DATE_TIME, _FULL_DATE})
_ALGORITHM, _CHAIN = 1, 33  # COSE header parameters
_PROTECTED: Final = cbor.encode({_ALGORITHM: cose.ALGORITHMS[Algorithm.ES256]})
_MSO: Final = frozenset({"version", "digestAlgorithm", "valueDigests", "deviceKeyInfo", "docType", "validityInfo"})
_ITEM: Final = frozenset({"digestID", "random", "elementIdentifier", "elementValue"})
_SIGNATURE_BYTES = 64

_REASONS = {
    "signature": Reason.SIGNATURE_INVALID,
    "algorithm": Reason.SIGNATURE_INVALID,
    "unknown_key": Reason.ISSUER_UNKNOWN,
    "digest": Reason.DOCUMENT_ALTERED,
    "bad_payload": Reason.FORMAT_UNKNOWN,
}


class MdocError(FormatError):
    """The document is refused.

    Codes: `too_large malformed header_refused algorithm unknown_key signature digest bad_payload`.
    """

    reasons = _REASONS


@dataclass(frozen=True, slots=True)
class Validity:
    """When an mdoc was signed, and from when until when it holds."""

    signed: datetime
    begins: datetime
    ends: datetime


@dataclass(frozen=True, slots=True)
class Verified:
    """What an mdoc says: its type, by namespace the elements that came with it, its device's key, when it holds."""

    kid: str
    doc_type: str
    elements: dict[str, dict[str, cbor.Value]]
    status: cbor.Value
    device_key: PublicKey
    validity: Validity


def full_date(day: date) -> Tagged:
    """Return a day as mdoc writes it (RFC 8943)."""
    return Tagged(_FULL_DATE, day.isoformat())


def build(
    doc_type: str,
    spaces: Mapping[str, Mapping[str, object]],
    *,
    validity: Validity,
    device_key: PublicKey,
    chain: Sequence[bytes],
    signer: Signer,
    salt: Callable[[], bytes],
    status: tuple[str, int] | None = None,
) -> bytes:
    """Return the encoded IssuerSigned.

    Args:
        doc_type: such as `org.iso.18013.5.1.mDL`.
        spaces: by namespace the elements and their values.
        validity: to the second; fractions are dropped.
        device_key: P-256, of the holder's device.
        chain: DER certificates, the signer's own first.
        signer: ES256; ValueError for any other.
        salt: gives 32 random bytes an item, `secrets.token_bytes` bound to 32.
        status: URI and index of the Token Status List entry.
    """
    if signer.public.algorithm is not Algorithm.ES256 or device_key.algorithm is not Algorithm.ES256:
        raise ValueError("an mdoc is signed with ES256, and so are its devices' answers")
    items = {
        space: [_item(number, name, value, salt()) for number, (name, value) in enumerate(elements.items())]
        for space, elements in spaces.items()
    }
    mso: dict[str, object] = {
        "version": VERSION,
        "digestAlgorithm": DIGEST,
        "valueDigests": {
            space: {number: _digest(item) for number, item in enumerate(encoded)} for space, encoded in items.items()
        },
        "deviceKeyInfo": {"deviceKey": _cose_key(device_key)},
        "docType": doc_type,
        "validityInfo": {
            "signed": _moment(validity.signed),
            "validFrom": _moment(validity.begins),
            "validUntil": _moment(validity.ends),
        },
    }
    if status is not None:
        mso["status"] = {"status_list": {"uri": status[0], "idx": status[1]}}
    payload = cbor.encode(Tagged(_ENCODED, cbor.encode(mso)))
    certificates: object = chain[0] if len(chain) == 1 else list(chain)
    value = signer.sign(cose.to_be_signed(_PROTECTED, payload))
    issuer_auth = [_PROTECTED, {_CHAIN: certificates}, payload, value]
    return cbor.encode(
        {"nameSpaces": {space: list(encoded) for space, encoded in items.items()}, "issuerAuth": issuer_auth}
    )


def authenticate(data: bytes, keys: Iterable[PublicKey], certified: Callable[[bytes], bytes | None]) -> Verified:
    """Return what an mdoc says if one of `keys` signed it, whatever the day; raises `MdocError`.

    `certified` returns the public point (65 bytes) of a DER certificate, None where it is none. The certificate only
    says which of `keys` to try: whoever is trusted is in `keys`.
    """
    top = _opened(data, MAX_MDOC)
    if not isinstance(top, dict) or top.keys() != {"nameSpaces", "issuerAuth"}:
        raise MdocError("malformed")
    key, mso = _signed(top["issuerAuth"], keys, certified)
    if not isinstance(mso, dict) or not _MSO <= mso.keys() <= _MSO | {"status"}:
        raise MdocError("bad_payload")
    doc_type, digests = mso["docType"], mso["valueDigests"]
    if (mso["version"], mso["digestAlgorithm"]) != (VERSION, DIGEST) or not isinstance(doc_type, str):
        raise MdocError("bad_payload")
    elements = _elements(top["nameSpaces"], digests)
    device_key, validity = _device_key(mso["deviceKeyInfo"]), _validity(mso["validityInfo"])
    return Verified(key.kid, doc_type, elements, mso.get("status"), device_key, validity)


def _item(number: int, name: str, value: object, salt: bytes) -> Tagged:
    return Tagged(
        _ENCODED,
        cbor.encode({"digestID": number, "random": salt, "elementIdentifier": name, "elementValue": value}),
    )


def _digest(item: Tagged) -> bytes:
    """Return the digest of an item as it is transmitted, its tag included (clause 9.1.2.5)."""
    return hashlib.sha256(cbor.encode(item)).digest()


def _moment(moment: datetime) -> Tagged:
    return Tagged(_DATE_TIME, moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))


def _cose_key(key: PublicKey) -> dict[int, object]:
    """Return the key as COSE_Key (RFC 9052 section 7): kty EC2, crv P-256."""
    members = key.jwk()
    return {1: 2, -1: 1, -2: unb64u(members["x"]), -3: unb64u(members["y"])}


def _device_key(info: cbor.Value) -> PublicKey:
    """Return the key of the holder's device, as `_cose_key` writes it."""
    key = info.get("deviceKey") if isinstance(info, dict) else None
    if not isinstance(key, dict) or (key.get(1), key.get(-1)) != (2, 1):
        raise MdocError("bad_payload")
    x, y = key.get(-2), key.get(-3)
    try:
        return es256_public(x if isinstance(x, bytes) else b"", y if isinstance(y, bytes) else b"")
    except KeyMaterialError:
        raise MdocError("bad_payload") from None


def _validity(info: cbor.Value) -> Validity:
    """Return the moments that `_moment` wrote."""
    if not isinstance(info, dict):
        raise MdocError("bad_payload")
    moments = [info.get(name) for name in ("signed", "validFrom", "validUntil")]
    try:
        return Validity(*(datetime.strptime(_date_time(one), "%Y-%m-%dT%H:%M:%S%z") for one in moments))
    except ValueError:
        raise MdocError("bad_payload") from None


def _date_time(value: cbor.Value) -> str:
    if not isinstance(value, Tagged) or value.tag != _DATE_TIME or not isinstance(value.value, str):
        raise MdocError("bad_payload")
    return value.value


def _opened(data: bytes, largest: int) -> cbor.Value:
    try:
        return cbor.decode(data, max_bytes=largest, tags=_TAGS)
    except cbor.CBORError:
        raise MdocError("too_large" if len(data) > largest else "malformed") from None


def _inner(value: object) -> cbor.Value:
    """Return what was encoded under tag 24."""
    if not isinstance(value, Tagged) or value.tag != _ENCODED or not isinstance(value.value, bytes):
        raise MdocError("malformed")
    return _opened(value.value, MAX_MDOC)


def _signed(
    parts: cbor.Value, keys: Iterable[PublicKey], certified: Callable[[bytes], bytes | None]
) -> tuple[PublicKey, cbor.Value]:
    """Return the key that signed, and the MSO; the headers hold the algorithm and the chain and nothing else."""
    if not isinstance(parts, list) or len(parts) != 4:
        raise MdocError("malformed")
    protected, unprotected, payload, signature = parts
    if not isinstance(payload, bytes) or not isinstance(signature, bytes) or len(signature) != _SIGNATURE_BYTES:
        raise MdocError("malformed")
    if protected != _PROTECTED or not isinstance(unprotected, dict) or unprotected.keys() != {_CHAIN}:
        raise MdocError("header_refused")
    chain = unprotected[_CHAIN]
    first = chain[0] if isinstance(chain, list) and chain else chain
    point = certified(first) if isinstance(first, bytes) else None
    key = next((key for key in keys if _point(key) == point), None)
    if key is None:
        raise MdocError("unknown_key")
    if key.algorithm is not Algorithm.ES256:
        raise MdocError("algorithm")
    if not key.verify(cose.to_be_signed(_PROTECTED, payload), signature):
        raise MdocError("signature")
    return key, _inner(_opened(payload, MAX_MDOC))


def _point(key: PublicKey) -> bytes:
    members = key.jwk()
    return b"\x04" + unb64u(members["x"]) + unb64u(members["y"])


def _elements(spaces: cbor.Value, digests: cbor.Value) -> dict[str, dict[str, cbor.Value]]:
    """Return the elements, each found in the signed digests; none may come twice."""
    if not isinstance(spaces, dict) or not isinstance(digests, dict):
        raise MdocError("malformed")
    found: dict[str, dict[str, cbor.Value]] = {}
    for space, items in spaces.items():
        listed = digests.get(space)
        if not isinstance(items, list) or len(items) > MAX_ITEMS or not isinstance(listed, dict):
            raise MdocError("digest")
        elements: dict[str, cbor.Value] = {}
        for item in items:
            name, value = _element(item, listed)
            if name in elements:
                raise MdocError("digest")
            elements[name] = value
        found[str(space)] = elements
    return found


def _element(item: cbor.Value, listed: Mapping[cbor.Key, cbor.Value]) -> tuple[str, cbor.Value]:
    members = _inner(item)
    if not isinstance(item, Tagged) or not isinstance(members, dict) or members.keys() != _ITEM:
        raise MdocError("bad_payload")
    number, name = members["digestID"], members["elementIdentifier"]
    if isinstance(number, bool) or not isinstance(number, int) or not isinstance(name, str):
        raise MdocError("bad_payload")
    if listed.get(number) != _digest(item):
        raise MdocError("digest")
    return name, members["elementValue"]
