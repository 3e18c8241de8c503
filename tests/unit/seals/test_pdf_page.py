"""Places on a page, and by another maker's renderer that the seal is drawn there in its exact size."""

import io

import pypdfium2
import pytest
from PIL import ImageChops
from pyhanko.pdf_utils.reader import PdfFileReader

from seals.pdf_page import Page, read_page
from seals.position import Box, Position, PositionError
from tests.unit.seals.pdfs import Office, document

DOTS = 150  # to the inch
OFFICE = Office()


def red_box(data: bytes, page: int = 0) -> tuple[float, float, float, float]:
    """Return left, top, right and bottom of what is red on a page, in millimetres."""
    pdf = pypdfium2.PdfDocument(data)
    pdf.init_forms()
    drawn = pdf[page].render(scale=DOTS / 72, may_draw_forms=True).to_pil().convert("RGB")
    red, green, _ = drawn.split()
    left, top, right, bottom = ImageChops.subtract(red, green).point(lambda v: 255 if v > 60 else 0).getbbox()
    return left * 25.4 / DOTS, top * 25.4 / DOTS, right * 25.4 / DOTS, bottom * 25.4 / DOTS


@pytest.mark.parametrize("turned", [0, 90, 180, 270])
@pytest.mark.parametrize("box", [(0, 0, 595, 842), (-100, 50, 495, 892)], ids=["A4", "A4 elsewhere"])
def test_a_seal_is_drawn_where_it_was_wanted_in_millimetres(turned: int, box: tuple[int, ...]) -> None:
    sealed = OFFICE.seal(document(turned=turned, box=box), position=Position(1, 30, 50))
    assert red_box(sealed) == pytest.approx((30, 50, 72, 92), abs=0.4)


def test_by_itself_it_stands_in_the_lower_right_of_the_page_asked_for() -> None:
    sealed = OFFICE.seal(document(pages=2, box=(0, 0, 595, 842)), position=Position(2), size=(30, 20))
    width, height = 595 / 72 * 25.4, 842 / 72 * 25.4
    assert red_box(sealed, 1) == pytest.approx((width - 55, height - 45, width - 25, height - 25), abs=0.4)


@pytest.mark.parametrize("turned", [0, 90, 180, 270])
@pytest.mark.parametrize("unit", [1.0, 2.0])
def test_what_is_seen_is_the_inverse_of_the_rectangle(turned: int, unit: float) -> None:
    page = Page(10, 20, 610, 820, turned, 72 / 25.4 / unit)
    box = Box(13, 17, 42, 30)
    seen = page.seen(*page.rectangle(box))
    assert (seen.x, seen.y, seen.width, seen.height) == pytest.approx((13, 17, 42, 30))


def test_a_page_that_is_not_there() -> None:
    reader = PdfFileReader(io.BytesIO(document()))
    assert read_page(reader, 0).size == pytest.approx((595 / 72 * 25.4, 842 / 72 * 25.4), abs=0.5)
    for index in (-1, 1, 10**9):
        with pytest.raises(PositionError) as caught:
            read_page(reader, index)
        assert caught.value.field == "page"
