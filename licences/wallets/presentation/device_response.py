"""What a wallet shows of an mdoc (移动证件出示): DeviceResponse, ISO/IEC 18013-5:2021 clauses 8.3.2.1.2.2 and 9.1.3.

OpenID4VP 1.0 appendix B.2: one document a presentation, and a signature by the device key over a session transcript
that names verifier, nonce, response key and response address, so that what is shown here is worth nothing elsewhere.
A MAC in place of that signature (deviceMac) needs a session key that this protocol does not make, and is refused.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from keys import cbor, cose
from keys.cbor import Tagged
from keys.signer import Algorithm
from licences.formats import mdoc
from licences.formats.mdoc import MdocError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from keys.signer import PublicKey
    from licences.formats.mdoc import Verified

MAX_RESPONSE: Final = 131_072  # bytes
_ENCODED: Final = 24
_TAGS: Final = frozenset({_ENCODED, 0, 1004})
_PROTECTED: Final = cbor.encode({1: cose.ALGORITHMS[Algorithm.ES256]})
_SIGNATURE_BYTES: Final = 64
_NOTHING: Final = Tagged(_ENCODED, cbor.encode({}))  # devices sign no elements of their own for us


class DeviceError(ValueError):
    """The response is refused; codes: `too_large malformed status documents device_auth device_signature`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Session:
    """What a presentation is bound to; `thumbprint` is that of the response key, None where nothing is encrypted."""

    client_id: str
    nonce: str
    thumbprint: bytes | None
    response_uri: str

    def transcript(self) -> list[object]:
        """Return the SessionTranscript (appendix B.2.6.1)."""
        info = cbor.encode([self.client_id, self.nonce, self.thumbprint, self.response_uri])
        return [None, None, ["OpenID4VPHandover", hashlib.sha256(info).digest()]]


def to_be_signed(session: Session, doc_type: str) -> bytes:
    """Return the Sig_structure over the detached DeviceAuthentication (clause 9.1.3.4)."""
    authentication = cbor.encode(["DeviceAuthentication", session.transcript(), doc_type, _NOTHING])
    return cose.to_be_signed(_PROTECTED, cbor.encode(Tagged(_ENCODED, authentication)))


def verify(
    data: bytes, session: Session, keys: Iterable[PublicKey], certified: Callable[[bytes], bytes | None]
) -> Verified:
    """Return what the one document of a response says if one of `keys` issued it and its device signed for `session`.

    Whatever the day: see `Verified.validity`.

    Raises:
        DeviceError: the response, or the device's signature.
        MdocError: the document, as `mdoc.authenticate`.
    """
    document = _document(data)
    doc_type, issued = document["docType"], document["issuerSigned"]
    found = mdoc.authenticate(cbor.encode(issued), keys, certified)
    if found.doc_type != doc_type:
        raise MdocError("bad_payload")
    _check_device(document["deviceSigned"], session, found)
    return found


def _document(data: bytes) -> dict[cbor.Key, cbor.Value]:
    if len(data) > MAX_RESPONSE:
        raise DeviceError("too_large")
    try:
        top = cbor.decode(data, max_bytes=MAX_RESPONSE, tags=_TAGS, any_order=True)
    except cbor.CBORError:
        raise DeviceError("malformed") from None
    if not isinstance(top, dict) or not {"version", "status"} <= top.keys() <= {"version", "status", "documents"}:
        raise DeviceError("malformed")
    if (top["version"], top["status"]) != ("1.0", 0):
        raise DeviceError("status")
    documents = top.get("documents")
    if not isinstance(documents, list) or len(documents) != 1:
        raise DeviceError("documents")
    (document,) = documents
    if not isinstance(document, dict) or document.keys() != {"docType", "issuerSigned", "deviceSigned"}:
        raise DeviceError("malformed")
    return document


def _check_device(signed: cbor.Value, session: Session, found: Verified) -> None:
    """Check that the device whose key the issuer signed has signed for this session, and nothing else besides."""
    if not isinstance(signed, dict) or signed.keys() != {"nameSpaces", "deviceAuth"}:
        raise DeviceError("malformed")
    authentication = signed["deviceAuth"]
    if signed["nameSpaces"] != _NOTHING:
        raise DeviceError("device_auth")
    if not isinstance(authentication, dict) or authentication.keys() != {"deviceSignature"}:
        raise DeviceError("device_auth")
    parts = authentication["deviceSignature"]
    if not isinstance(parts, list) or len(parts) != 4:
        raise DeviceError("malformed")
    protected, unprotected, payload, signature = parts
    if (protected, unprotected, payload) != (_PROTECTED, {}, None):
        raise DeviceError("device_auth")
    if not isinstance(signature, bytes) or len(signature) != _SIGNATURE_BYTES:
        raise DeviceError("malformed")
    if not found.device_key.verify(to_be_signed(session, found.doc_type), signature):
        raise DeviceError("device_signature")
