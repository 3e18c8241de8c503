import os
import random
import warnings
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from keys.certificates import CertificateError, KeyUsage, der, parse, parse_pem, to_pem
from tests.unit.keys.certificates.authority import certify, root

ROOT = root()
SIGNER = ROOT.issues("签章人", organization_code="11330100MB0000000A")
GOOD = SIGNER.certificate.der


def foreign_seals() -> Path:
    folder = os.environ.get("ONA_TEST_VECTORS")
    if not folder:
        pytest.skip("ONA_TEST_VECTORS is not set: the foreign certificates are not here")
    return Path(folder) / "seals"


def by_cryptography(key: object, **names: str) -> x509.Certificate:
    """Return a self-signed certificate that `cryptography` made."""
    name = x509.Name([x509.NameAttribute(getattr(NameOID, short), value) for short, value in names.items()])
    algorithm = None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())  # type: ignore[attr-defined]
        .serial_number(77)
        .not_valid_before(datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC))
        .not_valid_after(datetime(2061, 5, 6, 7, 8, 9, tzinfo=UTC))
        .add_extension(x509.BasicConstraints(ca=True, path_length=3), critical=True)
        .add_extension(x509.KeyUsage(True, False, False, False, True, True, False, False, True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier(b"a" * 20), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier(b"b" * 20, None, None), critical=False)
        .add_extension(x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
    )
    return builder.sign(key, algorithm)  # type: ignore[arg-type]


def rewritten(data: bytes, old: bytes, new: bytes) -> bytes:
    """Return a certificate's TBS and outer SEQUENCE rebuilt with `old` replaced by `new` of any length."""
    tbs, algorithm, signature = der.children(der.read_only(data, der.SEQUENCE))
    assert tbs.content.count(old) == 1, "the test means one place"

    def rebuild(content: bytes) -> bytes:
        if content == old:
            return new
        if old not in content:
            return content
        try:
            parts = der.children(content)
        except der.DERError:
            return content.replace(old, new)
        if any(old in part.raw for part in parts):
            return b"".join(
                new
                if part.raw == old
                else part.raw
                if old not in part.raw
                else der.write(part.tag, rebuild(part.content))
                for part in parts
            )
        return content.replace(old, new)

    return der.write(der.SEQUENCE, der.write(der.SEQUENCE, rebuild(tbs.content)), algorithm.raw, signature.raw)


def test_own_certificate_reads_back() -> None:
    certificate = SIGNER.certificate
    assert certificate.subject == "CN=签章人,O=示例市（演示数据）,C=CN"
    assert certificate.common_name == "签章人"
    assert certificate.issuer == ROOT.certificate.subject
    assert certificate.issuer_der == ROOT.certificate.subject_der
    assert (certificate.key_algorithm, len(certificate.public_key)) == ("SM2", 65)
    assert certificate.key_usage == {KeyUsage.DIGITAL_SIGNATURE, KeyUsage.NON_REPUDIATION}
    assert certificate.is_ca is False
    assert certificate.extensions.organization_code == "11330100MB0000000A"
    assert certificate.extensions.authority_key_id == ROOT.certificate.extensions.subject_key_id
    assert certificate.extensions.unknown_critical == ()


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [
        (ec.generate_private_key(ec.SECP256R1()), "P-256"),
        (ec.generate_private_key(ec.SECP384R1()), "P-384"),
        (rsa.generate_private_key(65537, 2048), "RSA"),
        (ed25519.Ed25519PrivateKey.generate(), "1.3.101.112"),
    ],
    ids=["P-256", "P-384", "RSA", "Ed25519"],
)
def test_agrees_with_cryptography(key: object, algorithm: str) -> None:
    theirs = by_cryptography(key, COUNTRY_NAME="CN", ORGANIZATION_NAME=' #1, "A"+B; <C>\\ ', COMMON_NAME="根 一")
    ours = parse(theirs.public_bytes(Encoding.DER))
    assert ours.subject == theirs.subject.rfc4514_string() == ours.issuer
    assert ours.subject_der == theirs.subject.public_bytes()
    assert ours.serial == theirs.serial_number
    assert (ours.not_before, ours.not_after) == (theirs.not_valid_before_utc, theirs.not_valid_after_utc)
    assert ours.tbs == theirs.tbs_certificate_bytes
    assert ours.signature == theirs.signature
    assert ours.signature_algorithm == theirs.signature_algorithm_oid.dotted_string
    assert ours.key_algorithm == algorithm
    assert ours.key_usage == {
        KeyUsage.DIGITAL_SIGNATURE,
        KeyUsage.KEY_AGREEMENT,
        KeyUsage.KEY_CERT_SIGN,
        KeyUsage.DECIPHER_ONLY,
    }
    extensions = ours.extensions
    assert (extensions.is_ca, extensions.path_length) == (True, 3)
    assert (extensions.subject_key_id, extensions.authority_key_id) == (b"a" * 20, b"b" * 20)
    stated = theirs.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    assert extensions.extended_usage == {usage.dotted_string for usage in stated.value}
    assert (stated.critical, extensions.critical >= {"2.5.29.37"}, extensions.unknown_critical) == (True, True, ())


def test_cryptography_reads_ours() -> None:
    theirs = x509.load_der_x509_certificate(GOOD)
    assert theirs.subject.rfc4514_string() == SIGNER.certificate.subject
    assert theirs.serial_number == SIGNER.certificate.serial
    usage = theirs.extensions.get_extension_for_class(x509.KeyUsage)
    assert (usage.critical, usage.value.digital_signature, usage.value.content_commitment) == (True, True, True)
    assert usage.value.key_cert_sign is False


def test_the_foreign_certificates_read_as_documented() -> None:
    folder = foreign_seals()
    certificates = {
        name: parse_pem((folder / f"{name}.certs.pem").read_bytes()) for name in ("ROOT", "SealBuilder", "USER")
    }
    assert {name: len(found) for name, found in certificates.items()} == {"ROOT": 1, "SealBuilder": 1, "USER": 1}
    (user,) = certificates["USER"]
    assert user.subject == "CN=Test Certificate,L=Hangzhou,ST=Zhejiang,O=OFD R&W,C=CN"
    assert user.issuer == certificates["ROOT"][0].subject
    assert user.serial == 1587479948128
    assert user.not_after == datetime(2022, 4, 21, 14, 39, 8, tzinfo=UTC)
    assert user.key_algorithm == "SM2"


def test_a_default_that_is_written_out_is_tolerated() -> None:
    # 2.5.29.14 subjectKeyIdentifier with `critical FALSE`, as some makers write it
    old = der.write_oid("2.5.29.14")
    assert parse(rewritten(GOOD, old, old + b"\x01\x01\x00")).extensions == SIGNER.certificate.extensions


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b"\x0c\x03abc", "abc"),
        (b"\x14\x02\xe9!", "é!"),
        (b"\x1e\x04\x4e\x2d\x65\x87", "中文"),
        (b"\x13\x02\xd6\xd0", "#1302d6d0"),
        (b"\x04\x01a", "#040161"),
        (b"\x0c\x04a\x00\nb", "a\\00\\0ab"),
        ("\x0c\x05\u202eab".encode(), "\\e2\\80\\aeab"),
    ],
    ids=["utf8", "t61", "bmp", "gbk in a printable string", "octets", "control characters", "direction override"],
)
def test_name_values(value: bytes, text: str) -> None:
    old = der.write(der.UTF8_STRING, "签章人".encode())
    assert parse(rewritten(GOOD, old, value)).subject.startswith(f"CN={text},O=")


REFUSED = {
    "serial of no bytes": (der.write_integer(SIGNER.certificate.serial), b"\x02\x00"),
    "serial of 65 bytes": (der.write_integer(SIGNER.certificate.serial), b"\x02\x41" + b"\x01" * 65),
    "month 13": (b"\x17\x0d240101000000Z", b"\x17\x0d241301000000Z"),
    "time with a space": (b"\x17\x0d240101000000Z", b"\x17\x0d2401 1000000Z"),
    "time without seconds": (b"\x17\x0d240101000000Z", b"\x17\x0b2401010000Z"),
    "time without a zone": (b"\x17\x0d240101000000Z", b"\x17\x0d2401010000000"),
    "local time": (b"\x17\x0d240101000000Z", b"\x17\x112401010000+0800"),
    "point not on the curve": (
        SIGNER.certificate.public_key,
        SIGNER.certificate.public_key[:-1] + bytes([SIGNER.certificate.public_key[-1] ^ 1]),
    ),
    "compressed point": (SIGNER.certificate.public_key, b"\x02" + SIGNER.certificate.public_key[1:33]),
    "an extension twice": (der.write_oid("2.5.29.14"), der.write_oid("2.5.29.15")),
    "boolean that is neither": (b"\x06\x03\x55\x1d\x0f\x01\x01\xff", b"\x06\x03\x55\x1d\x0f\x01\x01\x01"),
    "another algorithm inside": (der.write_oid("1.2.156.10197.1.501"), der.write_oid("1.2.840.10045.4.3.2")),
    "key usage of four bytes": (b"\x03\x02\x06\xc0", b"\x03\x04\x00\x00\x00\x00"),
    "endless identifier": (der.write_oid("2.5.29.14"), b"\x06\x41" + b"\xff" * 64 + b"\x01"),
    "cut identifier": (der.write_oid("2.5.29.14"), b"\x06\x02\x55\x9d"),
}


@pytest.mark.parametrize("change", REFUSED.values(), ids=REFUSED.keys())
def test_structure_that_cannot_be_understood_is_refused(change: tuple[bytes, bytes]) -> None:
    with pytest.raises(CertificateError):
        parse(rewritten(GOOD, *change))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"0",
        b"0\x00",
        b"0\x80",
        GOOD + b"\0",
        GOOD[:-1],
        b"\x30\x80" + GOOD[4:] + b"\0\0",
        b"\x30\x84\x00\x00\x01\x00" + GOOD[4:],
        b"\x30\x88" + b"\xff" * 8,
        b"\x3f\x81\x00",
        b"0\x82" * 5000,
        bytes(40_000),
        GOOD + bytes(40_000),
    ],
    ids=range(13),
)
def test_garbage_is_refused(data: bytes) -> None:
    with pytest.raises(CertificateError):
        parse(data)


def test_deep_nesting_is_refused() -> None:
    nested = b""
    for _ in range(2000):
        nested = der.write(der.SEQUENCE, nested)
    with pytest.raises(CertificateError):
        parse(nested)


def test_mutants_read_or_are_refused_and_never_verify() -> None:
    from keys.certificates import is_signed_by

    rng = random.Random(20518)
    read = 0
    for _ in range(10_000):
        data = bytearray(GOOD)
        for _ in range(rng.choice((1, 1, 1, 2, 5))):
            spot = rng.randrange(len(data))
            kind = rng.randrange(3)
            if kind == 0:
                data[spot] ^= 1 << rng.randrange(8)
            elif kind == 1:
                data[spot] = rng.randrange(256)
            else:
                data[spot : spot + rng.randint(0, 3)] = rng.randbytes(rng.randint(0, 3))
        if bytes(data) == GOOD:
            continue
        try:
            mutant = parse(bytes(data))
        except CertificateError:
            continue
        read += 1
        assert not is_signed_by(mutant, ROOT.certificate), data.hex()
    assert read > 1000, "the mutation is too coarse to reach the signature"


def test_pem_of_several() -> None:
    text = "# anchors\n" + to_pem(ROOT.certificate.der) + "\nsubject=...\n" + to_pem(GOOD)
    assert parse_pem(text) == [ROOT.certificate, SIGNER.certificate] == parse_pem(text.replace("\n", "\r\n").encode())
    assert x509.load_pem_x509_certificate(to_pem(GOOD).encode()).public_bytes(Encoding.DER) == GOOD


BAD_PEM = {
    "none": "hello",
    "empty block": "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
    "cut off": to_pem(GOOD)[:-30],
    "one good, one cut off": to_pem(GOOD) + to_pem(GOOD)[:-30],
    "not base64": to_pem(GOOD).replace("M", "MM", 1),
    "padding inside": to_pem(GOOD).replace("MII", "M=I", 1),
    "too many": to_pem(GOOD) * 300,
    "too large": " " * 1_100_000 + to_pem(GOOD),
    "many beginnings": "-----BEGIN CERTIFICATE-----\n" * 37_000,
    "not ascii": to_pem(GOOD).replace("MII", "中II", 1),
}


@pytest.mark.parametrize("text", BAD_PEM.values(), ids=BAD_PEM.keys())
def test_bad_pem_is_refused(text: str) -> None:
    with pytest.raises(CertificateError):
        parse_pem(text)


def test_reading_warns_of_nothing() -> None:
    zero = rewritten(GOOD, der.write_integer(SIGNER.certificate.serial), b"\x02\x01\x00")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert parse(zero).serial == 0


def test_version_1_has_no_extensions() -> None:
    old = b"\xa0\x03\x02\x01\x02"
    with pytest.raises(CertificateError):
        parse(rewritten(GOOD, old, b""))
    with pytest.raises(CertificateError):
        parse(rewritten(GOOD, old, b"\xa0\x03\x02\x01\x01"))


def test_certify_makes_different_serials() -> None:
    assert certify("a").certificate.serial != certify("b").certificate.serial
