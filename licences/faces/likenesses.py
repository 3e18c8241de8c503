"""Faces after well-known ones (仿真版式): resident card, driving licence, business licence, marriage, real estate.

They follow how the real thing is arranged, not its protected details: no emblem of the state, no photograph, no
security print. A licence of the demonstration says so on its face.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from licences.faces import card, parts
from licences.faces.content import Row
from licences.faces.drawing import Page, Stroke, Text, centred, fitted, rectangle, rule

if TYPE_CHECKING:
    from licences.faces.content import Content
    from licences.faces.drawing import Item

LANDSCAPE = (297.0, 210.0)
_GOLD, _BLUE = "#9a6b1f", "#2a6a8c"


def resident_card(content: Content) -> Page:
    """Return the resident card (居民身份证): text and figure on one side, issuer and term on the other."""
    left, top = card.LEFT, card.FRONT
    born = content.value("birth_date")
    address = [Row("address", "住址", content.value("address"))]
    front: list[Item] = [
        *card.side(top, _BLUE, fill="#f3f8fa"),
        *parts.overprint(content, left + 34, top + 26, 18),
        _pair(left + 6, top + 9.5, "姓名", content.value("holder_name"), "holder_name", size=3.5),
        _pair(left + 6, top + 16.5, "性别", content.value("sex"), "sex"),
        _pair(left + 25, top + 16.5, "民族", content.value("ethnicity").removesuffix("族"), "ethnicity"),
        _pair(left + 6, top + 23.5, "出生", born, "birth_date"),
        *parts.rows(address, left + 6, top + 27, 50, 14, size=3.0, label=2, colour=_BLUE),
        *parts.silhouette(left + 59, top + 8, 21, 27, _BLUE),
        Text(left + 6, top + 48, 3.0, "公民身份号码", colour=_BLUE),
        Text(left + 29, top + 48, 3.7, content.value("holder_number"), bold=True, spacing=0.55, name="holder_number"),
    ]
    top, middle = card.BACK, card.WIDTH / 2
    back: list[Item] = [
        *card.side(top, _BLUE, fill="#f3f8fa"),
        *parts.medallion(left + 14, top + 15, 8.5, parts.RED, share=0.8),
        centred("居民身份证", middle + 10, top + 18, 7.4, bold=True, spacing=2.2),
        *_issuer_lines(content, left + 19, top + 38),
    ]
    return card.sheet(content, _flat([front, back]), title="签发机关")


def driving_licence(content: Content) -> Page:
    """Return the driving licence (机动车驾驶证): main page and second page."""
    left, colour = card.LEFT, content.colour
    items: list[Item] = []
    for top, name in ((card.FRONT, ""), (card.BACK, "副页")):
        head = f"中华人民共和国机动车驾驶证{name}"
        items += [*card.side(top, colour, fill="#f6faf6"), centred(head, card.WIDTH / 2, top + 7, 3.7, bold=True)]
    items += [
        centred("Driving License of the People's Republic of China", card.WIDTH / 2, card.FRONT + 10.4, 2.2),
        *parts.overprint(content, card.WIDTH / 2 - 10, card.FRONT + 30, 18),
        *parts.silhouette(left + 62, card.FRONT + 17, 18.5, 24, colour),
    ]
    first = _named(
        content, "holder_name", "sex", "nationality", "birth_date", "address", "first_issued_on", "vehicle_class"
    )
    main = [Row("holder_number", "证号", content.value("holder_number")), *first, _term(content)]
    items += parts.rows(main, left + 5, card.FRONT + 13, 55, 38, size=2.5, label=6, colour=colour)
    rest = [
        Row("holder_number", "证号", content.value("holder_number")),
        *_named(content, "holder_name", "file_number"),
        *_left_over(content, {"holder_name", "holder_number", "file_number"} | {row.name for row in first}),
        Row("record", "记录", f"自{content.dotted_term.replace('-', '至')}有效"),
    ]
    items += parts.rows(rest, left + 5, card.BACK + 14, 76, 32, size=2.9, label=6, colour=colour)
    return card.sheet(content, items)


def business_licence(content: Content) -> Page:
    """Return the business licence (营业执照): credit code and QR above, two columns, the registrar below."""
    width, height = LANDSCAPE
    centre = (226.0, 163.0)
    fields = content.others("holder_number")
    half = (len(fields) + 1) // 2 - 1  # the scope of business, which comes last, is the longest
    terms = Row("validity", "营业期限", content.term)
    items: list[Item] = [
        Stroke(rectangle(6, 6, width - 12, height - 12), fill="#fffdf6"),
        *parts.ground(17, 17, width - 34, height - 34, _GOLD),
        *parts.frame(10, 10, width - 20, height - 20, _GOLD),
        *parts.medallion(width / 2, 112, 40, _GOLD, share=0.14),
        *parts.overprint(content, width / 2, 116, 46),
        *parts.medallion(width / 2, 31, 10, parts.RED, share=0.85),
        centred("营业执照", width / 2, 62, 17, bold=True, spacing=7),
        centred("（电子证照）", width / 2, 71, 4.4),
        Text(24, 30, 3.8, "统一社会信用代码"),
        Text(24, 37, 5.0, content.value("holder_number"), bold=True, name="holder_number"),
        *parts.code(content, 242, 22, 30),
        *parts.rows(fields[: half + 1], 30, 82, 112, 62, size=5.2, label=7, colour="#1a1a1a"),
        *parts.rows((*fields[half + 1 :], terms), 156, 82, 112, 62, size=5.2, label=7, colour="#1a1a1a"),
        *parts.issued(content, centre[0], 162, size=4.8, title="登记机关"),
        *parts.sample(content, 84, 176, 4.2),
        *parts.foot(content, 24, 191, width - 48),
    ]
    return Page(width, height, content.title, tuple(items), centre)


def marriage_certificate(content: Content) -> Page:
    """Return the marriage certificate (结婚证) as an open booklet: the registration, and the couple."""
    width, height = LANDSCAPE
    colour, fold, centre = content.colour, width / 2, (220.0, 160.0)
    couple = [
        Row("holder_name", "姓名", content.value("holder_name")),
        Row("holder_number", "身份证件号", content.value("holder_number")),
        Row("spouse_name", "配偶姓名", content.value("spouse_name")),
        Row("spouse_number", "身份证件号", content.value("spouse_number")),
    ]
    registered = [
        Row("holder_name", "持证人", content.value("holder_name")),
        Row("registered_on", "登记日期", content.value("registered_on")),
        Row("number", "结婚证字号", content.number),
        *_left_over(content, {row.name for row in couple} | {"registered_on"}),
    ]
    items: list[Item] = [
        Stroke(rectangle(8, 8, width - 16, height - 16, 3), parts.tint(colour, 0.5), 0.4, "#fff6f5"),
        *(item for x in (12.0, fold + 4) for item in parts.ground(x, 12, fold - 16, height - 24, colour)),
        rule(fold, 8, fold, height - 8, parts.tint(colour, 0.35), 0.3),
        *parts.medallion(fold / 2, 70, 34, colour, share=0.16),
        *parts.overprint(content, fold * 1.5, 100, 36),
        centred("结婚证", fold / 2, 48, 14, bold=True, colour=colour, spacing=5),
        *parts.silhouette(fold / 2 - 30, 62, 30, 40, colour),
        *parts.silhouette(fold / 2, 62, 30, 40, colour),
        *parts.rows(registered, 28, 112, fold - 50, 46, size=5.0, label=6, colour=colour),
        *parts.code(content, 24, 162, 26),
        centred("婚姻登记", fold * 1.5, 40, 8, bold=True, colour=colour, spacing=3),
        *parts.rows(couple, fold + 22, 58, fold - 42, 62, size=5.2, label=6, colour=colour),
        *parts.issued(content, centre[0], 159, size=4.6, title="婚姻登记机关"),
        *parts.sample(content, fold / 2 + 12, 182, 4.0),
        *parts.foot(content, fold + 6, 196, fold - 20),
    ]
    return Page(width, height, content.title, tuple(items), centre)


def real_estate_title(content: Content) -> Page:
    """Return the real estate title (不动产权证书) as an open booklet: the table of rights, and the remarks."""
    width, height = LANDSCAPE
    colour, fold, centre = "#8a2b3a", width / 2, (222.0, 158.0)
    rights = [
        Row("holder_name", "权利人", content.value("holder_name")),
        *(row for row in content.others("holder_name", "remark")),
        Row("validity", "有效期限", content.term),
    ]
    remark = content.value("remark") or "无"
    items: list[Item] = [
        Stroke(rectangle(8, 8, width - 16, height - 16, 3), parts.tint(colour, 0.5), 0.4, "#fdf7f5"),
        *(item for x in (12.0, fold + 4) for item in parts.ground(x, 12, fold - 16, height - 24, colour)),
        rule(fold, 8, fold, height - 8, parts.tint(colour, 0.35), 0.3),
        centred("不动产权证书", fold / 2, 27, 8.4, bold=True, colour=colour, spacing=2),
        centred(content.number, fold / 2, 36, fitted(content.number, fold - 40, 4.2, least=2)),
        *parts.table(rights, 18, 42, fold - 34, 146, size=4.0, label=34, colour=colour),
        *parts.overprint(content, fold * 1.5, 96, 36),
        *parts.medallion(fold * 1.5, 96, 32, colour, share=0.14),
        centred("附    记", fold * 1.5, 27, 6.4, bold=True, colour=colour),
        *parts.prose(remark, fold + 18, 38, fold - 40, 66, size=4.4, name="remark"),
        *parts.code(content, fold + 16, 110, 32),
        *parts.issued(content, centre[0] + 6, 157, size=4.4, title="登记机构"),
        *parts.sample(content, fold * 1.5, 182, 4.0),
        *parts.foot(content, fold + 8, 194, fold - 22),
    ]
    return Page(width, height, content.title, tuple(items), (centre[0] + 6, centre[1]))


def _pair(x: float, y: float, title: str, value: str, name: str, *, size: float = 3.1) -> Text:
    """Return title and value on one line, as one text."""
    return Text(x, y, size, f"{title}  {value}", name=name)


def _issuer_lines(content: Content, x: float, y: float) -> list[Item]:
    issuer = f"签发机关  {content.issuer}"
    return [
        Text(x, y, fitted(issuer, 60, 3.3, least=1.5), issuer),
        Text(x, y + 8, 3.3, f"有效期限  {content.dotted_term}"),
    ]


def _term(content: Content) -> Row:
    return Row("validity", "有效期限", content.dotted_term)


def _named(content: Content, *names: str) -> list[Row]:
    return [row for name in names for row in content.rows if row.name == name]


def _left_over(content: Content, placed: set[str]) -> list[Row]:
    """Return the rows that a layout has given no place, so that none is ever missing from a face."""
    return [row for row in content.rows if row.name not in placed]


def _flat(sides: list[list[Item]]) -> list[Item]:
    return [item for one in sides for item in one]
