"""SignedData over any file: GB/T 35275 by us, CMS by openssl, whole, changed, detached, untrusted."""

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from keys import sm2
from keys.cms_write import write_signed_data
from seals.check import check_file
from seals.report import ExitStatus, Format, SealReport
from tests.unit.keys.certificates.openssl import OpenSSL
from tests.unit.seals.made import DOCUMENT, NOW, SIGNED_AT, City

Results = dict[str, str]


def judge(city: City, data: bytes, document: bytes | None = None, **facts: object) -> tuple[SealReport, Results]:
    report = check_file(data, document=document, **({"anchors": city.anchors, "now": NOW} | facts))  # type: ignore[arg-type]
    return report, {check.name: str(check.result) for one in report.signatures for check in one.checks}


def signed(city: City, content: bytes = DOCUMENT, **changes: object) -> bytes:
    facts = {"certificate": city.signer.certificate, "sign": city.signer.sign, "gm": True, "signed_at": SIGNED_AT}
    return write_signed_data(content, **{**facts, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize("gm", [True, False])
@pytest.mark.parametrize("detached", [True, False])
def test_what_we_make_holds(city: City, gm: bool, detached: bool) -> None:
    report, found = judge(city, signed(city, gm=gm, detached=detached), DOCUMENT if detached else None)
    assert (report.ok, report.format, report.exit_status) == (True, Format.SIGNED_DATA, ExitStatus.OK)
    assert found == {
        "format": "ok", "signature": "ok", "signer_certificate": "ok", "integrity": "ok", "revocation": "not_checked",
    }  # fmt: skip
    (entry,) = report.as_json()["signatures"]
    assert (entry["signed_at"], entry["signer"]["name"]) == ("2026-03-01T08:00:00Z", "演示市行政审批服务局")
    assert "seal" not in entry


def test_another_document_is_found_out(city: City) -> None:
    for data in (signed(city, detached=True), signed(city)):
        report, found = judge(city, data, b"another")
        assert (report.ok, found["integrity"], report.reasons) == (False, "fail", ("document_altered",))


def test_the_digest_of_a_document_stands_for_it(city: City) -> None:
    """As makers of OFD do: the content is the SM3 of the file, and is hashed once more."""
    data = signed(city, sm2.sm3(DOCUMENT))
    assert judge(city, data, DOCUMENT)[0].ok
    assert not judge(city, data, DOCUMENT + b" ")[0].ok


def test_without_the_document_it_cannot_be_told(city: City) -> None:
    report, found = judge(city, signed(city, detached=True))
    assert (found["signature"], found["integrity"]) == ("ok", "not_checked")
    assert report.exit_status is ExitStatus.COULD_NOT_TELL


def test_a_signer_without_a_known_root_is_not_trusted(city: City) -> None:
    report, found = judge(city, signed(city), anchors=[])
    assert (report.ok, found["signer_certificate"]) == (False, "not_checked")
    assert report.exit_status is ExitStatus.COULD_NOT_TELL


def test_a_certificate_that_is_not_at_hand(city: City) -> None:
    report, found = judge(city, signed(city, with_certificate=False))
    assert (found, report.exit_status) == ({"format": "ok", "signature": "not_checked"}, ExitStatus.COULD_NOT_TELL)
    known, _ = judge(city, signed(city, with_certificate=False), intermediates=[city.signer.certificate])
    assert known.ok


def test_a_time_in_the_future_is_refused(city: City) -> None:
    report, found = judge(city, signed(city, signed_at=NOW + timedelta(hours=1)))
    assert (report.ok, found["timestamp"]) == (False, "fail")


@pytest.mark.parametrize("algorithm", ["P-256", "RSA"])
@pytest.mark.parametrize("options", [["-nodetach"], [], ["-noattr"], ["-nodetach", "-noattr"]], ids=" ".join)
def test_files_signed_with_openssl(
    city: City, openssl: str, tmp_path: Path, algorithm: str, options: list[str]
) -> None:
    theirs = OpenSSL(openssl, tmp_path, algorithm)
    theirs.issue("signer", 9)
    (tmp_path / "document").write_bytes(DOCUMENT)
    theirs.run("cms", "-sign", "-binary", "-in", "document", "-signer", "signer.pem", "-inkey", "signer.key",
               "-outform", "DER", "-out", "signed", *options)  # fmt: skip
    data, now = (tmp_path / "signed").read_bytes(), datetime.now(UTC)
    document = None if "-nodetach" in options else DOCUMENT
    report, found = judge(city, data, document, anchors=[theirs.root], now=now)
    assert (report.ok, found["integrity"], found["signer_certificate"]) == (True, "ok", "ok")
    altered, _ = judge(city, data, DOCUMENT + b".", anchors=[theirs.root], now=now)
    assert (altered.ok, altered.exit_status) == (False, ExitStatus.NO)
    lists = judge(city, data, document, anchors=[theirs.root], now=now, lists=[])[1]
    assert lists["revocation"] == "not_checked"


@pytest.mark.parametrize(
    "data", [b"\x30\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02" + bytes(9)], ids=["indefinite"]
)
def test_what_cannot_be_read_is_unreadable(city: City, data: bytes) -> None:
    report, _ = judge(city, data)
    assert (report.format, report.reasons, report.ok) == (Format.SIGNED_DATA, ("unreadable",), False)


def test_two_thousand_mutants_hold_only_where_the_content_is_the_same(city: City) -> None:
    rng, data = random.Random(35275), signed(city)
    for _ in range(2_000):
        mutant = bytearray(data)
        mutant[rng.randrange(len(mutant))] ^= 1 << rng.randrange(8)
        report, _ = judge(city, bytes(mutant), DOCUMENT)
        if report.ok:  # only what the signature does not cover and nobody reads may differ
            assert DOCUMENT in bytes(mutant)
