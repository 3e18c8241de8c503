"""What guards the demonstration city's look-ups: its rule for looks by law, and ten honey numbers (蜜罐号码)."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random
from typing import TYPE_CHECKING, Final

from sqlalchemy import exists, select

from licences.demo.numbers import CITY, citizen_number
from licences.guard import honey, rules
from licences.guard.models import GuardRule
from licences.guard.policy import ALLOW, LAW, Rule

if TYPE_CHECKING:
    from idservice.call import Call

DISTRICT: Final = "379931"  # of the city by its first digits; nobody lives in it
HOW_MANY: Final = 10
_REGION: Final = CITY[:4]
_SEED: Final = 20211
_EPOCH: Final = date(1960, 1, 1)
_DAYS: Final = 16_000


def numbers() -> tuple[str, ...]:
    """Return the honey numbers: valid, always the same, borne by nobody."""
    rng = Random(_SEED)  # noqa: S311 - made-up data that must come out the same again; FILE tells them anyway
    days = (_EPOCH + timedelta(days=rng.randrange(_DAYS)) for _ in range(HOW_MANY))
    return tuple(citizen_number(rng, district=DISTRICT, birth_date=day, male=bool(day.day % 2)) for day in days)


def set_up(call: Call) -> None:
    """Enter the rule and the honey numbers, once."""
    known = exists().where(GuardRule.ground == LAW, GuardRule.region == _REGION)
    if not call.session.scalar(select(known)):
        note = "演示市：依法定依据可查本市人员 Demonstration: by law, the city's own people"
        rules.put(call, Rule(ALLOW, region=_REGION, ground=LAW), note=note)
    if honey.count(call) < HOW_MANY:
        honey.put(call, numbers())
