"""PDF sealing, and what others say of it: pyHanko's validator, Poppler's `pdfsig`, OpenSSL's `cms`."""

import io
import subprocess
from pathlib import Path

import pytest
from asn1crypto import x509
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko_certvalidator import ValidationContext

from keys.certificates import to_pem
from seals.check import check_file
from seals.pdf import PdfError
from seals.pdf_sign import PADES, SES, LockedError
from tests.unit.seals.made import NOW, SIGNED_AT, City
from tests.unit.seals.pdfs import Office, document, drafted, judged_by_pyhanko, seal_sm2


@pytest.fixture(scope="module")
def office() -> Office:
    return Office()


def status_by_pyhanko(data: bytes, office: Office, number: int = 0) -> object:
    signature = PdfFileReader(io.BytesIO(data)).embedded_signatures[number]
    root = x509.Certificate.load(office.root.certificate.der)
    context = ValidationContext(trust_roots=[root], moment=SIGNED_AT, best_signature_time=SIGNED_AT)
    return judged_by_pyhanko(signature, context)


@pytest.mark.parametrize("stream", [False, True])
def test_a_sealed_pdf_holds_by_our_verifier_and_by_pyhanko(office: Office, stream: bool) -> None:
    sealed = office.seal(document(pages=2, stream=stream))
    report = check_file(sealed, anchors=office.anchors, now=NOW)
    assert report.ok, report
    assert (report.signatures[0].signed_at, report.signatures[0].signer) == (SIGNED_AT, office.department.certificate)
    status = status_by_pyhanko(sealed, office)
    assert (status.intact, status.valid, status.trusted, status.bottom_line) == (True, True, True, True)


def test_several_seals_follow_one_another_and_a_lock_ends_them(office: Office) -> None:
    original = document()
    once = office.seal(original)
    twice = office.seal(once)
    locked = office.seal(twice, lock=True)
    assert locked.startswith(twice)
    assert twice.startswith(once)
    assert once.startswith(original)
    report = check_file(locked, anchors=office.anchors, now=NOW)
    assert report.ok
    assert [str(s.checks[4].result) for s in report.signatures] == ["notice", "notice", "ok"]
    assert [status_by_pyhanko(locked, office, n).bottom_line for n in range(3)] == [True] * 3
    with pytest.raises(LockedError):
        office.seal(locked)


def test_pdfsig_accepts_the_seals(office: Office, tmp_path: Path, pdfsig: str) -> None:
    path = tmp_path / "sealed.pdf"
    path.write_bytes(office.seal(office.seal(document())))
    told = subprocess.run([pdfsig, "-nocert", str(path)], capture_output=True, text=True, check=True, timeout=60)
    assert told.stdout.count("Signature is Valid") == 2
    assert "Total document signed" in told.stdout
    assert "ETSI.CAdES.detached" in told.stdout


def test_openssl_verifies_the_container(office: Office, openssl: str, tmp_path: Path) -> None:
    from seals import pdf_seals

    sealed = office.seal(document())
    (seal,) = pdf_seals.find(sealed).seals
    (tmp_path / "signature").write_bytes(seal.value)
    (tmp_path / "covered").write_bytes(seal.covered(sealed))
    (tmp_path / "root.pem").write_text(to_pem(office.root.certificate.der))
    command = [openssl, "cms", "-verify", "-inform", "DER", "-in", "signature", "-content", "covered", "-binary"]
    command += ["-CAfile", "root.pem", "-purpose", "any", "-attime", str(int(SIGNED_AT.timestamp())), "-out", "out"]
    subprocess.run(command, cwd=tmp_path, capture_output=True, check=True, timeout=60)
    assert (tmp_path / "out").read_bytes() == seal.covered(sealed)


def test_the_same_document_key_and_time_cover_the_same_bytes(office: Office) -> None:
    first, second = (drafted(document()).write(PADES, SIGNED_AT, room=2048) for _ in range(2))
    assert len(first.covered) == len(second.covered)  # the file identifier is new each time


def test_an_sm2_seal_names_itself(city: City) -> None:
    sealed = seal_sm2(city, document())
    assert SES.subfilter.encode() in sealed
    report = check_file(sealed, anchors=city.anchors, now=NOW)
    assert report.ok, report
    assert report.signatures[0].seal is not None
    assert [check.name for check in report.signatures[0].checks][-3:] == ["integrity", "coverage", "revocation"]


def test_a_signature_that_does_not_fit_its_room_is_refused() -> None:
    opened = drafted(document()).write(PADES, SIGNED_AT, room=16)
    with pytest.raises(PdfError, match="room was left"):
        opened.close(bytes(17))


@pytest.mark.parametrize(
    "data", [b"", b"letter", b"%PDF-1.7\n%%EOF", document()[:-40]], ids=["", "text", "empty", "cut"]
)
def test_what_is_no_pdf_is_refused(data: bytes) -> None:
    with pytest.raises(PdfError):
        drafted(data)
