import io

import pytest
from PIL import Image

from seals.first_page import find, picture
from seals.ofd_parts import OfdError
from seals.pdf import PdfError
from tests.unit.seals.made import pack
from tests.unit.seals.pdfs import document


def test_the_first_page_as_a_picture() -> None:
    drawn = Image.open(io.BytesIO(picture(document(pages=2))))
    assert (drawn.format, drawn.width) == ("PNG", 600)
    assert abs(drawn.height - 849) <= 1
    assert drawn.convert("L").getextrema()[0] < 100  # there is ink


@pytest.mark.parametrize("data", [b"", b"letter", b"%PDF-1.7\n%%EOF", document()[:300], pack({"OFD.xml": b"<x/>"})])
def test_what_cannot_be_drawn_has_no_picture(data: bytes) -> None:
    with pytest.raises((PdfError, OfdError)):
        picture(data)


def test_where_a_text_stands() -> None:
    """`Page 2 of the demonstration` in 12 point at 56.7, 773."""
    data = document(pages=3)
    found = find(data, "Page 2")
    assert found is not None
    left, bottom, right, top = found.rectangle
    assert found.page == 1
    assert left == pytest.approx(56.7, abs=0.5)
    assert bottom < 773 < top
    assert 90 < right < 105
    assert find(data, "Page 2", 1) == found
    assert find(data, "Page 2", 0) is None
    assert find(data, "Page 2", 7) is None
    assert find(data, "page 2") is None  # as it is written


def test_a_text_with_characters_of_every_kind_is_only_a_text() -> None:
    assert find(document(), "--help; $(id) \u2028'\"") is None
