"""The policy as the full matrix: operator x unit x matter x the subject's city x ground."""

from itertools import product

import pytest

from licences.guard.policy import ALLOW, ANY, DENY, HOLDER, LAW, OWN, Look, Rule, is_covered, reach, region_of
from tests.identity import citizen_number, company_code

UNITS = {"county": "371602", "city": "371600", "province": "370000", "other": "110105"}
SUBJECTS = {"371602": "same city", "371621": "same city", "370602": "same province", "110101": "far away"}


def look(unit: str, region: str, *, matter: str = "M1", operator: str = "o1", ground: str = HOLDER) -> Look:
    return Look(unit, UNITS[unit], operator, matter, region, ground)


def test_own_city_and_what_lies_below() -> None:
    """The whole matrix of the rule to begin with: nothing else is covered."""
    covered = {
        (unit, region, ground)
        for unit, region, ground in product(UNITS, SUBJECTS, (HOLDER, LAW))
        if is_covered(look(unit, region, ground=ground), [Rule(ALLOW)])
    }
    same_city, province = ("371602", "371621"), ("371602", "371621", "370602")
    assert covered == {
        *(("county", region, HOLDER) for region in same_city),
        *(("city", region, HOLDER) for region in same_city),
        *(("province", region, HOLDER) for region in province),
        ("other", "110101", HOLDER),  # a district of a municipality sees the municipality
    }


def test_every_column_of_a_row_narrows_and_a_row_that_denies_wins() -> None:
    cells = list(product(("o1", "o2"), ("county", "other"), ("M1", "M2"), SUBJECTS, (HOLDER, LAW)))
    allow = Rule(ALLOW, unit="county", operator="o1", matter="M1", region="3716", ground=LAW)
    deny = Rule(DENY, operator="o1", region="371621", ground=ANY)

    def covered(*rules: Rule) -> set[tuple[str, str, str, str, str]]:
        return {
            cell
            for cell in cells
            for operator, unit, matter, region, ground in [cell]
            if is_covered(look(unit, region, matter=matter, operator=operator, ground=ground), rules)
        }

    only = {("o1", "county", "M1", "371602", LAW), ("o1", "county", "M1", "371621", LAW)}
    assert covered() == set()
    assert covered(allow) == only
    assert covered(allow, deny) == {("o1", "county", "M1", "371602", LAW)}
    assert covered(deny) == set()
    assert covered(Rule(ALLOW, region=ANY, ground=ANY)) == set(cells)


@pytest.mark.parametrize(
    ("region", "prefix"), [("370000", "37"), ("371600", "3716"), ("371602", "3716"), ("310101", "31"), ("", "")]
)
def test_reach(region: str, prefix: str) -> None:
    assert reach(region) == prefix


def test_a_unit_we_do_not_know_reaches_nobody() -> None:
    nowhere = Look("x", "", "o1", "M1", "371602")
    assert not is_covered(nowhere, [Rule(ALLOW, region=OWN)])
    assert not is_covered(Look("x", "371602", "o1", "M1", ""), [Rule(ALLOW, region=OWN)])


def test_the_region_of_a_number() -> None:
    assert region_of(citizen_number("37160219900307123")) == "371602"
    assert region_of(company_code("9137160210002000")) == "371602"
