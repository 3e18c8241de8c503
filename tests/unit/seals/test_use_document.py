from datetime import UTC, datetime

import pytest

from idservice.call import House
from seals.check import check_file
from seals.position import Position
from seals.register import make
from seals.use import intend
from seals.use_document import Form, Wish, draft, seal
from seals.verify import read_anchors
from tests.builders import act
from tests.unit.seals.conftest import DEPARTMENT
from tests.unit.seals.documents import document_files
from tests.unit.seals.made import pack
from tests.unit.seals.pdfs import document

NOW = datetime(2026, 6, 1, 8, tzinfo=UTC)
CASES = {
    Form.DETACHED: (b"letter", Wish(), "ses_signature"),
    Form.OFD: (pack(document_files(pages=3)), Wish(Form.OFD, Position(across=True), lock=True), "ofd"),
    Form.PDF: (document(), Wish(Form.PDF, Position(1, 20, 20), lock=True), "pdf"),
}


@pytest.fixture(scope="module")
def seal_id(house: House) -> str:
    return act(house, lambda call: make(call, department=DEPARTMENT), now=NOW)


@pytest.mark.parametrize("form", list(CASES))
def test_each_form_comes_back_as_what_was_wished_for(house: House, seal_id: str, form: Form) -> None:
    data, wish, kind = CASES[form]
    facts = {"seal_id": seal_id, "document": data}

    def deed(call: object) -> bytes:
        ready = draft(call, **facts, wish=wish)  # type: ignore[arg-type]
        use_id = intend(call, **facts)  # type: ignore[arg-type]
        return seal(call, **facts, use_id=use_id, purpose="", ready=ready).result  # type: ignore[arg-type]

    result = act(house, deed, now=NOW)
    beside = data if form is Form.DETACHED else None
    report = check_file(result, document=beside, anchors=act(house, read_anchors), now=NOW)
    assert (report.ok, str(report.format)) == (True, kind)
    assert wish.media_type.startswith("application/")
    assert wish.ending in {"ses", "ofd", "pdf"}
