"""The demonstration's letters can be read, drawn and sealed."""

from licences.counter.assist_letter import as_ofd
from licences.demo import letters
from seals import first_page
from seals.container import Archive
from seals.ofd_parts import read_xml
from seals.ofd_text import find

LINES = ("各有关单位：", "", "    第二段 10000 元 <&>。")


def test_the_text_stands_where_it_is_looked_for() -> None:
    archive = Archive(as_ofd("关于演示的函", LINES))
    page = read_xml(archive, "Doc_0/Pages/Page_0/Content.xml", "Page")
    title, line = find(page, "关于演示的函"), find(page, "元 <&>。")
    assert title is not None
    assert line is not None
    assert abs(title.x + title.width / 2 - 105) < 1, "in the middle"
    assert line.y > title.y


def test_both_forms_look_alike_and_come_out_the_same_again() -> None:
    assert as_ofd("函", LINES) == as_ofd("函", LINES)
    for data in (as_ofd("函", LINES), letters.as_pdf("函", LINES)):
        assert first_page.picture(data).startswith(b"\x89PNG")
