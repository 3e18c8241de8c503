"""The forty organisations of the demonstration city and the people who act for them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

from licences.demo.numbers import DISTRICTS, organisation_code

if TYPE_CHECKING:
    from random import Random

    from licences.demo.people import DemoPerson

ORGANISATIONS: Final = 40
INSTITUTIONS: Final = 6
#: The first representative stands at this place among the people, so that the first accounts stay plain citizens.
FIRST_REPRESENTATIVE: Final = 20

_TRADES = ("餐饮管理", "软件科技", "货物运输", "百货商贸", "建筑工程", "农产品", "文化传播", "物流", "食品", "医药")
_INSTITUTIONS = ("第一人民医院", "实验学校", "图书馆", "公共检测中心", "群众艺术馆", "职业技能鉴定中心")
_WORDS = ("启明", "和顺", "青禾", "云帆", "长宁", "嘉木", "远山", "新泽", "博文", "晨光", "海棠", "金穗")


@dataclass(frozen=True, slots=True)
class DemoOrganisation:
    """One made-up organisation; `agent` may act for it (经办人), `representative` is its legal representative."""

    credit_code: str
    name: str
    is_institution: bool
    representative: DemoPerson
    agent: DemoPerson
    established_on: date
    address: str


def make_organisations(rng: Random, people: tuple[DemoPerson, ...], today: date) -> tuple[DemoOrganisation, ...]:
    """Return `ORGANISATIONS`: companies first, then public institutions; every third has an agent beside its head."""
    made = []
    for place in range(ORGANISATIONS):
        institution = place >= ORGANISATIONS - INSTITUTIONS
        representative = people[FIRST_REPRESENTATIVE + place]
        district = rng.choice(tuple(DISTRICTS.values()))
        made.append(
            DemoOrganisation(
                credit_code=organisation_code("12" if institution else "91", 1000 + place),
                name=_institution_name(place) if institution else _company_name(place),
                is_institution=institution,
                representative=representative,
                agent=people[FIRST_REPRESENTATIVE + ORGANISATIONS + place] if place % 3 == 2 else representative,
                established_on=today - timedelta(days=rng.randrange(400, 9_000)),
                address=f"演示省示范市{district}示范大道{100 + place}号",
            )
        )
    return tuple(made)


def _company_name(place: int) -> str:
    return f"示范市{_WORDS[place % len(_WORDS)]}{_TRADES[place % len(_TRADES)]}有限公司（演示）"


def _institution_name(place: int) -> str:
    return f"示范市{_INSTITUTIONS[place - ORGANISATIONS + INSTITUTIONS]}（演示）"
