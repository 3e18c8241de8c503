"""COSE_Sign1: the published example, its own round trip, and every way a message can be more than it should."""

import random
from itertools import count
from typing import Any

import pytest

from keys import cbor, cose
from keys.cose import COSEError
from keys.signer import Algorithm, es256_public, generate_private, load_private
from tests.unit.keys.cases import cases, vector

SIGNER = load_private(Algorithm.ES256, generate_private(Algorithm.ES256))
OTHER = load_private(Algorithm.ES256, generate_private(Algorithm.ES256))
ED25519 = load_private(Algorithm.EDDSA, generate_private(Algorithm.EDDSA))
KID = cose.short_kid(SIGNER.public)
MESSAGE = cose.sign(b"content", signer=SIGNER)
HEADER = {1: -7, 4: KID}


def built(header: object, *, unprotected: object = None, extra: tuple[object, ...] = ()) -> bytes:
    protected = header if isinstance(header, bytes) else cbor.encode(header)
    signature = SIGNER.sign(cose.to_be_signed(protected, b"content"))
    return cbor.encode([protected, unprotected or {}, b"content", signature, *extra])


def code_of(message: bytes) -> str:
    with pytest.raises(COSEError) as caught:
        cose.verify(cose.read(message), [SIGNER.public])
    return caught.value.code


@cases(vector("cose/rfc9052.json"))
def test_the_published_signature_holds_over_our_sig_structure(case: dict[str, Any]) -> None:
    fact = {name: bytes.fromhex(case[name]) for name in ("x", "y", "protected", "payload", "signature", "message")}
    key = es256_public(fact["x"], fact["y"])
    signed = cose.to_be_signed(fact["protected"], fact["payload"])
    assert key.verify(signed, fact["signature"])
    assert not key.verify(cose.to_be_signed(fact["protected"], fact["payload"] + b"."), fact["signature"])
    assert code_of(fact["message"]) == "malformed", "a tag is refused"
    assert code_of(fact["message"][1:]) == "header_refused", "so is a key named outside the signature"


def test_what_was_signed_is_read_back() -> None:
    message = cose.read(MESSAGE)
    assert (message.payload, message.kid) == (b"content", KID)
    assert cose.verify(message, [ED25519.public, OTHER.public, SIGNER.public]) is SIGNER.public
    assert len(MESSAGE) == len(b"content") + 79  # one byte more for payloads of 24 to 255 bytes


def test_a_message_without_its_key_or_of_another_is_refused() -> None:
    message = cose.read(MESSAGE)
    for keys in ([], [OTHER.public]):
        with pytest.raises(COSEError) as caught:
            cose.verify(message, keys)
        assert caught.value.code == "unknown_key"


def test_every_key_with_the_short_identifier_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cose, "short_kid", lambda _key: KID)
    message = cose.read(MESSAGE)
    assert cose.verify(message, [OTHER.public, SIGNER.public]) is SIGNER.public
    with pytest.raises(COSEError) as caught:
        cose.verify(message, [OTHER.public])
    assert caught.value.code == "signature"
    with pytest.raises(COSEError) as caught:
        cose.verify(message, [ED25519.public])
    assert caught.value.code == "algorithm", "the algorithm is the key's, never the message's"


def test_only_es256_signs() -> None:
    with pytest.raises(ValueError, match="EdDSA"):
        cose.sign(b"", signer=ED25519)


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (built({1: -8, 4: KID}), "algorithm"),
        (built({1: "ES256", 4: KID}), "algorithm"),
        (built({1: True, 4: KID}), "algorithm"),
        (built({**HEADER, 2: [4]}), "header_refused"),
        (built({**HEADER, 99: 1}), "header_refused"),
        (built({**HEADER, 5: b"iv"}), "header_refused"),
        (built({1: -7}), "header_refused"),
        (built({4: KID}), "header_refused"),
        (built({1: -7, 4: KID.hex()}), "header_refused"),
        (built({1: -7, 4: KID + b"\0"}), "header_refused"),
        (built(b""), "malformed"),
        (built(b"\x80"), "header_refused"),
        (built(bytes.fromhex("a204") + cbor.encode(KID) + bytes.fromhex("0126")), "malformed"),
        (built(HEADER, unprotected={1: -7}), "header_refused"),
        (built(HEADER, extra=(b"",)), "malformed"),
        (MESSAGE + b"\0", "malformed"),
        (MESSAGE[:-1], "malformed"),
        (b"\xd2" + MESSAGE, "malformed"),
        (b"\x98\x04" + MESSAGE[1:], "malformed"),
        (cbor.encode([cbor.encode(HEADER), {}, None, bytes(64)]), "malformed"),
        (cbor.encode([cbor.encode(HEADER), {}, b"content", bytes(63)]), "malformed"),
        (cbor.encode([cbor.encode(HEADER), {}, b"content", bytes(64)]), "signature"),
        (cbor.encode([cbor.encode(HEADER), [], b"content", bytes(64)]), "header_refused"),
        (cbor.encode({}), "malformed"),
        (b"", "malformed"),
        (cose.sign(b"x" * 9_000, signer=SIGNER), "malformed"),
    ],
    ids=count(),
)
def test_a_message_that_is_more_or_less_is_refused(message: bytes, code: str) -> None:
    assert code_of(message) == code


def test_no_mutant_of_a_message_holds() -> None:
    rng = random.Random(9052)
    for _ in range(3_000):
        data = bytearray(MESSAGE)
        for _ in range(rng.randrange(1, 4)):
            place = rng.randrange(len(data))
            change = rng.randrange(3)
            data[place : place + (change != 1)] = (
                rng.randbytes(change != 2) if change else bytes([data[place] ^ 1 << rng.randrange(8)])
            )
        if bytes(data) != MESSAGE:
            code_of(bytes(data))


def test_sm2_is_signed_and_read_as_r_and_s_and_the_key_decides() -> None:
    signer = load_private(Algorithm.SM2, generate_private(Algorithm.SM2))
    message = cose.read(cose.sign(b"content", signer=signer))
    assert (message.algorithm, len(message.signature)) == (Algorithm.SM2, 64)
    assert cbor.decode(message.protected) == {1: -65_537, 4: cose.short_kid(signer.public)}
    assert cose.verify(message, [SIGNER.public, signer.public]) is signer.public
    relabelled = cbor.encode({1: -7, 4: cose.short_kid(signer.public)})
    changed = cose.read(cbor.encode([relabelled, {}, b"content", message.signature]))
    with pytest.raises(COSEError, match="algorithm"):
        cose.verify(changed, [signer.public])
    zero = cose.read(cbor.encode([message.protected, {}, b"content", bytes(64)]))
    with pytest.raises(COSEError, match="signature"):
        cose.verify(zero, [signer.public])
