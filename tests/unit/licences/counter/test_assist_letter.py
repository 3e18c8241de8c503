"""The page of a reply is an OFD that readers can read, and every word of the reply is on it."""

import io
import zipfile
from datetime import date

from lxml import etree

from licences.counter.assist_letter import WIDTH, Reply, reply_page
from licences.counter.assist_life import Answer
from seals import ofd_picture

REPLY = Reply(
    check_id="c" * 32,
    asking_unit="示范市公安局 <窗口>",
    case_number="DM-1 & 2",
    matter="落户",
    proof="户籍证明",
    holder="王** 371***********1237",
    answer=Answer.CANNOT_TELL,
    text="经查，" * 130 + "\n完毕",
    unit="示范市民政局",
    on=date(2026, 11, 23),
)


def test_a_reply_is_on_one_page_and_inside_it() -> None:
    page = reply_page(REPLY)
    with zipfile.ZipFile(io.BytesIO(page)) as archive:
        content = etree.fromstring(archive.read("Doc_0/Pages/Page_0/Content.xml"))
    space = {"ofd": "http://www.ofdspec.org/2016"}
    boxes = [
        [float(part) for part in one.get("Boundary").split()] for one in content.iterfind(".//ofd:TextObject", space)
    ]
    assert all(x + width <= WIDTH - 20 and y < 297 - 20 for x, y, width, _height in boxes)
    said = "".join(content.itertext())
    for part in (REPLY.asking_unit, REPLY.case_number, "无法核实", "2026年11月23日", "完毕", REPLY.unit):
        assert part in said, part
    assert ofd_picture.picture(page, width=200).startswith(b"\x89PNG")
