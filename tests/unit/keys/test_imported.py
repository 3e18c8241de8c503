"""Keys made by openssl are taken in; weak ones, other kinds and what is no key are refused."""

import base64
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from keys import sm2
from keys.errors import RingError
from keys.imported import P256_ORDER, read_pkcs8, refuse_weak
from keys.keyfile import Purpose
from keys.ring import KeyRing
from keys.signer import Algorithm
from keys.sm2_pure import N
from tests.unit.keys.certificates.openssl import OpenSSL

NOW = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.mark.parametrize("form", ["PEM", "DER"])
@pytest.mark.parametrize(("algorithm", "expected"), [("SM2", Algorithm.SM2), ("P-256", Algorithm.ES256)])
def test_keys_by_openssl(openssl: str, tmp_path: Path, algorithm: str, expected: Algorithm, form: str) -> None:
    theirs = OpenSSL(openssl, tmp_path, algorithm)
    certificate = theirs.issue("signer", 3)
    theirs.run("pkcs8", "-topk8", "-nocrypt", "-in", "signer.key", "-outform", form, "-out", "signer.p8")
    for name in ("signer.p8", "signer.key"):
        found, private = read_pkcs8((tmp_path / name).read_bytes())
        assert found is expected
        refuse_weak(found, private)
    ring = KeyRing.open(tmp_path / "keys", create=True)
    purpose = Purpose.SEAL if found is Algorithm.SM2 else Purpose.DOCUMENT
    public = ring.take_in("37160000000001", private, purpose, now=NOW)
    assert certificate.public_key[1:33] == base64.urlsafe_b64decode(public.jwk()["x"] + "=")
    assert ring.seal_signer("37160000000001", purpose).public.kid == public.kid
    with pytest.raises(RingError, match="exists"):
        ring.take_in("37160000000001", private, purpose, now=NOW)


SM2_WEAK = [1, 2, 1 << 64, (1 << 128) - 1, N - 2, N - (1 << 100), int("11" * 32, 16), int("0123" * 16, 16)]


@pytest.mark.parametrize("scalar", SM2_WEAK, ids=lambda scalar: f"{scalar:x}"[:12])
def test_weak_sm2_keys(scalar: int) -> None:
    private = scalar.to_bytes(32, "big")
    text = base64.b64encode(private + sm2.public_key(private)).decode()
    with pytest.raises(RingError, match="weak"):
        refuse_weak(Algorithm.SM2, text)


@pytest.mark.parametrize(
    "scalar", [1, 1 << 90, P256_ORDER - 1, P256_ORDER - (1 << 77)], ids=lambda one: f"{one:x}"[:12]
)
def test_weak_p256_keys(tmp_path: Path, scalar: int) -> None:
    key = ec.derive_private_key(scalar, ec.SECP256R1())
    found, private = read_pkcs8(pem_of(key))
    with pytest.raises(RingError, match="weak"):
        refuse_weak(found, private)
    ring = KeyRing.open(tmp_path / "keys", create=True)
    with pytest.raises(RingError, match="weak"):
        ring.take_in("37160000000001", private, Purpose.DOCUMENT, now=NOW)
    assert ring.list() == ()


def pem_of(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def test_other_kinds_are_refused(openssl: str, tmp_path: Path) -> None:
    rsa = OpenSSL(openssl, tmp_path, "RSA")
    rsa.key("other")
    for data in (
        (tmp_path / "other.key").read_bytes(), pem_of(ec.generate_private_key(ec.SECP384R1())), b"", b"-----BEGIN",
        b"\x30\x03\x02\x01\x00", b"\x30\x0a" + bytes.fromhex("06082a811ccf5501822d"),
    ):  # fmt: skip
        with pytest.raises(RingError):
            read_pkcs8(data)
    for algorithm in (Algorithm.EDDSA, None):
        with pytest.raises(RingError):
            refuse_weak(algorithm, "")
    with pytest.raises(RingError):
        refuse_weak(Algorithm.ES256, "no key")
