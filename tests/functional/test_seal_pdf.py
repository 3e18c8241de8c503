"""A department seals a PDF through the API, and the three doors of verification, Poppler and pyHanko agree on it."""

from __future__ import annotations

import base64
import io
import subprocess
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from asn1crypto import x509
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import DocumentSecurityStore

from keys.sm2 import sm3
from seals.authority import DOCUMENT_ROOT, party_of
from seals.models import SealIntent, SealUse
from seals.revoking import issue_lists, revoke
from tests.builders import act, migrate
from tests.databases import Databases
from tests.sealing import NAME, Office, build_office
from tests.unit.seals.pdfs import document, judged_by_pyhanko

DOCUMENT = document(pages=2)


@pytest.fixture(scope="module")
def office(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    url = databases.fresh(migrate)
    built = build_office(tmp_path_factory.mktemp("office"), url, timestamp_url="http://127.0.0.1:8000/tsa")
    yield built
    built.house.database.engine.dispose()
    databases.drop(url)


def sealed(office: Office, data: bytes = DOCUMENT, **form: str) -> bytes:
    answer = office.use(data, format="pdf", **form)
    assert answer.status_code == 201, answer.text
    body = answer.json
    assert body["digest"] == sm3(data).hex()
    assert body["result"]["media_type"] == "application/pdf"
    assert body["result"]["name"] == f"{body['id']}.pdf"
    return base64.b64decode(body["result"]["data"])


def results(report: dict[str, object], number: int = 0) -> dict[str, str]:
    return {check["name"]: check["result"] for check in report["signatures"][number]["checks"]}  # type: ignore[index]


def test_every_door_says_that_a_sealed_pdf_holds(office: Office) -> None:
    data = sealed(office, page="2", x="140", y="230")
    report = office.by_api(data)
    assert (report["ok"], report["format"], report["reasons"]) == (True, "pdf", [])
    assert results(report)["timestamp"] == "ok"
    (signature,) = report["signatures"]
    assert signature["signer"]["name"] == NAME
    times = signature["times"]
    assert datetime.fromisoformat(times["trusted"]) >= datetime.fromisoformat(times["claimed"])
    assert office.by_command(data) == (0, report)
    assert NAME in office.by_page(data)


def test_pdfsig_says_that_a_sealed_pdf_holds(office: Office, tmp_path: Path, pdfsig: str) -> None:
    path = tmp_path / "sealed.pdf"
    path.write_bytes(sealed(office, page="2", x="140", y="230"))
    told = subprocess.run([pdfsig, "-nocert", str(path)], capture_output=True, text=True, check=True, timeout=60)
    assert "Signature is Valid" in told.stdout
    assert f"Signer Certificate Common Name: {NAME}" in told.stdout


def test_the_use_is_on_record(office: Office) -> None:
    answer = office.use(DOCUMENT, format="pdf", profile="B-B")
    row = act(office.house, lambda call: call.session.get_one(SealUse, answer.json["id"]))
    assert (row.purpose, row.digest, row.seal_id) == ("演示函件", sm3(DOCUMENT), office.seal_id)
    assert act(office.house, lambda call: call.session.get_one(SealIntent, row.use_id)).done_at is not None


@pytest.mark.parametrize(("profile", "timestamp"), [("B-B", None), ("B-T", "ok"), ("SES", "ok")])
def test_the_profiles(office: Office, profile: str, timestamp: str | None) -> None:
    report = office.by_api(sealed(office, profile=profile))
    assert report["ok"]
    assert results(report).get("timestamp") == timestamp
    assert ("seal" in report["signatures"][0]) is (profile == "SES")


def test_a_long_term_profile_brings_what_proves_it(office: Office) -> None:
    """With the lists in the file a verifier that has the root alone can tell, and so says pyHanko."""
    refused = office.use(DOCUMENT, format="pdf", profile="B-LT")
    assert (refused.status_code, refused.json["code"]) == (503, "revocation_list_unavailable")
    act(office.house, issue_lists)
    data = sealed(office, profile="B-LT")
    report = office.by_api(data)
    assert (report["ok"], results(report)["revocation"], results(report)["coverage"]) == (True, "ok", "notice")
    root = act(office.house, lambda call: party_of(call, DOCUMENT_ROOT)).certificate
    reader = PdfFileReader(io.BytesIO(data))
    known = {"trust_roots": [x509.Certificate.load(root.der)], "revocation_mode": "require"}
    context = DocumentSecurityStore.read_dss(reader).as_validation_context(known)
    status = judged_by_pyhanko(reader.embedded_signatures[0], context)
    assert status.bottom_line, status.pretty_print_details()


def test_seals_follow_one_another_until_one_locks(office: Office) -> None:
    twice = sealed(office, sealed(office), profile="SES", lock="true")
    report = office.by_api(twice)
    assert report["ok"]
    assert [results(report, n)["coverage"] for n in (0, 1)] == ["notice", "ok"]
    again = office.use(twice, format="pdf")
    assert (again.status_code, again.json["code"]) == (409, "document_locked")


def test_a_keyword_chooses_the_place(office: Office) -> None:
    assert office.by_api(sealed(office, keyword="Page 2"))["ok"]
    answer = office.use(DOCUMENT, format="pdf", keyword="nowhere")
    assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (422, "/keyword")


@pytest.mark.parametrize(
    ("form", "pointer"),
    [
        ({"page": "3"}, "/page"),
        ({"x": "300", "y": "10"}, "/x"),
        ({"x": "10"}, "/y"),
        ({"x": "10", "y": "10", "keyword": "Page"}, "/keyword"),
        ({"across": "true"}, "/across"),
        ({"profile": "B-Z"}, "/profile"),
    ],
)
def test_what_was_asked_for_makes_no_sense(office: Office, form: dict[str, str], pointer: str) -> None:
    answer = office.use(DOCUMENT, format="pdf", **form)
    assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (422, pointer)


def test_a_changed_pdf_is_told_by_every_door(office: Office) -> None:
    data = sealed(office).replace(b"Page 2 of", b"Page 9 of")
    report = office.by_api(data)
    assert (report["ok"], report["reasons"]) == (False, ["document_altered"])
    assert report["signatures"][0]["altered"][0].startswith("bytes 0-")
    assert office.by_command(data)[0] == 1
    refused = office.use(data, format="pdf")
    assert (refused.status_code, refused.json["code"]) == (422, "document_refused")


def test_a_revoked_certificate_seals_nothing(office: Office) -> None:
    act(office.house, lambda call: revoke(call, office.seal_id, reason="keyCompromise"))
    answer = office.use(DOCUMENT, format="pdf")
    assert (answer.status_code, answer.json["code"]) == (409, "seal_certificate_revoked")
