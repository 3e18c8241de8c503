"""What stands on the licences of the demonstration city: field values for each kind of licence, by its slug."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from random import Random

    from licences.demo.organisations import DemoOrganisation
    from licences.demo.people import DemoPerson
    from licences.surface import Value

Face = dict[str, "Value"]


@dataclass(frozen=True, slots=True)
class Person:
    """A person with what a face may say about him: his spouse, his mother, and the day it is."""

    self: DemoPerson
    spouse: DemoPerson | None
    mother: DemoPerson
    today: date


def marriage_day(person: DemoPerson, spouse: DemoPerson) -> date:
    """Return the day a couple married: soon after the younger one turned 22, and the same for both."""
    younger = max(person.birth_date, spouse.birth_date)
    return younger + timedelta(days=22 * 366 + (person.birth_date.day + spouse.birth_date.day) * 11)


def _resident_card(rng: Random, who: Person) -> Face:
    return {"ethnicity": rng.choice(("汉族",) * 8 + ("回族", "满族")), "address": who.self.address}


def _driving_licence(rng: Random, who: Person) -> Face:
    return {
        "nationality": "中国",
        "address": who.self.address,
        "first_issued_on": (who.self.birth_date + timedelta(days=18 * 366 + rng.randrange(200))).isoformat(),
        "vehicle_class": rng.choice(("C1", "C1", "C1", "C2", "B2", "A2")),
        "file_number": f"3799{rng.randrange(10**8):08d}",
    }


def _household_register(rng: Random, who: Person) -> Face:
    wife = who.spouse is not None and not who.self.male
    return {
        "household_number": f"{who.self.district}{rng.randrange(10**6):06d}",
        "household_type": "家庭户",
        "householder_name": who.spouse.name if wife and who.spouse else who.self.name,
        "relation_to_householder": "配偶" if wife else "户主",
        "address": who.self.address,
        "registered_on": (who.today - timedelta(days=rng.randrange(400, 4_000))).isoformat(),
        "members": rng.randrange(2, 5) if who.spouse else 1,
    }


def _real_estate_title(rng: Random, address: str, district: str) -> Face:
    building, room = rng.randrange(1, 30), 100 * rng.randrange(1, 19) + rng.randrange(1, 5)
    return {
        "co_ownership": "单独所有",
        "location": f"{address}{building}幢{room}室",
        "unit_number": f"{district}001001GB{rng.randrange(1, 10**5):05d}F{building:04d}{room:04d}",
        "right_type": "国有建设用地使用权/房屋所有权",
        "right_nature": rng.choice(("出让/市场化商品房", "划拨/房改房")),
        "land_use": "城镇住宅用地/住宅",
        "area": f"{rng.randrange(5_000, 18_000) / 100:.2f}",
        "remark": "演示数据",
    }


def _disability_card(rng: Random, who: Person) -> Face:
    return {
        "disability_category": rng.choice(("视力", "听力", "肢体")),
        "disability_level": rng.choice(("一级", "二级", "三级", "四级")),
        "address": who.self.address,
    }


def _marriage_certificate(_rng: Random, who: Person) -> Face:
    if who.spouse is None:
        raise ValueError("nobody is married alone")
    return {
        "registered_on": marriage_day(who.self, who.spouse).isoformat(),
        "spouse_name": who.spouse.name,
        "spouse_number": who.spouse.number,
        "remark": "演示数据",
    }


def _vocational_qualification(rng: Random, who: Person) -> Face:
    return {
        "occupation": rng.choice(("电工", "焊工", "中式烹调师", "保育师", "养老护理员", "计算机程序设计员")),
        "qualification_level": rng.choice(("五级/初级工", "四级/中级工", "三级/高级工", "二级/技师")),
        "assessed_on": (who.today - timedelta(days=rng.randrange(100, 2_000))).isoformat(),
        "assessment_body": "示范市职业技能鉴定中心（演示）",
    }


def _birth_certificate(rng: Random, who: Person) -> Face:
    return {
        "birth_time": f"{rng.randrange(24):02d}时{rng.randrange(60):02d}分",
        "gestation_weeks": rng.randrange(37, 42),
        "weight_grams": rng.randrange(2_600, 4_000),
        "birth_place": "演示省示范市示范区",
        "medical_institution": "示范市第一人民医院（演示）",
        "mother_name": who.mother.name,
        "mother_number": who.mother.number,
    }


def _social_security_card(_rng: Random, who: Person) -> Face:
    return {
        "card_number": f"DM{who.self.phone[-7:]}",
        "bank": "示范银行（演示）",
        "valid_region": "演示省示范市",
    }


def _road_transport_permit(rng: Random) -> Face:
    return {
        "plate_number": f"示Z·DM{rng.randrange(1_000):03d}",
        "vehicle_type": rng.choice(("重型厢式货车", "中型普通货车", "轻型厢式货车")),
        "operating_permit_number": f"3799{rng.randrange(10**8):08d}",
        "load_kilograms": rng.randrange(1_500, 18_000, 100),
        "seats": 3,
        "business_scope": "道路普通货物运输",
    }


def _business_licence(rng: Random, who: DemoOrganisation) -> Face:
    return {
        "organisation_type": "有限责任公司",
        "legal_representative": who.representative.name,
        "registered_capital": f"{rng.randrange(10, 2_000)}.00",
        "established_on": who.established_on.isoformat(),
        "address": who.address,
        "business_scope": "食品销售；餐饮服务；道路货物运输；软件开发；日用百货销售（演示）",
    }


def _food_permit(rng: Random, who: DemoOrganisation) -> Face:
    return {
        "legal_representative": who.representative.name,
        "business_site": who.address,
        "main_business": rng.choice(("餐饮服务经营者", "食品销售经营者")),
        "business_items": "热食类食品制售；预包装食品销售（演示）",
        "online": rng.random() < 0.4,
    }


def _institution_certificate(rng: Random, who: DemoOrganisation) -> Face:
    return {
        "legal_representative": who.representative.name,
        "purpose": "开展公共服务，促进社会事业发展（演示）",
        "address": who.address,
        "funding_source": rng.choice(("财政补助", "经费自理")),
        "opening_funds": str(rng.randrange(50, 3_000)),
        "organiser": "示范市人民政府（演示）",
    }


FOR_PERSON: Mapping[str, Callable[[Random, Person], Face]] = MappingProxyType(
    {
        "resident_card": _resident_card,
        "driving_licence": _driving_licence,
        "household_register": _household_register,
        "real_estate_title": lambda rng, who: _real_estate_title(rng, who.self.address, who.self.district),
        "vocational_qualification": _vocational_qualification,
        "birth_certificate": _birth_certificate,
        "disability_card": _disability_card,
        "marriage_certificate": _marriage_certificate,
        "social_security_card": _social_security_card,
        "road_transport_permit": lambda rng, _who: _road_transport_permit(rng),
    }
)

FOR_ORGANISATION: Mapping[str, Callable[[Random, DemoOrganisation], Face]] = MappingProxyType(
    {
        "business_licence": _business_licence,
        "institution_certificate": _institution_certificate,
        "food_permit": _food_permit,
        "real_estate_title": lambda rng, who: _real_estate_title(rng, who.address, "379901"),
        "road_transport_permit": lambda rng, _who: _road_transport_permit(rng),
    }
)
