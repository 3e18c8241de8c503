"""Faces: every shipped type on every layout, whole, inside its page, and with no two texts on top of each other."""

import io
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from fontTools.ttLib import TTFont
from PIL import Image

from licences import metadata
from licences.definition import LicenceType
from licences.definition_file import shipped_types
from licences.faces import card, certificate, content, drawing, layouts, likenesses, parts, permit
from licences.faces.content import Content
from licences.faces.drawing import Code, FaceError, Page, Stroke, Text
from licences.faces.typeface import typeface
from licences.formats import face_ofd, face_pdf, lc1_text
from seals.font import FontError
from tests.unit.licences.formats.papers import ISSUER, PERSON, message_of, paper_of

NOW = datetime(2026, 1, 5, tzinfo=UTC)
TYPES = {kind.slug: kind for kind in shipped_types()}
GENERIC: tuple[Callable[[Content], Page], ...] = (certificate.draw, permit.draw)
SEAL = 21.0  # mm: half of the largest seal


def content_of(kind: LicenceType, **more: object) -> Content:
    stated = paper_of(kind, **({"demonstration": True} | more))
    return content.read(kind, stated, lc1_text.to_address(message_of(kind), ISSUER))


def faults(page: Page) -> list[str]:
    """Return what is wrong with a page: what leaves it, and texts that touch each other."""
    found = []
    boxes: list[tuple[Text, tuple[float, float, float, float]]] = []
    for text in page.texts():
        width = sum(text.steps()) - text.spacing
        box = (text.x, text.y - text.size * 0.78, text.x + width, text.y + text.size * 0.1)
        if box[0] < 3 or box[1] < 3 or box[2] > page.width - 3 or box[3] > page.height - 3:
            found.append(f"{text.text} leaves the page")
        if text.text != "演示":
            found += [f"{text.text} | {other.text}" for other, its in boxes if _touch(box, its)]
            boxes.append((text, box))
    for code in page.items:
        if isinstance(code, Code):
            own = (code.x, code.y, code.x + code.side, code.y + code.side)
            found += [f"{other.text} on the code" for other, its in boxes if _touch(own, its)]
    for middle, side in zip(page.centre, (page.width, page.height), strict=True):
        if not SEAL <= middle <= side - SEAL:
            found.append("the seal leaves the page")
    return found


def _touch(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def words(page: Page) -> str:
    return "".join(text.text for text in page.texts())


def test_every_shipped_type_has_a_face_that_says_everything() -> None:
    for slug, kind in TYPES.items():
        stated = paper_of(kind, demonstration=True)
        page = layouts.draw(kind, stated, lc1_text.to_address(message_of(kind), ISSUER))
        assert faults(page) == [], slug
        said = words(page)
        expected = {content.as_words(value) for value in stated.surface.values()} - {"汉族"}
        missing = [value for value in (*expected, stated.holders[0].name, stated.number) if value not in said]
        assert missing == [], slug
        assert stated.identifier in said, slug
        assert "演示样本" in said, slug
        named = {text.name for text in page.texts()}
        assert {row.name for row in content_of(kind).rows} <= named, slug
        assert "演示样本" not in words(layouts.draw(kind, replace(stated, demonstration=False), ISSUER)), slug


def test_every_type_fits_on_the_generic_layouts_too() -> None:
    for slug, kind in TYPES.items():
        for draw in (*GENERIC, *([card.draw] if len(kind.fields) <= 5 else [])):
            assert faults(draw(content_of(kind))) == [], (slug, draw)


def test_long_values_are_set_smaller_and_none_is_cut() -> None:
    for slug, kind in TYPES.items():
        page = layouts.draw(kind, _longest(kind), lc1_text.to_address(message_of(kind), ISSUER))
        assert faults(page) == [], slug
        named: dict[str, str] = {}
        for text in page.texts():
            if text.name:
                named[text.name] = named.get(text.name, "") + text.text
        for name, value in _longest(kind).surface.items():
            assert content.as_words(value).removesuffix("族") in named[name], (slug, name)


def _longest(kind: LicenceType) -> metadata.Metadata:
    """Return a licence whose free texts are as long as real ones get: 60 characters, or what the type allows."""
    stated = paper_of(kind, demonstration=True)
    lengths = {field.name: min(field.max_length, 60) for field in kind.fields if str(field.type) == "string"}
    long = {name: ("演示省示范市示范区演示路" * 10)[:length] for name, length in lengths.items()}
    return replace(stated, surface={**stated.surface, **{name: long[name] for name in long if name in stated.surface}})


def test_what_cannot_fit_is_an_error() -> None:
    kind = TYPES["resident_card"]
    with pytest.raises(FaceError):
        layouts.draw(kind, replace(paper_of(kind), surface={**paper_of(kind).surface, "address": "长" * 9_000}), ISSUER)
    with pytest.raises(FaceError):
        parts.table(content_of(kind).rows * 99, 0, 0, 100, 100, size=4, label=30, colour="#000000")
    with pytest.raises(FaceError):
        parts.prose("长" * 9_999, 0, 0, 50, 50, size=4, name="remark")


def test_rare_characters_are_drawn_and_missing_ones_are_named() -> None:
    kind = TYPES["resident_card"]
    rare = replace(paper_of(kind), holders=(metadata.person("阿卜·𬭩䶮", PERSON.code),))
    page = layouts.draw(kind, rare, lc1_text.to_address(message_of(kind), ISSUER))
    font = TTFont(io.BytesIO(typeface().part(words(page))))
    assert {ord(character) for character in "𬭩䶮·"} <= font.getBestCmap().keys()
    assert face_pdf.write(page, author="", keywords=(), made_at=NOW).startswith(b"%PDF-")
    missing = replace(paper_of(kind), holders=(metadata.person("王𠮷", PERSON.code),))
    for write in (face_pdf.picture, lambda page, made_at: face_ofd.write(page, {}, made_at=made_at)):
        with pytest.raises(FontError, match="U\\+20BB7"):
            write(layouts.draw(kind, missing, ISSUER), made_at=NOW)
    with pytest.raises(FontError):
        typeface(bold=True).part("𠮷")


def test_the_same_drawing_gives_the_same_bytes_in_both_formats() -> None:
    kind = TYPES["marriage_certificate"]
    page = likenesses.marriage_certificate(content_of(kind))
    for write in (
        lambda: face_pdf.write(page, author="x", keywords=("y",), made_at=NOW),
        lambda: face_ofd.write(page, {"certificateNumber": "<&>"}, made_at=NOW),
        lambda: face_pdf.picture(page, made_at=NOW),
    ):
        assert write() == write()
    with Image.open(io.BytesIO(face_pdf.picture(page, made_at=NOW))) as picture:
        assert abs(picture.width / picture.height - page.width / page.height) < 0.01


def test_a_typst_program_in_a_field_is_text() -> None:
    kind = TYPES["real_estate_title"]
    evil = '#read("/etc/passwd") #panic("x") ]#{ \\ "'
    stated = paper_of(kind)
    page = layouts.draw(kind, replace(stated, surface={**stated.surface, "remark": evil}), ISSUER)
    assert evil in words(page)
    assert face_pdf.write(page, author=evil, keywords=(evil,), made_at=NOW).startswith(b"%PDF-")


def test_drawing_in_small() -> None:
    assert drawing.wrapped("一二三，四", 3.1, 1.0) == ["一二三，", "四"]
    assert drawing.fitted("一二三四", 2.0, 1.0, least=0.5) == 0.5
    assert content.dotted(date(2026, 1, 5)) == "2026.01.05"
    assert [content.as_words(value) for value in (True, False, 3, "2026-01-05")] == ["是", "否", "3", "2026年01月05日"]
    assert parts.tint("#000000", 0.5) == "#808080"
    closed = [drawing.rectangle(0, 0, 4, 2), drawing.rectangle(0, 0, 4, 2, 1), drawing.rosette(0, 0, 1, 8, 0.2)]
    assert {shape[-1] for shape in closed} == {("C", ())}
    assert isinstance(drawing.rule(0, 0, 1, 1, "#000000"), Stroke)
