"""Made-up licence types, to fill a catalogue to the size of a real city's (演示目录生成): 546 types in Binzhou.

The same arguments always give the same types. Every name says that it is a demonstration, and the codes are those of an
authority that does not exist; nothing here stands for a type of the national catalogue.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Final

from licences.definition import Authority, Card, HolderKind, Level, LicenceType, RelatedItem
from licences.surface import Field, FieldType, Mask

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

#: The authority of all of them, of the demonstration: GB/T 2260 has no region 3799.
_AUTHORITY: Final = Authority(
    "示范市综合管理局（演示）", "General administration bureau (demonstration)", "11379900DM00020195", Level.CITY
)
_TRADES: Final = (
    ("养老机构", "care home"), ("托育机构", "nursery"), ("游泳场所", "swimming pool"), ("健身场所", "gymnasium"),
    ("洗染业", "laundry"), ("美容美发", "hairdressing"), ("家政服务", "domestic service"), ("快递网点", "courier"),
    ("加油站", "filling station"), ("充电站", "charging station"), ("停车场", "car park"),
    ("驾驶培训", "driving school"), ("机动车维修", "vehicle repair"), ("二手车交易", "used car trade"),
    ("物业服务", "property service"), ("燃气经营", "gas supply"), ("供热经营", "heating"),
    ("供水经营", "water supply"), ("污水处理", "sewage treatment"), ("垃圾清运", "waste collection"),
    ("户外广告", "outdoor advertising"), ("建筑垃圾处置", "building waste"), ("绿化施工", "landscaping"),
    ("古树名木", "ancient trees"), ("渔业捕捞", "fishing"), ("水产养殖", "aquaculture"), ("生猪屠宰", "slaughter"),
    ("粮食收购", "grain purchase"), ("肥料登记", "fertiliser"), ("农药经营", "pesticide trade"),
    ("种畜禽生产", "livestock breeding"), ("动物诊疗", "animal clinic"), ("图书批发", "book wholesale"),
    ("印刷经营", "printing"), ("电影放映", "film projection"), ("文物经营", "antique trade"),
    ("旅行社", "travel agency"), ("民宿", "guest house"), ("体育赛事", "sports event"), ("射击场", "shooting range"),
)  # fmt: skip
_DOCUMENTS: Final = (
    ("经营许可证", "business permit", HolderKind.ORGANISATION, 36),
    ("备案凭证", "filing certificate", HolderKind.MIXED, None),
    ("从业人员资格证", "staff qualification", HolderKind.PERSON, 60),
    ("年度检查合格证", "annual inspection certificate", HolderKind.ORGANISATION, 12),
    ("场所登记证", "premises registration", HolderKind.MIXED, 24),
    ("培训合格证", "training certificate", HolderKind.PERSON, None),
    ("安全评价证书", "safety assessment", HolderKind.ORGANISATION, 48),
    ("服务质量等级证", "service grade certificate", HolderKind.ORGANISATION, 36),
    ("设备检定证书", "equipment verification", HolderKind.MIXED, 12),
    ("临时占用许可证", "temporary occupation permit", HolderKind.MIXED, 6),
    ("变更核准书", "approval of a change", HolderKind.ORGANISATION, None),
    ("奖励证书", "certificate of merit", HolderKind.MIXED, None),
    ("荣誉证书", "certificate of honour", HolderKind.PERSON, None),
    ("工作证", "work card", HolderKind.PERSON, 24),
)
_COLOURS: Final = ("#1f4e79", "#24513f", "#7a4a00", "#5b2a6e", "#8c1c13", "#31478f", "#0f5c6b", "#3d4a52")
_LONGEST: Final = 100  # characters of a field
_SHARE: Final = 0.6  # of the offered fields that a type has
MOST: Final = len(_TRADES) * len(_DOCUMENTS)


def generate(count: int, *, seed: int, taken: Collection[str] = ()) -> tuple[LicenceType, ...]:
    """Return `count` (at most `MOST`) made-up types; codes and slugs in `taken` are left out.

    Raises:
        ValueError: there are not as many.
    """
    rng = Random(seed)  # noqa: S311 - made-up data that must come out the same again; nothing here is secret
    found = [kind for kind in _every(rng) if not {kind.code, kind.slug} & set(taken)]
    if not 0 <= count <= len(found):
        raise ValueError(f"from 0 to {len(found)} types can be made up")
    return tuple(sorted(rng.sample(found, count), key=lambda kind: kind.code))


def _every(rng: Random) -> Iterator[LicenceType]:
    for number in range(MOST):
        trade, document = divmod(number, len(_DOCUMENTS))
        yield _made(rng, number, _TRADES[trade], _DOCUMENTS[document])


def _made(
    rng: Random, number: int, trade: tuple[str, str], document: tuple[str, str, HolderKind, int | None]
) -> LicenceType:
    title, title_en, holder_kind, months = document
    return LicenceType(
        code=f"{_AUTHORITY.code}{number:03d}",
        slug=f"generated_{number:04d}",
        name=f"{trade[0]}{title}（演示）",
        name_en=f"{trade[1].capitalize()}: {title_en} (demonstration)",
        holder_kind=holder_kind,
        validity_months=months,
        single=False,
        defining_authority=_AUTHORITY,
        issuing_level=rng.choice((Level.CITY, Level.COUNTY)),
        number_pattern=f"示{number:04d}-{{year}}-{{serial}}",
        related_items=(RelatedItem(f"DM-G-{number:04d}", f"{trade[0]}{title}核发"),),
        fields=tuple(_fields(rng, trade[0])),
        derived=(),
        card=Card(rng.choice(_COLOURS), "#ffffff", "generated"),
        demonstration=True,
    )


def _fields(rng: Random, trade: str) -> Iterator[Field]:
    yield _field("scope", "许可范围", "Scope", f"{trade}（演示）", required=True)
    offered = (
        _field("grade", "等级", "Grade", "二级", FieldType.ENUM, required=True, choices=("一级", "二级", "三级")),
        _field("approved_on", "批准日期", "Approved on", "2026-03-02", FieldType.DATE, required=True),
        _field("site", "场所地址", "Site", "演示省示范市示范区演示路1号", mask=Mask.ADDRESS),
        _field("person_in_charge", "负责人", "Person in charge", "张示例", mask=Mask.NAME),
        _field("area", "面积（平方米）", "Area (square metres)", "120.50", FieldType.DECIMAL),
        _field("staff", "人数", "Staff", 12, FieldType.INTEGER),
    )
    yield from (field for field in offered if rng.random() < _SHARE)


def _field(
    name: str,
    title: str,
    title_en: str,
    example: str | int,
    kind: FieldType = FieldType.STRING,
    *,
    required: bool = False,
    choices: tuple[str, ...] = (),
    mask: Mask = Mask.NONE,
) -> Field:
    return Field(name, title, title_en, kind, required, example, _LONGEST, choices, mask)
