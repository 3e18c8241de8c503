"""The first page of an OFD as a picture: what stands on it can be seen, and a hostile one has none."""

import io
from pathlib import Path

import pytest
from PIL import Image

from seals import ofd_picture
from seals.ofd_parts import OfdError
from seals.ofd_picture import picture, to_svg
from tests.unit.seals.documents import document_files
from tests.unit.seals.made import OFD, City, pack

CONTENT = "Doc_0/Pages/Page_0/Content.xml"


def page(inner: str, **more: str) -> bytes:
    """An OFD with that content on its one page; `more` are further files, `__` for a slash."""
    files = document_files()
    layer = f'<ofd:Layer ID="9">{inner}</ofd:Layer>'
    files[CONTENT] = f'<ofd:Page xmlns:ofd="{OFD}"><ofd:Content>{layer}</ofd:Content></ofd:Page>'.encode()
    return pack(files | {name: data.encode() for name, data in more.items()})


def drawn(document: bytes) -> Image.Image:
    return Image.open(io.BytesIO(picture(document))).convert("RGB")


def ink(image: Image.Image, box: tuple[int, int, int, int]) -> int:
    """Return how many pixels of a box (in millimetres) are not white."""
    scale = image.width / 210
    part = image.crop(tuple(round(value * scale) for value in box)).convert("L")
    return sum(part.histogram()[:200])


TEXT = (
    '<ofd:TextObject ID="1" Boundary="20 30 100 10" Font="1" Size="8">'
    '<ofd:TextCode X="0" Y="8" DeltaX="g 3 8">演示文件</ofd:TextCode></ofd:TextObject>'
)
LINE = (
    '<ofd:PathObject ID="2" Boundary="20 60 100 20" LineWidth="2"><ofd:StrokeColor Value="216 0 15"/>'
    "<ofd:AbbreviatedData>M 0 0 L 100 0 B 100 5 100 10 90 20 C</ofd:AbbreviatedData></ofd:PathObject>"
)


def test_text_and_lines_stand_where_they_are_said_to() -> None:
    image = drawn(page(TEXT + LINE))
    assert (image.width, image.height) == (600, 849)
    assert ink(image, (20, 30, 52, 40)) > 200
    assert ink(image, (60, 30, 120, 40)) == 0, "four characters, eight millimetres each"
    red = image.getpixel((round(60 / 210 * 600), round(60 / 210 * 600)))
    assert red[0] > 180
    assert red[1] < 60
    assert ink(image, (0, 100, 210, 297)) == 0


def test_a_blank_page_is_white() -> None:
    assert ink(drawn(pack(document_files())), (0, 0, 210, 297)) == 0


def test_a_seal_is_seen_where_it_stands(city: City) -> None:
    from seals.structure import Picture

    buffer = io.BytesIO()
    Image.new("RGBA", (42, 42), (216, 0, 15, 255)).save(buffer, "PNG")
    seal = _with_picture(city, Picture("PNG", buffer.getvalue(), 42, 42))
    files = city.sealed_files(_pointing(document_files()), seal=seal)
    name = "Doc_0/Signs/Sign_0/Signature.xml"
    stamp = b'<ofd:StampAnnot ID="5" PageRef="1" Boundary="100 200 42 42"/><ofd:Seal>'
    sealed = pack(files | {name: files[name].replace(b"<ofd:Seal>", stamp)})
    image = drawn(sealed)
    assert image.getpixel((round(121 / 210 * 600), round(221 / 210 * 600)))[1] < 60
    assert ink(image, (0, 0, 95, 297)) == 0
    clipped = files[name].replace(b"<ofd:Seal>", stamp.replace(b"42 42", b'42 42" Clip="0 0 21 42'))
    half = drawn(pack(files | {name: clipped}))
    assert ink(half, (100, 200, 120, 242)) > 1000
    assert ink(half, (123, 200, 142, 242)) == 0


def test_images_parameters_and_templates_are_found_by_their_numbers() -> None:
    files = document_files()
    buffer = io.BytesIO()
    Image.new("RGB", (4, 4), (0, 90, 200)).save(buffer, "PNG")
    files["Doc_0/Document.xml"] = files["Doc_0/Document.xml"].replace(
        b"</ofd:CommonData>",
        b'<ofd:DocumentRes>Res.xml</ofd:DocumentRes><ofd:TemplatePage ID="70" BaseLoc="Tpls/T.xml"/></ofd:CommonData>',
    )
    head = f'xmlns:ofd="{OFD}"'
    files["Doc_0/Res.xml"] = (
        f'<ofd:Res {head} BaseLoc="Res"><ofd:DrawParams><ofd:DrawParam ID="3" LineWidth="5">'
        '<ofd:StrokeColor Value="0 128 0"/>'
        '</ofd:DrawParam></ofd:DrawParams><ofd:MultiMedias><ofd:MultiMedia ID="4" Type="Image">'
        "<ofd:MediaFile>a.png</ofd:MediaFile></ofd:MultiMedia></ofd:MultiMedias></ofd:Res>"
    ).encode()
    files["Doc_0/Res/a.png"] = buffer.getvalue()
    files["Doc_0/Tpls/T.xml"] = f"<ofd:Page {head}><ofd:Content>{TEXT}</ofd:Content></ofd:Page>".encode()
    files[CONTENT] = (
        f'<ofd:Page {head}><ofd:Template TemplateID="70"/><ofd:Content><ofd:Layer>'
        '<ofd:PathObject ID="5" Boundary="0 100 210 10" DrawParam="3">'
        "<ofd:AbbreviatedData>M 0 5 L 210 5</ofd:AbbreviatedData>"
        '</ofd:PathObject><ofd:ImageObject ID="6" Boundary="50 150 20 20" CTM="20 0 0 20 0 0" ResourceID="4"/>'
        "</ofd:Layer></ofd:Content></ofd:Page>"
    ).encode()
    image = drawn(pack(files))
    assert image.getpixel((300, round(105 / 210 * 600)))[1] > 100
    assert image.getpixel((round(60 / 210 * 600), round(160 / 210 * 600)))[2] > 150
    assert ink(image, (20, 30, 52, 40)) > 200, "the template lies behind"


def test_clips_gradients_units_and_annotations_are_seen() -> None:
    files = document_files()
    files["Doc_0/Document.xml"] = files["Doc_0/Document.xml"].replace(
        b"</ofd:Pages>", b"</ofd:Pages><ofd:Annotations>Annots/List.xml</ofd:Annotations>"
    )
    head = f'xmlns:ofd="{OFD}"'
    square = "M 0 0 L 40 0 L 40 40 L 0 40 C"
    shade = (
        '<ofd:FillColor><ofd:AxialShd StartPoint="0 0" EndPoint="40 0"><ofd:Segment><ofd:Color Value="255 0 0"/>'
        '</ofd:Segment><ofd:Segment><ofd:Color Value="0 0 255"/></ofd:Segment></ofd:AxialShd></ofd:FillColor>'
    )
    clip = (
        "<ofd:Clips><ofd:Clip><ofd:Area><ofd:Path><ofd:AbbreviatedData>M 0 0 L 40 0 L 40 20 L 0 20 C"
        "</ofd:AbbreviatedData></ofd:Path></ofd:Area></ofd:Clip></ofd:Clips>"
    )
    files[CONTENT] = (
        f'<ofd:Page {head}><ofd:Content><ofd:Layer><ofd:PathObject ID="5" Boundary="20 20 40 40" Fill="true" '
        f'Stroke="false">{clip}{shade}<ofd:AbbreviatedData>{square}</ofd:AbbreviatedData></ofd:PathObject>'
        "</ofd:Layer></ofd:Content></ofd:Page>"
    ).encode()
    files["Doc_0/Annots/List.xml"] = (
        f'<ofd:Annotations {head}><ofd:Page PageID="1"><ofd:FileLoc>One.xml</ofd:FileLoc></ofd:Page></ofd:Annotations>'
    ).encode()
    noted = (
        f'<ofd:PathObject ID="6" Boundary="0 0 40 40" Fill="true"><ofd:AbbreviatedData>{square}</ofd:AbbreviatedData>'
        "</ofd:PathObject></ofd:Appearance></ofd:Annot>"
    )
    files["Doc_0/Annots/One.xml"] = (
        f'<ofd:PageAnnot {head}><ofd:Annot ID="7"><ofd:Appearance Boundary="100 100 40 40">{noted}'
        f'<ofd:Annot ID="8" Visible="false"><ofd:Appearance Boundary="20 200 40 40">{noted}</ofd:PageAnnot>'
    ).encode()
    image = drawn(pack(files))
    scale = 600 / 210
    left, right = (image.getpixel((round(x * scale), round(30 * scale))) for x in (22, 58))
    assert left[0] - left[2] > 140
    assert right[2] - right[0] > 140
    assert ink(image, (20, 42, 60, 62)) == 0, "outside the clip"
    assert ink(image, (105, 105, 135, 135)) > 5000, "the annotation"
    assert ink(image, (15, 190, 80, 260)) == 0, "the one that is not visible"
    files["Doc_0/Annots/One.xml"] = b"<broken"
    assert ink(drawn(pack(files)), (100, 100, 140, 140)) == 0


@pytest.mark.vectors
def test_the_file_of_another_maker_is_drawn(vectors: Path) -> None:
    image = drawn((vectors / "seals" / "SESV4SignDoc.ofd").read_bytes())
    assert ink(image, (50, 50, 90, 90)) > 1000, "its seal"
    assert ink(image, (31, 25, 72, 30)) > 100, "its text"


@pytest.mark.parametrize(
    "inner",
    [
        "<ofd:PageBlock>" * 40 + "</ofd:PageBlock>" * 40,
        TEXT.replace("演示文件", "演" * 100_001),
        LINE * 20_001,
    ],
    ids=["deep", "text", "objects"],
)
def test_a_page_with_too_much_on_it_is_not_drawn(inner: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ofd_picture, "SECONDS", 60)
    with pytest.raises(OfdError):
        picture(page(inner))


@pytest.mark.parametrize(
    "data", [b"", b"PK\x03\x04", pack({"OFD.xml": b"<x/>"}), pack(document_files(box="0 0 10 300"))]
)
def test_what_cannot_be_drawn_has_no_picture(data: bytes) -> None:
    with pytest.raises(OfdError):
        picture(data)


def test_a_page_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ofd_picture, "SECONDS", 0.0)
    monkeypatch.setattr(ofd_picture, "to_svg", lambda _document: all(True for _ in iter(int, 1)))
    with pytest.raises(OfdError, match="too long"):
        picture(b"PK")


def test_text_is_only_text() -> None:
    svg = to_svg(page(TEXT.replace("演示文件", "&lt;image href='file:///etc/passwd'/&gt;")))
    assert "<image" not in svg
    assert "&lt;image" in svg


def _with_picture(city: City, picture: object) -> bytes:
    from seals import signature
    from tests.unit.seals.made import SIGNED_AT, YEAR

    return signature.make_seal(
        seal_id="37160000000001", vendor="DEMO", name="演示", picture=picture,  # type: ignore[arg-type]
        signer_certificates=[city.signer.der], created_at=SIGNED_AT, valid_from=SIGNED_AT, valid_until=SIGNED_AT + YEAR,
        maker_certificate=city.maker.der, sign=city.maker.sign,
    )  # fmt: skip


def _pointing(files: dict[str, bytes]) -> dict[str, bytes]:
    pointer = b"<ofd:Signatures>/Doc_0/Signs/Signatures.xml</ofd:Signatures></ofd:DocBody>"
    return files | {"OFD.xml": files["OFD.xml"].replace(b"</ofd:DocBody>", pointer)}
