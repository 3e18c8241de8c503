"""A signature value alone: made by openssl and by us, over SM2, P-256 and RSA keys."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from keys import sm2
from keys.certificates import Certificate
from seals.check import check_file
from seals.detached import is_value
from seals.report import ExitStatus, Format, SealReport
from tests.unit.keys.certificates.openssl import OpenSSL
from tests.unit.seals.made import DOCUMENT, NOW, City


def judge(city: City, data: bytes, document: bytes | None = DOCUMENT, certificate: Certificate | None = None,
          **facts: object) -> tuple[SealReport, dict[str, str]]:  # fmt: skip
    known = {"anchors": city.anchors, "now": NOW, "certificate": certificate or city.signer.certificate} | facts
    report = check_file(data, document=document, **known)  # type: ignore[arg-type]
    return report, {check.name: str(check.result) for one in report.signatures for check in one.checks}


@pytest.mark.parametrize("algorithm", ["SM2", "P-256", "RSA"])
def test_values_by_openssl(city: City, openssl: str, tmp_path: Path, algorithm: str) -> None:
    theirs = OpenSSL(openssl, tmp_path, algorithm)
    signer = theirs.issue("signer", 5)
    (tmp_path / "document").write_bytes(DOCUMENT)
    theirs.run("dgst", f"-{theirs.digest}", "-sign", "signer.key", *theirs.identity(), "-out", "value", "document")
    data, now = (tmp_path / "value").read_bytes(), datetime.now(UTC)
    report, found = judge(city, data, certificate=signer, anchors=[theirs.root], now=now)
    assert (report.ok, report.format, found["signer_certificate"]) == (True, Format.PLAIN, "ok")
    other, found = judge(city, data, b"another", certificate=signer, anchors=[theirs.root], now=now)
    assert (other.ok, found["signature"], other.reasons) == (False, "fail", ("signature_invalid",))


def test_a_value_by_openssl_under_no_identity_is_a_notice(city: City, openssl: str, tmp_path: Path) -> None:
    theirs = OpenSSL(openssl, tmp_path, "SM2")
    signer = theirs.issue("signer", 5)
    (tmp_path / "document").write_bytes(DOCUMENT)
    theirs.run("dgst", "-sm3", "-sign", "signer.key", "-out", "value", "document")
    data = (tmp_path / "value").read_bytes()
    report, found = judge(city, data, certificate=signer, anchors=[theirs.root], now=datetime.now(UTC))
    assert (found["signature"], report.ok) == ("notice", False)


def test_openssl_verifies_ours(city: City, openssl: str, tmp_path: Path) -> None:
    theirs = OpenSSL(openssl, tmp_path, "SM2")
    from keys.certificates import to_pem

    (tmp_path / "signer.pem").write_text(to_pem(city.signer.der))
    (tmp_path / "document").write_bytes(DOCUMENT)
    (tmp_path / "value").write_bytes(city.signer.sign(DOCUMENT))
    (tmp_path / "key.pem").write_text(theirs.run("x509", "-in", "signer.pem", "-noout", "-pubkey"))
    said = theirs.run("dgst", "-sm3", "-verify", "key.pem", *theirs.identity(), "-signature", "value", "document")
    assert "Verified OK" in said


def test_a_raw_value_is_a_notice(city: City) -> None:
    raw = sm2.signature_to_raw(city.signer.sign(DOCUMENT))
    report, found = judge(city, raw)
    assert (report.format, found["signature"], found["integrity"], report.ok) == (Format.PLAIN, "notice", "ok", False)


def test_without_a_certificate_or_a_document_it_cannot_be_told(city: City) -> None:
    value = city.signer.sign(DOCUMENT)
    report = check_file(value, document=DOCUMENT, anchors=city.anchors, now=NOW)
    assert (report.ok, report.exit_status) == (False, ExitStatus.COULD_NOT_TELL)
    assert judge(city, value, None)[0].format is Format.UNKNOWN


def test_the_certificate_of_somebody_else_does_not_fit(city: City) -> None:
    report, found = judge(city, city.signer.sign(DOCUMENT), certificate=city.stranger.certificate)
    assert (report.ok, found["signature"]) == (False, "fail")


@pytest.mark.parametrize("data", [b"", b"text", bytes(63), b"\x30\x06\x02\x01\x01\x04\x01\x01", bytes(201)], ids=len)
def test_what_is_no_value(data: bytes) -> None:
    assert not is_value(data)
