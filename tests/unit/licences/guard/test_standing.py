"""What holds for a look-up is read as it is now, under every live secret of the index."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from idservice.call import House
from idservice.errors import Problem
from idservice.models import Department
from idservice.register.people import INDEX_FIELD
from keys.fields import FieldCipher
from keys.ring import Purpose
from licences.guard import honey, rules, standing, stop
from licences.guard.policy import ANY, DENY, Rule
from licences.guard.quota import LOOK_UPS, Quota
from licences.guard.standing import Standing
from tests.builders import act, build_house, migrate
from tests.databases import SqliteDatabases
from tests.identity import citizen_number

NOW = datetime.now(UTC)
DECOY = citizen_number("37169919900307127")
NUMBER = citizen_number("37160219900307123")


@pytest.fixture
def house(tmp_path: Path) -> House:
    return build_house(tmp_path, SqliteDatabases(tmp_path).fresh(migrate))


def read(house: House, number: str = NUMBER) -> Standing:
    return act(house, lambda call: standing.read(call, unit="U", operator="o", matter="M", number=number))


def test_only_what_concerns_this_look(house: House) -> None:
    first = read(house)
    assert (first.stops, first.quota, first.unit_region, first.is_honey) == (frozenset(), LOOK_UPS, "", False)
    assert [rule.region for rule in first.rules] == ["own"], "the row to begin with"
    mine, other = Rule(DENY, unit="U", operator="o", matter="M"), Rule(DENY, unit="V")
    act(house, lambda call: [rules.put(call, rule, note="") for rule in (mine, other)])
    for code in ("U", "V"):
        unit = Department(credit_code=code, name=code, name_en=code, region="370000")
        act(house, lambda call, unit=unit: call.session.add(unit))
        act(house, lambda call, code=code: stop.put(call, scope="unit", target=code, reason="x"))
    with pytest.raises(Problem, match="not_found"):
        act(house, lambda call: stop.put(call, scope="unit", target="W", reason="x"))
    act(house, lambda call: rules.limit(call, ANY, Quota(1, 2, 3)))
    found = read(house)
    assert mine in found.rules
    assert other not in found.rules
    assert (found.stops, found.quota, found.unit_region) == (frozenset({"unit"}), Quota(1, 2, 3), "370000")
    act(house, lambda call: rules.limit(call, "U", Quota(7, 8, 9)))
    assert read(house).quota == Quota(7, 8, 9)


def test_a_honey_number_is_known_under_the_older_secret_too(house: House) -> None:
    act(house, lambda call: honey.put(call, [DECOY]))
    before = house.cipher.index(INDEX_FIELD, DECOY)
    made = house.keys.new(Purpose.INDEX, now=NOW)
    assert house.keys.rotate(Purpose.INDEX, now=NOW + timedelta(days=1)) == made
    assert FieldCipher(house.keys).index(INDEX_FIELD, DECOY) != before
    assert read(house, DECOY).is_honey
    assert not read(house).is_honey
