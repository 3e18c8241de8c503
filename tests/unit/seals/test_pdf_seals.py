import pytest

from seals.pdf import PdfError
from seals.pdf_seals import find, later
from tests.unit.seals.made import SIGNED_AT
from tests.unit.seals.pdfs import Office, document

OFFICE = Office()
ONCE = OFFICE.seal(document())
TWICE = OFFICE.seal(ONCE)


def test_a_seal_covers_the_file_but_for_its_value() -> None:
    (seal,) = find(ONCE).seals
    start, end = seal.gap
    assert ONCE[start : start + 1] + ONCE[end - 1 : end] == b"<>"
    assert seal.covered(ONCE) == ONCE[:start] + ONCE[end:]
    assert ONCE[start + 1 :].startswith(seal.value.hex().upper().encode())
    assert (seal.subfilter, seal.signed_at) == ("ETSI.CAdES.detached", SIGNED_AT)


def test_seals_come_in_the_order_they_were_put_on() -> None:
    found = find(TWICE)
    assert [seal.end for seal in found.seals] == [len(ONCE), len(TWICE)]
    first, second = (later(TWICE, seal, found) for seal in found.seals)
    assert first is not None
    assert (first.altered, first.not_covered) == (False, (f"bytes {len(ONCE)}-{len(TWICE)}",))
    assert second is None


def test_a_field_that_cannot_be_read_does_not_hide_the_others() -> None:
    found = find(TWICE.replace(b"/SubFilter", b"/SubFiltex", 1))
    assert (len(found.seals), len(found.broken)) == (1, 1)


def test_a_document_without_any() -> None:
    found = find(document())
    assert (found.seals, found.broken, found.loose) == ((), (), ())
    with pytest.raises(PdfError):
        find(b"letter")
