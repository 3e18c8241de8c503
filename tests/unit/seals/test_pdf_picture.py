import base64
import io

from PIL import Image, ImageChops

from seals.check import check_file
from tests.unit.seals.made import NOW, City
from tests.unit.seals.pdfs import Office, document, picture, seal_sm2

OFFICE = Office()


def test_the_answer_carries_the_picture_that_was_put_on() -> None:
    report = check_file(OFFICE.seal(document(), size=(42, 30)), anchors=OFFICE.anchors, now=NOW)
    shown = report.as_json()["signatures"][0]["picture"]  # type: ignore[index]
    assert (shown["type"], shown["width_mm"], shown["height_mm"]) == ("PNG", 42, 30)
    kind, data = shown["data"].split(",", 1)
    assert kind == "data:image/png;base64"
    drawn = Image.open(io.BytesIO(base64.b64decode(data))).convert("RGBA")
    original = Image.open(io.BytesIO(picture())).convert("RGBA")
    assert ImageChops.difference(drawn, original).getbbox() is None


def test_an_sm2_seal_shows_its_own(city: City) -> None:
    report = check_file(seal_sm2(city, document()), anchors=city.anchors, now=NOW)
    (signature,) = report.signatures
    assert signature.seal is not None
    assert signature.picture == signature.seal.picture


def test_a_seal_of_another_kind_shows_none() -> None:
    sealed = OFFICE.seal(document())
    for old, new in ((b"/DeviceRGB", b"/DeviceXYZ"), (b"/Width 64", b"/Width 65"), (b"/FlateDecode", b"/BlateDecode")):
        report = check_file(sealed.replace(old, new), anchors=OFFICE.anchors, now=NOW)
        assert report.signatures[0].picture is None
        assert "picture" not in report.as_json()["signatures"][0]  # type: ignore[index]
