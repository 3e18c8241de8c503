import base64

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from keys.base64url import b64u, unb64u
from keys.signer import (
    Algorithm,
    KeyMaterialError,
    eddsa_public,
    es256_public,
    generate_private,
    load_private,
    ps256_public,
    sm2_public,
    thumbprint,
)
from tests.unit.keys.cases import vector

VECTORS = vector("jose/signatures.json")
OURS = [Algorithm.ES256, Algorithm.EDDSA, Algorithm.SM2]
P256_N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def pem(key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def test_rfc7515_a3_es256():
    facts = VECTORS["es256"]
    key = es256_public(unb64u(facts["jwk"]["x"]), unb64u(facts["jwk"]["y"]))
    signed, _, signature = facts["token"].rpartition(".")
    assert key.verify(signed.encode(), unb64u(signature))
    assert not key.verify(signed.encode() + b" ", unb64u(signature))
    assert key.jwk() == facts["jwk"]


def test_rfc8037_a4_eddsa():
    facts = VECTORS["eddsa"]
    signer = load_private(Algorithm.EDDSA, pem(ed25519.Ed25519PrivateKey.from_private_bytes(unb64u(facts["seed"]))))
    signed, _, signature = facts["token"].rpartition(".")
    assert b64u(signer.sign(signed.encode())) == signature
    assert signer.public.jwk() == facts["jwk"]
    assert b64u(thumbprint(signer.public.members)) == facts["thumbprint"]
    assert signer.kid == unb64u(facts["thumbprint"])[:8].hex()


@pytest.mark.parametrize("algorithm", OURS)
def test_signs_and_verifies(algorithm):
    signer = load_private(algorithm, generate_private(algorithm))
    signature = signer.sign(b"data")
    assert signer.algorithm == algorithm
    assert signer.kid == signer.public.kid
    assert signer.public.verify(b"data", signature)
    assert not signer.public.verify(b"date", signature)
    assert not load_private(algorithm, generate_private(algorithm)).public.verify(b"data", signature)


@pytest.mark.parametrize("algorithm", OURS)
def test_malformed_signatures_are_false(algorithm):
    signer = load_private(algorithm, generate_private(algorithm))
    signature = signer.sign(b"data")
    for wrong in (b"", b"\0", signature[:-1], signature + b"\0", bytes(64), b"\xff" * 64, bytes(100_000)):
        assert signer.public.verify(b"data", wrong) is False
    for position in range(len(signature)):
        mutant = bytearray(signature)
        mutant[position] ^= 1
        assert signer.public.verify(b"data", bytes(mutant)) is False


def test_es256_is_raw_and_never_der():
    key = ec.generate_private_key(ec.SECP256R1())
    signer = load_private(Algorithm.ES256, pem(key))
    assert all(len(signer.sign(b"data")) == 64 for _ in range(50))
    assert not signer.public.verify(b"data", key.sign(b"data", ec.ECDSA(hashes.SHA256())))


def test_es256_numbers_out_of_range_are_false():
    signer = load_private(Algorithm.ES256, generate_private(Algorithm.ES256))
    good = signer.sign(b"data")
    for number in (0, P256_N, 2**256 - 1):
        assert not signer.public.verify(b"data", number.to_bytes(32, "big") + good[32:])
        assert not signer.public.verify(b"data", good[:32] + number.to_bytes(32, "big"))


@pytest.mark.parametrize("algorithm", OURS)
def test_private_key_is_not_printed(algorithm):
    text = generate_private(algorithm)
    signer = load_private(algorithm, text)
    secret = base64.b64decode(text)[:32].hex() if algorithm is Algorithm.SM2 else text.splitlines()[1]
    assert secret not in f"{signer!r} {signer} {signer.public!r}"
    assert "_sign" not in repr(signer)
    assert "d" not in signer.public.jwk()


@pytest.mark.parametrize("algorithm", OURS)
@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "é",
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        base64.b64encode(bytes(97)).decode(),
        base64.b64encode(bytes(96)).decode(),
        pem(ec.generate_private_key(ec.SECP384R1())),
        pem(rsa.generate_private_key(65537, 2048)),
    ],
    ids=["empty", "text", "not_ascii", "damaged_pem", "zero_pair", "short_pair", "p384", "rsa"],
)
def test_foreign_private_material_is_refused(algorithm, text):
    with pytest.raises(KeyMaterialError):
        load_private(algorithm, text)


def test_no_rsa_key_is_made():
    with pytest.raises(KeyMaterialError):
        generate_private(Algorithm.PS256)


@pytest.mark.parametrize(
    "make",
    [
        lambda: es256_public(bytes(32), bytes(32)),
        lambda: es256_public(b"\xff" * 32, b"\xff" * 32),
        lambda: es256_public(bytes(31), bytes(32)),
        lambda: eddsa_public(bytes(31)),
        lambda: sm2_public(b"\x04" + bytes(64)),
        lambda: sm2_public(b"\x04"),
        lambda: ps256_public(
            rsa.generate_private_key(65537, 1024).public_key()  # noqa: S505 (that it is too short is the point)
        ),
    ],
    ids=["origin", "beyond_the_field", "short", "ed25519_short", "sm2_off_curve", "sm2_short", "rsa_1024"],
)
def test_bad_public_keys_are_refused(make):
    with pytest.raises(KeyMaterialError):
        make()
