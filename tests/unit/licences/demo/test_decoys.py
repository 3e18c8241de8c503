"""The demonstration's honey numbers: valid, always the same, of a region nobody lives in."""

from idservice.numbers import citizen, regions
from licences.demo import decoys
from licences.demo.numbers import DISTRICTS


def test_ten_valid_numbers_of_nobody() -> None:
    found = decoys.numbers()
    assert len(set(found)) == decoys.HOW_MANY == 10
    assert found == decoys.numbers()
    assert all(citizen.is_valid(number) for number in found)
    assert {number[:6] for number in found} == {decoys.DISTRICT}
    assert decoys.DISTRICT not in DISTRICTS
    assert regions.name(decoys.DISTRICT) is None
