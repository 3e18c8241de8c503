import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from keys import sm2
from keys.certificates import Certificate, is_signed_by, parse, verify_signature
from tests.unit.keys.certificates.authority import BEGIN, END, root

SM2_OID, P256_OID, RSA_OID = "1.2.156.10197.1.501", "1.2.840.10045.4.3.2", "1.2.840.113549.1.1.11"
type_of_key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


def self_signed(key: type_of_key, algorithm: hashes.SHA256 | hashes.SHA384 | hashes.SHA512) -> Certificate:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "self")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 5, BEGIN, END)
    return parse(builder.sign(key, algorithm).public_bytes(Encoding.DER))


P256, RSA = ec.generate_private_key(ec.SECP256R1()), rsa.generate_private_key(65537, 2048)


@pytest.mark.parametrize("key", [P256, ec.generate_private_key(ec.SECP384R1()), RSA], ids=["P-256", "P-384", "RSA"])
@pytest.mark.parametrize("algorithm", [hashes.SHA256(), hashes.SHA384(), hashes.SHA512()], ids=lambda one: one.name)
def test_self_signed_by_cryptography(key: type_of_key, algorithm: hashes.SHA256) -> None:
    certificate = self_signed(key, algorithm)
    assert is_signed_by(certificate, certificate)
    changed = certificate.signature[:-1] + bytes([certificate.signature[-1] ^ 1])
    assert not verify_signature(certificate, certificate.signature_algorithm, certificate.tbs, changed)
    assert not verify_signature(
        certificate, certificate.signature_algorithm, certificate.tbs + b"\0", certificate.signature
    )


def test_a_signature_under_another_algorithm_is_refused() -> None:
    top = root()
    signature = sm2.sign(top.private, b"m")
    assert verify_signature(top.certificate, SM2_OID, b"m", signature)
    for algorithm in (P256_OID, RSA_OID, "1.2.156.10197.501", "1.2.840.113549.1.1.5", ""):
        assert not verify_signature(top.certificate, algorithm, b"m", signature)
    p256 = self_signed(P256, hashes.SHA256())
    assert not verify_signature(p256, SM2_OID, b"m", signature)
    assert not verify_signature(p256, RSA_OID, b"m", P256.sign(b"m", ec.ECDSA(hashes.SHA256())))


def test_weak_rsa_and_sha1_hold_nothing() -> None:
    weak = rsa.generate_private_key(65537, 1024)  # noqa: S505 (weak on purpose)
    certificate = self_signed(weak, hashes.SHA256())
    assert not is_signed_by(certificate, certificate)
    strong = self_signed(RSA, hashes.SHA256())
    sha1, sha256 = hashes.SHA1(), hashes.SHA256()  # noqa: S303 (weak on purpose)
    assert verify_signature(strong, RSA_OID, b"m", RSA.sign(b"m", padding.PKCS1v15(), sha256))
    for oid in ("1.2.840.113549.1.1.5", RSA_OID):
        assert not verify_signature(strong, oid, b"m", RSA.sign(b"m", padding.PKCS1v15(), sha1))


def test_the_issuers_name_counts() -> None:
    key = sm2.generate()
    one, other = root("甲", keys=key), root("乙", keys=key)
    signer = one.issues("签章人").certificate
    assert is_signed_by(signer, one.certificate)
    assert not is_signed_by(signer, other.certificate)
