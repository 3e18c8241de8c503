"""A device's answer is bound to verifier, nonce, response key and address: the standard's example, and mutants."""

import hashlib
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import cbor2
import pytest

from keys import cbor
from keys.base64url import unb64u
from keys.signer import Algorithm, generate_private, load_private
from licences.formats import mdoc
from licences.formats.mdoc import MdocError
from licences.wallets.presentation import device_response
from licences.wallets.presentation.device_response import DeviceError, Session
from licences.wallets.presentation.response import jwk_thumbprint
from tests.unit.keys.cases import vector

EXAMPLE = vector("openid4vp/handover.json")
ISSUER, DEVICE = (load_private(Algorithm.ES256, generate_private(Algorithm.ES256)) for _ in range(2))
DOC_TYPE = "urn:test:1"
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
SESSION = Session("x509_hash:a", "n", b"\x01" * 32, "https://v.example/r")
ISSUED = mdoc.build(
    DOC_TYPE,
    {"s": {"name": "王小明", "age": 36}},
    validity=mdoc.Validity(BEGIN, BEGIN, BEGIN + timedelta(days=1)),
    device_key=DEVICE.public,
    chain=[b"certificate"],
    signer=ISSUER,
    salt=partial(secrets.token_bytes, 32),
)
POINT = b"\x04" + b"".join(unb64u(ISSUER.public.jwk()[name]) for name in ("x", "y"))


def verify(data: bytes, session: Session = SESSION) -> mdoc.Verified:
    return device_response.verify(data, session, [ISSUER.public], lambda der: POINT if der == b"certificate" else None)


def answer(session: Session = SESSION, change: Callable[[dict[str, Any]], None] = lambda _top: None) -> bytes:
    """Make a response as a device does; `change` may spoil it."""
    value = DEVICE.sign(device_response.to_be_signed(session, DOC_TYPE))
    signature = [cbor2.dumps({1: -7}), {}, None, value]
    device = {"nameSpaces": cbor2.CBORTag(24, cbor2.dumps({})), "deviceAuth": {"deviceSignature": signature}}
    document = {"docType": DOC_TYPE, "issuerSigned": cbor2.loads(ISSUED), "deviceSigned": device}
    top = {"version": "1.0", "documents": [document], "status": 0}
    change(top)
    return cbor2.dumps(top)


def code_of(data: bytes, session: Session = SESSION) -> str:
    with pytest.raises((DeviceError, MdocError)) as error:
        verify(data, session)
    return error.value.code


def test_the_session_transcript_is_the_standards() -> None:
    assert jwk_thumbprint(EXAMPLE["jwk"]).hex() == EXAMPLE["jwk_thumbprint"]
    session = Session(
        EXAMPLE["client_id"], EXAMPLE["nonce"], bytes.fromhex(EXAMPLE["jwk_thumbprint"]), EXAMPLE["response_uri"]
    )
    assert cbor.encode(session.transcript()).hex() == EXAMPLE["session_transcript"]


def test_what_a_device_signed_for_this_session_is_believed() -> None:
    found = verify(answer())
    assert (found.doc_type, found.elements) == (DOC_TYPE, {"s": {"name": "王小明", "age": 36}})
    assert found.device_key.jwk() == DEVICE.public.jwk()
    assert found.validity == mdoc.Validity(BEGIN, BEGIN, BEGIN + timedelta(days=1))


@pytest.mark.parametrize(
    "session",
    [
        Session("x509_hash:b", SESSION.nonce, SESSION.thumbprint, SESSION.response_uri),
        Session(SESSION.client_id, "m", SESSION.thumbprint, SESSION.response_uri),
        Session(SESSION.client_id, SESSION.nonce, None, SESSION.response_uri),
        Session(SESSION.client_id, SESSION.nonce, b"\x02" * 32, SESSION.response_uri),
        Session(SESSION.client_id, SESSION.nonce, SESSION.thumbprint, "https://v.example/other"),
    ],
)
def test_an_answer_is_worth_nothing_in_another_session(session: Session) -> None:
    assert code_of(answer(session)) == "device_signature"
    verify(answer(session), session)


def spoil(where: str, values: dict[Any, Any]) -> Callable[[dict[str, Any]], None]:
    def change(top: dict[str, Any]) -> None:
        document = top["documents"][0]
        device = document["deviceSigned"]
        signature = device["deviceAuth"]["deviceSignature"]
        place: Any = {"top": top, "document": document, "device": device, "signature": signature}[where]
        for key, value in values.items():
            place[key] = value

    return change


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (spoil("top", {"version": "1.1"}), "status"),
        (spoil("top", {"status": 10}), "status"),
        (spoil("top", {"documentErrors": []}), "malformed"),
        (spoil("top", {"documents": []}), "documents"),
        (lambda top: top["documents"].append(top["documents"][0]), "documents"),
        (spoil("document", {"docType": "urn:test:2"}), "bad_payload"),
        (spoil("document", {"errors": {}}), "malformed"),
        (spoil("device", {"deviceAuth": {"deviceMac": [b"", {}, None, b""]}}), "device_auth"),
        (spoil("device", {"nameSpaces": cbor2.CBORTag(24, cbor2.dumps({"s": {"age": 99}}))}), "device_auth"),
        (spoil("signature", {0: cbor2.dumps({1: -8})}), "device_auth"),
        (spoil("signature", {1: {4: b"kid"}}), "device_auth"),
        (spoil("signature", {2: b"x"}), "device_auth"),
        (spoil("signature", {3: b"\x00" * 64}), "device_signature"),
        (spoil("signature", {3: b""}), "malformed"),
    ],
)
def test_each_spoilt_answer_has_its_code(change: Callable[[dict[str, Any]], None], code: str) -> None:
    assert code_of(answer(change=change)) == code


def test_bytes_that_are_no_answer_are_refused() -> None:
    good = answer()
    assert code_of(b"") == "malformed"
    assert code_of(good + b"\x00") == "malformed"
    assert code_of(b"\x00" * (device_response.MAX_RESPONSE + 1)) == "too_large"
    assert code_of(cbor2.dumps([])) == "malformed"
    for place in range(0, len(good), 7):
        spoilt = good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :]
        with pytest.raises((DeviceError, MdocError)):
            verify(spoilt)


def test_the_detached_content_is_that_of_cose() -> None:
    """What is signed, put together by another writer of CBOR (ISO/IEC 18013-5 clause 9.1.3.4)."""
    info = cbor2.dumps(["x509_hash:a", "n", b"\x01" * 32, "https://v.example/r"])
    transcript = [None, None, ["OpenID4VPHandover", hashlib.sha256(info).digest()]]
    nothing = cbor2.CBORTag(24, cbor2.dumps({}))
    content = cbor2.dumps(cbor2.CBORTag(24, cbor2.dumps(["DeviceAuthentication", transcript, DOC_TYPE, nothing])))
    assert device_response.to_be_signed(SESSION, DOC_TYPE) == cbor2.dumps(
        ["Signature1", cbor2.dumps({1: -7}), b"", content]
    )
