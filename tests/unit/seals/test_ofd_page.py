import pytest

from seals.container import Archive
from seals.ofd_page import Place, Position, PositionError, place
from seals.ofd_parts import OfdError
from tests.unit.seals.documents import document_files
from tests.unit.seals.made import OFD, pack

DOCUMENT, PAGE = "Doc_0/Document.xml", "Doc_0/Pages/Page_0/Content.xml"
SEAL = (42, 42)


def found(files: dict[str, bytes], position: Position | None = None) -> Place:
    return place(Archive(pack(files)), DOCUMENT, position or Position(), SEAL)


@pytest.mark.parametrize(
    ("box", "boundary"),
    [
        ("0 0 210 297", "143 230 42 42"),
        ("0 0 297 210", "230 143 42 42"),
        ("0 0 209.97 297.04", "142.97 230.04 42 42"),
        ("10 10 210 297", "143 230 42 42"),  # the corner of the box is the origin
        ("-5  -5\n210 297", "143 230 42 42"),
        ("0 0 42 42", "0 0 42 42"),
        ("0 0 50 300", "0 233 42 42"),
    ],
)
def test_by_itself_a_seal_stands_in_the_lower_right(box: str, boundary: str) -> None:
    assert found(document_files(box=box)) == Place("1", boundary)


@pytest.mark.parametrize(
    ("x", "y", "boundary"), [(0, 0, "0 0 42 42"), (168, 255, "168 255 42 42"), (1.23456, 0.5, "1.235 0.5 42 42")]
)
def test_a_place_that_was_asked_for(x: float, y: float, boundary: str) -> None:
    assert found(document_files(pages=3), Position(2, x, y)) == Place("2", boundary)


@pytest.mark.parametrize(
    ("position", "field"),
    [
        (Position(0), "page"),
        (Position(2), "page"),
        (Position(10**9), "page"),
        (Position(1, -0.1, 0), "x"),
        (Position(1, 168.1, 0), "x"),
        (Position(1, 0, 255.1), "y"),
        (Position(1, float("nan"), 0), "x"),
        (Position(1, 0, float("inf")), "y"),
    ],
    ids=str,
)
def test_a_place_that_is_not_there_is_named(position: Position, field: str) -> None:
    with pytest.raises(PositionError) as caught:
        found(document_files(), position)
    assert caught.value.field == field


def test_a_seal_larger_than_the_page_fits_nowhere() -> None:
    with pytest.raises(PositionError):
        found(document_files(box="0 0 41 297"))


def test_a_page_may_have_a_size_of_its_own() -> None:
    area = f'<ofd:Page xmlns:ofd="{OFD}"><ofd:Area><ofd:PhysicalBox>0 0 100 100</ofd:PhysicalBox></ofd:Area></ofd:Page>'
    assert found(document_files() | {PAGE: area.encode()}).boundary == "33 33 42 42"


@pytest.mark.parametrize(
    "box",
    ["", "0 0 210", "0 0 210 297 1", "a b c d", "0 0 0 297", "0 0 -1 297", "0 0 nan 297", "0 0 1e9 297",
     "0 0 9999999999 297", "0 0 20000 297", "0 0 ２１０ 297"],
)  # fmt: skip
def test_a_size_without_sense_is_refused(box: str) -> None:
    with pytest.raises(OfdError):
        found(document_files(box=box))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"<ofd:Pages>", b"<ofd:Pages/><ofd:Pages>"),
        (b"CommonData", b"Common"),
        (b' ID="1"', b""),
        (b' ID="2"', b' ID="1"'),
        (b"Page_0/Content.xml", b"Page_9/Content.xml"),
        (b"Page_0/Content.xml", b"../../../OFD.xml"),
        (b"</ofd:PageArea>", b"</ofd:PageArea><ofd:PageArea/>"),
        (b"ofdspec", b"example"),
        (b"<ofd:Document", b"<!DOCTYPE a><ofd:Document"),
    ],
)
def test_a_document_that_is_ambiguous_or_broken_is_refused(old: bytes, new: bytes) -> None:
    files = document_files(pages=2)
    assert old in files[DOCUMENT]
    with pytest.raises(OfdError):
        found(files | {DOCUMENT: files[DOCUMENT].replace(old, new)})
