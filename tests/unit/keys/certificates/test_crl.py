"""Revocation lists: openssl and `cryptography` read ours, we read theirs, and damaged ones are refused."""

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from keys import sm2
from keys.certificates import CertificateError, is_signed_by, read_lists
from keys.certificates.crl import is_list_of, issue_list, parse_list
from tests.unit.keys.certificates.authority import AT, BEGIN, Party, root
from tests.unit.keys.certificates.openssl import OpenSSL

ROOT = root()
DAY = timedelta(days=1)


def list_of(party: Party, *revoked: tuple[int, datetime, str], at: datetime = AT, days: int = 30) -> bytes:
    return issue_list(
        issuer=party.certificate,
        sign=lambda data: sm2.sign(party.private, data),
        number=7,
        this_update=at,
        next_update=at + days * DAY,
        revoked=revoked,
    )


GOOD = list_of(ROOT, (1001, BEGIN + DAY, "keyCompromise"), (5, BEGIN, "superseded"))


@pytest.mark.parametrize("algorithm", ["SM2", "P-256", "RSA"])
def test_lists_by_openssl(openssl: str, tmp_path: Path, algorithm: str) -> None:
    theirs = OpenSSL(openssl, tmp_path, algorithm)
    signer = theirs.issue("signer", 77)
    assert is_signed_by(signer, theirs.root)
    (empty,) = read_lists(theirs.list())
    assert (dict(empty.revoked), is_list_of(empty, theirs.root)) == ({}, True)
    theirs.revoke("signer", "keyCompromise")
    (found,) = read_lists(theirs.list())
    assert (list(found.revoked), found.revoked[77].reason) == ([77], "keyCompromise")
    assert abs(found.revoked[77].since - datetime.now(UTC)) < timedelta(minutes=2)
    assert (found.number, is_list_of(found, theirs.root), is_list_of(found, signer)) == (2, True, False)


def test_openssl_reads_and_verifies_ours(openssl: str, tmp_path: Path) -> None:
    theirs = OpenSSL(openssl, tmp_path, "P-256")
    (tmp_path / "list.der").write_bytes(GOOD)
    said = theirs.run("crl", "-inform", "DER", "-in", "list.der", "-noout", "-text")
    assert "Serial Number: 03E9" in said
    assert "Key Compromise" in said
    assert "Signature Algorithm: SM2-with-SM3" in said


def test_cryptography_reads_ours_and_we_read_theirs() -> None:
    theirs = x509.load_der_x509_crl(GOOD)
    assert {entry.serial_number for entry in theirs} == {1001, 5}
    assert theirs.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number == 7
    key = ec.generate_private_key(ec.SECP256R1())
    entry = (
        x509.RevokedCertificateBuilder(9, BEGIN + 3 * DAY)
        .add_extension(x509.InvalidityDate((BEGIN + DAY).replace(tzinfo=None)), critical=False)
        .build()
    )
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "他人")])
    made = (
        x509.CertificateRevocationListBuilder(name, BEGIN, BEGIN + DAY)
        .add_revoked_certificate(entry)
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.DER)
    )
    ours = parse_list(made)
    assert (ours.issuer, ours.this_update, ours.next_update) == ("CN=他人", BEGIN, BEGIN + DAY)
    assert ours.revoked[9].since == BEGIN + DAY, "stated invalidity is earlier than revocation"


def test_a_delta_list_is_refused() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "他人")])
    made = (
        x509.CertificateRevocationListBuilder(name, BEGIN, BEGIN + DAY)
        .add_extension(x509.DeltaCRLIndicator(1), critical=True)
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.DER)
    )
    with pytest.raises(CertificateError, match=r"2\.5\.29\.27"):
        parse_list(made)


def test_facts_that_make_no_list() -> None:
    with pytest.raises(CertificateError):
        list_of(ROOT, (1, BEGIN, "because"))
    with pytest.raises(CertificateError):
        list_of(ROOT, (1, BEGIN.replace(tzinfo=None), "superseded"))
    with pytest.raises(CertificateError):
        issue_list(
            issuer=ROOT.certificate, sign=lambda data: sm2.sign(root().private, data), number=1,
            this_update=AT, next_update=AT + DAY, revoked=[],
        )  # fmt: skip


@pytest.mark.parametrize("data", [b"", b"\x30\x00", b"-----BEGIN X509 CRL-----", b"x" * 100], ids=len)
def test_what_is_no_list_is_refused(data: bytes) -> None:
    with pytest.raises(CertificateError):
        read_lists(data)


def test_mutants_are_refused_or_not_of_the_issuer() -> None:
    rng = random.Random(5280)
    for _ in range(1_000):
        mutant = bytearray(GOOD)
        mutant[rng.randrange(len(mutant))] ^= 1 << rng.randrange(8)
        try:
            found = parse_list(bytes(mutant))
        except CertificateError:
            continue
        assert not is_list_of(found, ROOT.certificate)


def test_a_long_list_reads_in_time_that_grows_with_it() -> None:
    entries = [(serial, BEGIN, "superseded") for serial in range(1, 5_001)]
    assert len(parse_list(list_of(ROOT, *entries)).revoked) == 5_000
