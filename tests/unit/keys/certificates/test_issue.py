import subprocess
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from keys import sm2
from keys.certificates import CertificateError, KeyUsage, is_signed_by, parse, to_pem
from tests.unit.keys.certificates.authority import BEGIN, END, certify, root


def run(command: str, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([command, *arguments], cwd=cwd, capture_output=True, text=True, timeout=120, check=False)


def test_openssl_verifies_each_step_of_a_chain(openssl: str, tmp_path: Path) -> None:
    top = root(path_length=1)
    middle = top.issues("演示二级", ca=True, key_usage=[KeyUsage.KEY_CERT_SIGN], path_length=0)
    signer = middle.issues("签章人")
    for name, party in (("top", top), ("middle", middle), ("signer", signer), ("stranger", root())):
        (tmp_path / name).write_text(to_pem(party.certificate.der), encoding="ascii")
    # The command gives the SM2 identity to the certificate it was asked about only, hence one step at a time.
    verify = ["verify", "-vfyopt", "distid:1234567812345678", "-x509_strict", "-partial_chain", "-attime", "1780000000"]
    for issuer, subject, answer in (("top", "middle", 0), ("middle", "signer", 0), ("stranger", "middle", 2)):
        done = run(openssl, *verify, "-trusted", issuer, subject, cwd=tmp_path)
        assert done.returncode == answer, done.stderr


def test_openssl_reads_the_same_facts(openssl: str, tmp_path: Path) -> None:
    top = root()
    signer = top.issues("sealer", organization_code="11330100MB0000000A", serial=0x80FF)
    (tmp_path / "signer").write_text(to_pem(signer.certificate.der), encoding="ascii")
    text = run(openssl, "x509", "-in", "signer", "-noout", "-text", "-nameopt", "RFC2253", cwd=tmp_path).stdout
    for fact in (
        "Version: 3",
        "Serial Number: 33023 (0x80ff)",
        "Signature Algorithm: SM2-with-SM3",
        "ASN1 OID: SM2",
        "Digital Signature, Non Repudiation",
        "CA:FALSE",
        "1.2.156.10260.4.1.4",
        "Not After : Jan  1 00:00:00 2034 GMT",
    ):
        assert fact in text


@pytest.mark.parametrize("usage", list(KeyUsage))
def test_every_key_usage_survives(usage: KeyUsage) -> None:
    assert certify("one", key_usage=[usage]).certificate.key_usage == {usage}


def test_all_key_usages_at_once() -> None:
    assert certify("all", key_usage=list(KeyUsage)).certificate.key_usage == set(KeyUsage)


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC), datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC)),
        (datetime(2050, 1, 1, tzinfo=UTC), datetime(2050, 1, 1, tzinfo=UTC)),
        (datetime(2050, 1, 1, 7, tzinfo=timezone(timedelta(hours=8))), datetime(2049, 12, 31, 23, tzinfo=UTC)),
        (datetime(2040, 1, 1, 0, 0, 0, 999_999, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC)),
    ],
)
def test_times_across_2050(moment: datetime, expected: datetime) -> None:
    assert certify("late", not_after=moment).certificate.not_after == expected


REFUSED: dict[str, dict[str, object]] = {
    "serial 0": {"serial": 0},
    "serial below 0": {"serial": -1},
    "serial of 21 bytes": {"serial": 1 << 159},
    "validity backwards": {"not_before": END, "not_after": BEGIN},
    "naive times": {"not_before": datetime(2024, 1, 1), "not_after": datetime(2025, 1, 1)},  # noqa: DTZ001
    "no name": {"subject": []},
    "unknown part of a name": {"subject": [("E", "a@example.org")]},
    "empty value": {"subject": [("CN", "")]},
    "value too long": {"subject": [("CN", "长" * 65)]},
    "value with a control character": {"subject": [("CN", "a\nb")]},
    "country of three letters": {"subject": [("C", "CHN")]},
    "country not ascii": {"subject": [("C", "中国")]},
    "no key usage": {"key_usage": []},
    "unknown key usage": {"key_usage": ["sealing"]},
    "path length without authority": {"path_length": 1},
    "path length below zero": {"ca": True, "path_length": -1},
    "organisation code not ascii": {"organization_code": "机构"},
    "organisation code too long": {"organization_code": "1" * 65},
}


@pytest.mark.parametrize("facts", REFUSED.values(), ids=REFUSED.keys())
def test_facts_that_make_no_certificate(facts: dict[str, object]) -> None:
    with pytest.raises(CertificateError):
        certify("refused", **facts)


def test_a_key_that_is_not_the_issuers_is_refused() -> None:
    top, other = root(), root()
    with pytest.raises(CertificateError, match="issuer's"):
        type(top)(top.certificate, other.private).issues("signer")
    private, _ = sm2.generate()
    _, public = sm2.generate()
    with pytest.raises(CertificateError, match="issuer's"):
        certify("self-signed with another key", keys=(private, public))


def test_a_public_key_off_the_curve_is_refused() -> None:
    private, public = sm2.generate()
    with pytest.raises(CertificateError):
        certify("off", keys=(private, public[:-1] + bytes([public[-1] ^ 1])))


def test_the_public_key_may_be_64_bytes() -> None:
    private, public = sm2.generate()
    certificate = certify("short", keys=(private, public[1:])).certificate
    assert certificate.public_key == public
    assert is_signed_by(certificate, certificate)
    assert parse(certificate.der) == certificate


def test_the_names_of_a_service_are_stated(openssl: str, tmp_path: Path) -> None:
    party = certify("service", dns_names=("one.demo.example", "a.example"))
    (tmp_path / "service").write_text(to_pem(party.certificate.der), encoding="ascii")
    text = run(openssl, "x509", "-in", "service", "-noout", "-ext", "subjectAltName", cwd=tmp_path).stdout
    assert "DNS:a.example, DNS:one.demo.example" in text
    for name in ("One.example", "", "a..b", "-a.example", "a.example\n", "*.example"):
        with pytest.raises(CertificateError):
            certify("service", dns_names=(name,))
