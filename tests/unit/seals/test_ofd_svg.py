"""Each object of a page in SVG, and what of it a stranger cannot make it say."""

import pytest
from lxml import etree

from seals.container import Archive
from seals.ofd_resources import Resources
from seals.ofd_svg import Canvas, TooMuchError, draw
from tests.unit.seals.documents import document_files
from tests.unit.seals.made import OFD, pack


def drawn(inner: str, resources: str = "") -> str:
    """Return the SVG of what a page holds; `resources` are the elements of its PageRes."""
    res = f'<ofd:Res xmlns:ofd="{OFD}" BaseLoc="Res">{resources}</ofd:Res>'
    canvas = Canvas(Resources(Archive(pack({**document_files(), "Res.xml": res.encode()}))))
    named = f'<ofd:Page xmlns:ofd="{OFD}"><ofd:PageRes>/Res.xml</ofd:PageRes></ofd:Page>'
    canvas.resources.add(etree.fromstring(named), "OFD.xml")
    draw(canvas, etree.fromstring(f'<ofd:Page xmlns:ofd="{OFD}"><ofd:Content>{inner}</ofd:Content></ofd:Page>'))
    return "".join(canvas.parts)


def path(data: str, **attributes: str) -> str:
    more = " ".join(f'{name}="{value}"' for name, value in attributes.items())
    return f"<ofd:PathObject {more}><ofd:AbbreviatedData>{data}</ofd:AbbreviatedData></ofd:PathObject>"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("M 0 0 L 10 0 C", "M0 0 L10 0 Z"),
        ("S 1 2 Q 1 2 3 4", "M1 2 Q1 2 3 4"),
        ("M 0 0 B 1 2 3 4 5 6", "M0 0 C1 2 3 4 5 6"),
        ("M 0 0 A 5 5 0 2 7 1 1", "M0 0 A5 5 0 1 1 1 1"),
        ("M 0 0 L 1", "M0 0"),
        ("M 0 0 X 1 1", "M0 0"),
    ],
)
def test_outlines(data: str, expected: str) -> None:
    assert f' d="{expected}"' in drawn(path(data))


@pytest.mark.parametrize("data", ["", "L", 'M 0 0" onload="x'])
def test_an_outline_that_says_nothing_is_left_out(data: str) -> None:
    assert "onload" not in drawn(path(data.replace('"', "&quot;")))


def test_strokes_and_fills() -> None:
    plain = drawn(path("M 0 0 L 9 9"))
    assert 'fill="none" stroke="#000" stroke-width="0.353"' in plain
    full = drawn(path("M 0 0 L 9 9", Fill="true", Stroke="false", Rule="Even-Odd", Alpha="51"))
    assert 'fill="#000" opacity="0.2" fill-rule="evenodd"' in full
    assert "stroke" not in full


@pytest.mark.parametrize(
    ("value", "shade"),
    [("255 0 0", "#ff0000"), ("128", "#808080"), ("0 0 0 255", "#000000"), ("300 -5 9", "#ff0009"), ("red", "#000")],
)
def test_colours(value: str, shade: str) -> None:
    inner = path("M 0 0 L 9 9").replace("<ofd:Abb", f'<ofd:StrokeColor Value="{value}"/><ofd:Abb', 1)
    assert f'stroke="{shade}"' in drawn(inner)


def test_text_has_its_places_and_is_escaped() -> None:
    code = '<ofd:TextCode X="1" Y="2" DeltaX="3 g 1 4">a&lt;b</ofd:TextCode>'
    inner = f'<ofd:TextObject Boundary="5 6 7 8" CTM="1 0 0 1 9 9" Size="3" Weight="700">{code}</ofd:TextObject>'
    text = drawn(inner)
    assert 'x="1 4 8" y="2"' in text
    assert "translate(5 6) matrix(1 0 0 1 9 9)" in text
    assert 'font-weight="700"' in text
    assert ">a&lt;b</text>" in text


@pytest.mark.parametrize("more", ['Visible="false"', 'Size="0"', 'Size="x"'])
def test_text_that_is_not_seen(more: str) -> None:
    size = "" if "Size" in more else 'Size="3"'
    assert drawn(f"<ofd:TextObject {more} {size}><ofd:TextCode>a</ofd:TextCode></ofd:TextObject>") == ""


def test_an_image_that_is_not_there_leaves_a_grey_place() -> None:
    assert 'fill="#ddd"' in drawn('<ofd:ImageObject Boundary="0 0 9 9" CTM="9 0 0 9 0 0" ResourceID="77"/>')


def test_too_many_blocks_within_blocks() -> None:
    with pytest.raises(TooMuchError):
        drawn("<ofd:PageBlock>" * 20 + "</ofd:PageBlock>" * 20)


# --- clips, composite objects, directions --------------------------------------------------------------------------

CORNER = path("M 0 0 L 5 0 L 5 5 C", Boundary="1 1 5 5").replace("PathObject", "Path")
AREA = f'<ofd:Area CTM="2 0 0 2 0 0">{CORNER}</ofd:Area>'


def clipped(*clips: str, flag: str = "") -> str:
    inner = "".join(f"<ofd:Clip>{clip}</ofd:Clip>" for clip in clips)
    object_ = path("M 0 0 L 9 9", Boundary="10 20 9 9", CTM="1 0 0 1 3 4")
    return drawn(object_.replace("<ofd:Abb", f"<ofd:Clips {flag}>{inner}</ofd:Clips><ofd:Abb", 1))


def test_an_object_is_seen_in_all_its_clips_and_in_any_area_of_each() -> None:
    place = "translate(10 20) matrix(1 0 0 1 3 4) matrix(2 0 0 2 0 0)translate(1 1)"
    outline = f'<path transform="{place}" d="M0 0 L5 0 L5 5 Z"/>'
    two = clipped(AREA + AREA, AREA)
    assert f'<clipPath id="d1">{outline}{outline}</clipPath>' in two
    assert f'<clipPath id="d2">{outline}</clipPath>' in two
    assert '<g clip-path="url(#d1)"><g clip-path="url(#d2)"><path' in two
    assert two.endswith("</g></g>")
    assert outline.replace(" matrix(1 0 0 1 3 4)", "", 1) in clipped(AREA, flag='TransFlag="false"')
    for open_to_all in ("", "<ofd:Area><ofd:Text/></ofd:Area>", AREA + "<ofd:Area/>"):
        assert "clip-path" not in clipped(open_to_all)


def test_a_composite_object_is_its_unit_put_in_its_place() -> None:
    unit = (
        f'<ofd:CompositeGraphicUnit ID="7"><ofd:Content>{path("M 0 0 L 1 1")}</ofd:Content></ofd:CompositeGraphicUnit>'
    )
    used = '<ofd:CompositeObject ResourceID="{}" Boundary="5 6 7 8" Alpha="51"/>'
    assert drawn(used.format(7), unit).startswith('<g transform="translate(5 6)" opacity="0.2"><path')
    assert drawn(used.format(8), unit) == ""
    itself = unit.replace("<ofd:Content>", f"<ofd:Content>{used.format(7)}{used.format(7)}", 1)
    with pytest.raises(TooMuchError):
        drawn(used.format(7), itself)


def test_text_runs_and_stands_as_it_is_said_to() -> None:
    code = '<ofd:TextCode X="1" Y="2">甲乙</ofd:TextCode>'
    upright = drawn(f'<ofd:TextObject Size="3" ReadDirection="90">{code}</ofd:TextObject>')
    assert 'x="1 1" y="2 5"' in upright
    turned = drawn(f'<ofd:TextObject Size="3" CharDirection="270">{code}</ofd:TextObject>')
    assert 'x="1" y="2" rotate="270"' in turned
    assert 'x="1" y="2"' in drawn(f'<ofd:TextObject Size="3" HScale="0">{code}</ofd:TextObject>')
    assert "rotate" not in drawn(f'<ofd:TextObject Size="3" CharDirection="9&quot;">{code}</ofd:TextObject>')


def test_an_image_without_a_matrix_fills_its_box() -> None:
    assert 'transform="translate(1 2) scale(3 4)"' in drawn('<ofd:ImageObject Boundary="1 2 3 4" ResourceID="77"/>')
