"""Who may look up whom (查询权限): operator x unit x matter x the subject's city, as rows of data.

What no row allows is denied; a row that denies goes before every row that allows. A row is of every unit, operator or
matter where it says `*`. Its region is a GB/T 2260 code, or the beginning of one; `own` means the unit's own city and
what lies below the unit (级联): a province sees its cities, a city or a district of it sees that city. A subject's city
is that of his number.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from idservice.numbers import citizen

if TYPE_CHECKING:
    from collections.abc import Iterable

ANY: Final = "*"
OWN: Final = "own"
ALLOW: Final = "allow"
DENY: Final = "deny"
HOLDER: Final = "holder"  # the holder showed a code, consented or gave a mandate
LAW: Final = "law"  # he was not asked: a legal basis is named
EFFECTS: Final = (ALLOW, DENY)
GROUNDS: Final = (HOLDER, LAW, ANY)
REGION: Final = re.compile(r"\*|own|[0-9]{2}([0-9]{2}([0-9]{2})?)?")

_MUNICIPALITIES: Final = frozenset({"11", "12", "31", "50"})  # 直辖市: one city each, whatever the third digit says


@dataclass(frozen=True, slots=True)
class Rule:
    """One row. `unit` is a credit code, `operator` a subject, `matter` a code; each may be `*`."""

    effect: str
    unit: str = ANY
    operator: str = ANY
    matter: str = ANY
    region: str = OWN
    ground: str = HOLDER


@dataclass(frozen=True, slots=True)
class Look:
    """What is asked for: who, from which unit that lies where, for which matter, about a number of which region."""

    unit: str
    unit_region: str
    operator: str
    matter: str
    region: str
    ground: str = HOLDER


def is_covered(look: Look, rules: Iterable[Rule]) -> bool:
    """Return whether some row allows a look and none denies it."""
    effects = {rule.effect for rule in rules if _matches(rule, look)}
    return ALLOW in effects and DENY not in effects


def region_of(number: str) -> str:
    """Return the six digits of the region in a citizen number (GB 11643) or a credit code (GB 32100 clause 5.4)."""
    return number[:6] if citizen.is_valid(number) else number[2:8]


def reach(region: str) -> str:
    """Return the beginning that the codes of all regions in a unit's reach have: its province's, or its city's."""
    if region.endswith("0000") or region[:2] in _MUNICIPALITIES:
        return region[:2]
    return region[:4]


def _matches(rule: Rule, look: Look) -> bool:
    pairs = ((rule.unit, look.unit), (rule.operator, look.operator), (rule.matter, look.matter))
    named = all(wanted in {ANY, given} for wanted, given in (*pairs, (rule.ground, look.ground)))
    return named and _in_region(rule.region, look)


def _in_region(region: str, look: Look) -> bool:
    if region == ANY:
        return True
    wanted = reach(look.unit_region) if region == OWN else region
    return bool(wanted) and look.region.startswith(wanted)  # a unit we do not know has no region, and sees nobody
