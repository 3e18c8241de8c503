"""Copies of licences as tests fetch and judge them."""

from werkzeug.test import TestResponse

from licences import verify
from licences.asker import Asker
from licences.copies import Form
from licences.scan import Scan
from seals.authority import DOCUMENT_ROOT, party_of
from tests.town import ALICE, Town

FORMS = [Form.PDF, Form.OFD, Form.MDOC, Form.JWT, Form.CLAIM169]
ASKER = Asker("孙**", "演示窗口", None, None, None, "演示")
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def fetch(town: Town, code: str, form: str, headers: dict[str, str] | None = None, **more: str) -> TestResponse:
    path = f"/v1/licences/{code}/{form}"
    answer: TestResponse = town.web.get(path, headers=(headers or town.person(ALICE)) | more)
    return answer


def content(town: Town, code: str, form: str) -> bytes:
    answer = fetch(town, code, form)
    assert answer.status_code == 200, answer.text
    return answer.data


def root_certificate(town: Town) -> bytes:
    return town.act(lambda call: party_of(call, DOCUMENT_ROOT)).certificate.der


def judged(town: Town, *copies: bytes, asker: Asker = ASKER) -> list[verify.Report]:
    """Judge what somebody brings, bytes or text, in one transaction."""
    scans = [
        Scan(document=data) if b"\0" in data or not data.isascii() else Scan(text=data.decode()) for data in copies
    ]
    return town.act(lambda call: [verify.verify(call, scan, asker) for scan in scans])
