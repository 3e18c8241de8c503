"""A consent covers one matter, one unit or any, until its day or its withdrawal."""

from datetime import timedelta

import pytest

from idservice.call import Caller
from idservice.errors import Problem
from licences.counter import consents, matters
from tests.town import ALICE, BOB, CIVIL, MATTER, SECURITY, Town, now


def give(town: Town, **body: object) -> str:
    whole = {"matter": MATTER, "days": 1, **body}
    return town.act(lambda call: consents.give(call, whole), caller=town.caller(ALICE)).consent_id


def covers(
    town: Town, consent: str, *, who: str = ALICE, matter: str = MATTER, unit: str = SECURITY, days: float = 0
) -> bool:
    return town.act(
        lambda call: consents.covers(call, town.subjects[who], consent, matter=matter, department=unit),
        now=now() + timedelta(days=days),
    )


def test_it_covers_its_matter_for_any_unit_and_no_other_subject(town: Town) -> None:
    given = give(town)
    assert covers(town, given)
    assert covers(town, given, unit=CIVIL)
    assert not covers(town, given, who=BOB)
    assert not covers(town, given, matter="DM-M-001")
    assert not covers(town, "0" * 32)
    assert not covers(town, "%")


def test_it_can_be_for_one_unit(town: Town) -> None:
    given = give(town, department=CIVIL)
    assert covers(town, given, unit=CIVIL)
    assert not covers(town, given, unit=SECURITY)


def test_it_ends_on_its_day(town: Town) -> None:
    given = give(town)
    assert covers(town, given, days=0.99)
    assert not covers(town, given, days=1.01)


def test_it_ends_when_it_is_withdrawn_and_stays_as_it_ended(town: Town) -> None:
    given = give(town)
    with pytest.raises(Problem):
        town.act(lambda call: consents.withdraw(call, given), caller=town.caller(BOB))
    first = town.act(lambda call: consents.withdraw(call, given), caller=town.caller(ALICE)).withdrawn_at
    assert not covers(town, given)
    again = town.act(lambda call: consents.withdraw(call, given), caller=town.caller(ALICE)).withdrawn_at
    assert first is not None
    assert again == first


def test_a_system_on_its_own_consents_to_nothing(town: Town) -> None:
    system = Caller(channel="api", client_id="x", all_departments=True)
    for deed in (
        lambda call: consents.give(call, {"matter": MATTER, "days": 1}),
        lambda call: consents.withdraw(call, "0"),
    ):
        with pytest.raises(Problem) as refused:
            town.act(deed, caller=system)
        assert refused.value.code == "forbidden"


def test_an_unknown_matter_is_not_found(town: Town) -> None:
    with pytest.raises(Problem) as refused:
        town.act(lambda call: matters.find(call, "NO-SUCH"))
    assert refused.value.code == "not_found"
