from collections import Counter
from datetime import UTC, date, datetime, time

import pytest

from idservice.numbers import citizen, credit_code, regions
from licences import lifecycle, metadata
from licences.counter.matter_definition import shipped_matters
from licences.definition import validate_fields
from licences.definition_file import shipped_types
from licences.demo import faces
from licences.demo.city import DemoCity, city
from licences.demo.wallets import EMPTY_HANDED, DemoLicence
from licences.lifecycle import Party, State

TODAY = date(2026, 11, 22)
TYPES = {of.code: of for of in shipped_types()}
CITIES = {seed: city(seed, today=TODAY) for seed in (0, 1, 2026)}
EVERY_CITY = pytest.mark.parametrize("town", CITIES.values(), ids=CITIES)


def state(licence: DemoLicence) -> State:
    stored = lifecycle.apply(None, lifecycle.Change.ISSUE, by=Party.ISSUER)
    if licence.then is not None:
        stored = lifecycle.apply(stored, licence.then, by=Party.ISSUER, reason=licence.reason)
    now = datetime.combine(TODAY, time(4), UTC)
    return lifecycle.state_at(stored, valid_from=licence.valid_from, valid_until=licence.valid_until, now=now)


def test_the_same_arguments_give_the_same_city() -> None:
    assert city(1, today=TODAY) == CITIES[1]
    assert CITIES[0].people != CITIES[1].people


@EVERY_CITY
def test_sizes(town: DemoCity) -> None:
    assert (len(town.people), len(town.organisations)) == (200, 40)
    assert len(town.departments) >= 6
    assert len(town.clerks) >= 2
    assert 500 <= len(town.licences) <= 900


@EVERY_CITY
def test_numbers_are_valid_and_of_no_real_place(town: DemoCity) -> None:
    for person in town.people:
        found = citizen.parts(person.number, today=TODAY)
        assert (found.birth_date, found.sex is citizen.Sex.MALE) == (person.birth_date, person.male)
        assert regions.name(found.region_code) is None
        assert TODAY.year - person.birth_date.year >= 18
    codes = [entry.credit_code for entry in (*town.organisations, *town.departments)]
    assert all(credit_code.is_valid(code) and regions.name(code[2:8]) is None for code in codes)
    assert len(set(codes)) == len(codes)
    for of_people in ("number", "name", "phone"):
        assert len({getattr(person, of_people) for person in town.people}) == 200
    assert all(person.phone.startswith("100") and len(person.phone) == 11 for person in town.people)


@EVERY_CITY
def test_organisations_are_marked(town: DemoCity) -> None:
    assert all("演示" in entry.name for entry in (*town.organisations, *town.departments))
    assert len({entry.name for entry in town.organisations}) == 40
    assert all(entry.representative in town.people and entry.agent in town.people for entry in town.organisations)
    assert sum(entry.agent != entry.representative for entry in town.organisations) > 5


@EVERY_CITY
def test_staff_are_nobody_s_agent(town: DemoCity) -> None:
    staff = {entry.officer.number for entry in town.departments} | {entry.person.number for entry in town.clerks}
    assert len(staff) == len(town.departments) + len(town.clerks)
    seconds = {entry.second_officer.number for entry in town.departments if entry.second_officer is not None}
    assert len(seconds) == 1
    assert not staff & seconds
    staff |= seconds
    assert not staff & {entry.agent.number for entry in town.organisations}
    assert not staff & {person.number for person in town.people[:100]}
    assert {clerk.department for clerk in town.clerks} <= {entry.credit_code for entry in town.departments}


@EVERY_CITY
def test_what_takes_two_people_can_be_tried_and_is_held_by_nobody(town: DemoCity) -> None:
    sensitive = {code for code, of in TYPES.items() if of.sensitive}
    assert {TYPES[code].slug for code in sensitive} >= {"death_certificate", "registration_proof"}
    for department in town.departments:
        assert (department.second_officer is None) == sensitive.isdisjoint(department.issues)
    assert not sensitive & {licence.type_code for licence in town.licences}, "one person changes what the city holds"


@EVERY_CITY
def test_every_type_has_one_issuer_and_some_holders(town: DemoCity) -> None:
    issued = Counter(code for entry in town.departments for code in entry.issues)
    assert issued == Counter(list(TYPES))
    assert {TYPES[licence.type_code].slug for licence in town.licences} == {*faces.FOR_PERSON, *faces.FOR_ORGANISATION}


@EVERY_CITY
def test_every_licence_could_be_issued(town: DemoCity) -> None:
    people = {person.number: person.name for person in town.people}
    organisations = {entry.credit_code: entry.name for entry in town.organisations}
    issuers = {entry.credit_code: entry.issues for entry in town.departments}
    held = Counter((licence.holder_number, licence.type_code) for licence in town.licences)
    for licence in town.licences:
        of = TYPES[licence.type_code]
        number = licence.holder_number
        make = metadata.person if number in people else metadata.organisation
        holder = make({**people, **organisations}[number], number)
        assert of.accepts(metadata.holder_kind(holder))
        assert validate_fields(of, licence.fields) == licence.fields
        assert licence.type_code in issuers[licence.department]
        assert licence.valid_until is None or licence.valid_from < licence.valid_until
        assert not of.single or held[number, of.code] == 1


@EVERY_CITY
def test_every_state_can_be_met_but_not_by_the_first(town: DemoCity) -> None:
    states = Counter(state(licence) for licence in town.licences)
    assert set(states) >= {State.VALID, State.SUSPENDED, State.REVOKED, State.EXPIRED, State.NOT_YET_VALID}
    calm = {person.number for person in town.people[:100]} | {entry.credit_code for entry in town.organisations[:20]}
    assert {state(licence) for licence in town.licences if licence.holder_number in calm} == {State.VALID}


@EVERY_CITY
def test_the_first_licence_of_a_holder_is_valid(town: DemoCity) -> None:
    first: dict[str, DemoLicence] = {}
    for licence in town.licences:
        first.setdefault(licence.holder_number, licence)
    assert {state(licence) for licence in first.values()} == {State.VALID}
    without = {person.number for person in town.people} - first.keys()
    assert without == {town.people[place].number for place in EMPTY_HANDED}


@EVERY_CITY
def test_the_first_person_can_show_every_kind(town: DemoCity) -> None:
    held = {licence.type_code for licence in town.licences if licence.holder_number == town.people[0].number}
    assert {TYPES[code].slug for code in held} == set(faces.FOR_PERSON)


@EVERY_CITY
def test_couples_name_each_other(town: DemoCity) -> None:
    code = next(of.code for of in TYPES.values() if of.slug == "marriage_certificate")
    spouses = {entry.holder_number: entry.fields["spouse_number"] for entry in town.licences if entry.type_code == code}
    assert len(spouses) == 100
    assert all(spouses[str(spouse)] == number for number, spouse in spouses.items())


@EVERY_CITY
def test_every_matter_can_be_served_to_somebody(town: DemoCity) -> None:
    held: dict[str, set[str]] = {}
    for licence in town.licences:
        held.setdefault(licence.holder_number, set()).add(licence.type_code)
    for matter in shipped_matters():
        needed = {proof.type_code for proof in matter.proofs if proof.required and proof.type_code}
        assert any(needed <= types for types in held.values()), matter.name


def test_a_repr_shows_no_number() -> None:
    town = CITIES[1]
    assert town.people[0].number not in repr(town.people[0])
    assert town.licences[0].holder_number not in repr(town.licences[0])


@pytest.mark.parametrize("today", [date(2024, 2, 29), date(2031, 1, 1)])
def test_the_city_works_on_any_day(today: date) -> None:
    town = city(7, today=today)
    assert all(citizen.is_valid(person.number, today=today) for person in town.people)
    assert all(validate_fields(TYPES[licence.type_code], licence.fields) for licence in town.licences)
