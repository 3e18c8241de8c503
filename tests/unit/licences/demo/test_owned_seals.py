"""The seals of the demonstration's companies and persons: made once, used by their owners."""

from licences.demo import owned_seals, seed
from licences.demo.city import DemoCity
from seals.lifecycle import State
from seals.models import Seal
from tests.unit.licences.demo.test_seed import TOWN, house

__all__ = ["house"]


def listed(house: object, town: DemoCity) -> list[dict[str, str]]:
    return seed.act(house, owned_seals.listed, town)  # type: ignore[arg-type]


def test_they_are_made_once(house: object) -> None:
    before = listed(house, TOWN)
    assert [one["kind"] for one in before] == ["personal", "official", "contract", "representative"]
    assert len({one["seal_id"] for one in before}) == 4
    owned_seals.make(house, TOWN)  # type: ignore[arg-type]
    assert listed(house, TOWN) == before


def test_they_are_in_force_and_named_after_their_owners(house: object) -> None:
    company = TOWN.organisations[0]

    def seals(call: object) -> list[Seal]:
        return [call.session.get_one(Seal, one["seal_id"]) for one in owned_seals.listed(call, TOWN)]  # type: ignore[arg-type, attr-defined]

    made = seed.act(house, seals)  # type: ignore[arg-type]
    assert {seal.state for seal in made} == {State.IN_FORCE}
    assert made[1].name == company.name
    assert (
        made[3].name == f"{company.representative.name[0]}{'*' * (len(company.representative.name) - 1)}法定代表人名章"
    )
