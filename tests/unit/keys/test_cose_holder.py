"""The holder's own COSE_Sign1: read back by another implementation, and refused for every change."""

import pytest
from pycose.keys import EC2Key
from pycose.keys.curves import P256
from pycose.messages import Sign1Message

from keys import cbor, cose_holder
from keys.base64url import unb64u
from keys.cose import COSEError
from keys.signer import Algorithm, generate_private, load_private

DEVICE, STRANGER = (load_private(Algorithm.ES256, generate_private(Algorithm.ES256)) for _ in range(2))
CREDENTIAL = b"a credential"


def test_a_key_is_read_back_from_its_compressed_point() -> None:
    for _ in range(8):  # some with an even y, some with an odd one
        key = load_private(Algorithm.ES256, generate_private(Algorithm.ES256)).public
        written = cbor.encode(cose_holder.cose_key(key))
        assert cose_holder.read_key(cbor.decode(written)).members == key.members
        assert len(written) == 42


@pytest.mark.parametrize(
    "change",
    [
        {1: 1},
        {-1: 2},
        {-2: b""},
        {-2: bytes(31)},
        {-2: b"\xff" * 32},  # not below the field's prime
        {-3: b"\x00" * 32},
        {-3: 1},
        {4: b"x"},
    ],
    ids=str,
)
def test_another_key_is_refused(change: dict[int, object]) -> None:
    with pytest.raises(COSEError, match="bad_key"):
        cose_holder.read_key({**cose_holder.cose_key(DEVICE.public), **change})  # type: ignore[arg-type, dict-item]


def test_the_message_is_what_another_implementation_verifies() -> None:
    """pycose, given the credential as external data."""
    jwk = DEVICE.public.jwk()
    signed = cose_holder.sign(b"told", signer=DEVICE, credential=CREDENTIAL)
    message = Sign1Message.from_cose_obj(list(signed), allow_unknown_attributes=True)
    message.key = EC2Key(crv=P256, x=unb64u(jwk["x"]), y=unb64u(jwk["y"]))
    message.external_aad = CREDENTIAL
    assert message.verify_signature()
    assert message.payload == b"told"
    message.external_aad = b"another"
    assert not message.verify_signature()


def test_a_message_stands_for_one_credential_and_one_key() -> None:
    message = cose_holder.sign(b"payload", signer=DEVICE, credential=CREDENTIAL)
    assert cose_holder.verify(message, key=DEVICE.public, credential=CREDENTIAL) == b"payload"  # type: ignore[arg-type]
    for key, credential in ((STRANGER.public, CREDENTIAL), (DEVICE.public, b"another")):
        with pytest.raises(COSEError, match="signature"):
            cose_holder.verify(message, key=key, credential=credential)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("place", "value", "code"),
    [
        (0, cbor.encode({1: -7, 4: b"abcd"}), "header_refused"),
        (0, cbor.encode({1: -65_537}), "header_refused"),
        (1, {1: -7}, "header_refused"),
        (2, "text", "malformed"),
        (3, bytes(63), "malformed"),
        (3, bytes(64), "signature"),
    ],
)
def test_another_form_is_refused(place: int, value: object, code: str) -> None:
    message = cose_holder.sign(b"payload", signer=DEVICE, credential=CREDENTIAL)
    message[place] = value
    with pytest.raises(COSEError, match=code):
        cose_holder.verify(message, key=DEVICE.public, credential=CREDENTIAL)  # type: ignore[arg-type]
    for other in (b"", [], message[:3], {}):
        with pytest.raises(COSEError, match="malformed"):
            cose_holder.verify(other, key=DEVICE.public, credential=CREDENTIAL)  # type: ignore[arg-type]
