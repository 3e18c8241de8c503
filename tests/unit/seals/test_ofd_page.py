import pytest

from seals.container import Archive
from seals.ofd_page import Place, places
from seals.ofd_parts import OfdError
from seals.position import Position, PositionError
from tests.unit.seals.documents import document_files
from tests.unit.seals.made import OFD, pack

DOCUMENT, PAGE = "Doc_0/Document.xml", "Doc_0/Pages/Page_0/Content.xml"
SEAL = (42, 42)


def found(files: dict[str, bytes], position: Position | None = None) -> Place:
    (place,) = places(Archive(pack(files)), DOCUMENT, position or Position(), SEAL)
    return place


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


# -- across page edges (骑缝章) ----------------------------------------------------------------------------------------


def numbers(text: str | None) -> list[float]:
    return [float(word) for word in (text or "").split()]


@pytest.mark.parametrize("pages", [2, 3, 7, 21])
def test_slices_put_edge_to_edge_make_up_the_seal(pages: int) -> None:
    slices = places(Archive(pack(document_files(pages=pages))), DOCUMENT, Position(across=True), SEAL)
    assert [place.page_id for place in slices] == [str(n + 1) for n in range(pages)]
    shown = 0.0
    for place in slices:
        left, top, width, height = numbers(place.boundary)
        clip_left, clip_top, clip_width, clip_height = numbers(place.clip)
        assert (width, height, clip_top, clip_height) == (42, 42, 0, 42)
        assert clip_left == pytest.approx(shown, abs=0.01)
        shown += clip_width
        assert left + clip_left + clip_width == pytest.approx(210, abs=0.01)  # the slice ends at the right edge
        assert top == 127.5
    assert shown == pytest.approx(42, abs=0.02)


@pytest.mark.parametrize("pages", [1, 22])
def test_too_few_or_too_many_pages_to_join(pages: int) -> None:
    with pytest.raises(PositionError) as caught:
        places(Archive(pack(document_files(pages=pages))), DOCUMENT, Position(across=True), SEAL)
    assert caught.value.field == "across"


# -- at a text ---------------------------------------------------------------------------------------------------------


def with_text(text: str, *, x: float = 100, y: float = 200) -> dict[str, bytes]:
    """Two pages; the text stands on the second, 5 mm high."""
    content = (
        f'<ofd:Page xmlns:ofd="{OFD}"><ofd:Content><ofd:Layer ID="9"><ofd:TextObject ID="10" Font="1" Size="5" '
        f'Boundary="{x} {y} 60 6"><ofd:TextCode X="0" Y="5">{text}</ofd:TextCode></ofd:TextObject></ofd:Layer>'
        f"</ofd:Content></ofd:Page>"
    )
    return document_files(pages=2) | {"Doc_0/Pages/Page_1/Content.xml": content.encode()}


def test_the_middle_of_the_seal_lies_on_the_text() -> None:
    place = found(with_text("单位（盖章）"), Position(keyword="盖章"))
    left, top, _, _ = numbers(place.boundary)
    assert place.page_id == "2"
    assert (left + 21, top + 21) == (100 + 3 * 5 + 5, 200 + 2.5)


def test_a_seal_at_the_edge_is_moved_onto_the_page() -> None:
    place = found(with_text("章", x=205, y=290), Position(keyword="章"))
    assert place.boundary == "168 255 42 42"


@pytest.mark.parametrize(
    "position", [Position(keyword="公章"), Position(1, keyword="盖章"), Position(3, keyword="盖章")]
)
def test_a_text_that_is_not_there_is_named(position: Position) -> None:
    with pytest.raises(PositionError) as caught:
        found(with_text("单位（盖章）"), position)
    assert caught.value.field in {"keyword", "page"}
