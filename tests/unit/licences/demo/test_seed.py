"""A few people of the city, enrolled and issued to on a real database: whole, interrupted, and again."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import delete, func, select

from idservice.call import Call, House
from idservice.errors import Problem
from idservice.login.password import matches
from idservice.models import Client, Mandate, Password, Person, Staff
from idservice.oauth import initial_tokens
from idservice.oauth.models import InitialAccessToken
from idservice.register import people
from licences import artefacts, catalogue, change
from licences.catalogue_models import LicenceTypeVersion
from licences.definition_file import shipped_types
from licences.demo import charter, credentials, file, owned_seals, seed
from licences.demo.city import DemoCity, city
from licences.demo.clients import CLIENTS
from licences.demo.departments import SEAL_OFFICE
from licences.demo.organisations import FIRST_REPRESENTATIVE
from licences.judging import seal_check
from licences.models import IssuingAuthority, Licence, LicenceType
from licences.sharing.models import SharingPermission
from seals.models import Seal
from tests.builders import build_house, migrate
from tests.databases import Databases

FOUNDED = replace(charter.draw_up(datetime.now(UTC), "http://127.0.0.1:8000"), root=bytes(range(32)))
#: The first two of them hold licences that were suspended or revoked.
TROUBLED = slice(100, 106)


def small_city() -> DemoCity:
    whole = city(FOUNDED.seed, today=FOUNDED.day)
    seconds = {one for d in whole.departments if (one := d.second_officer) is not None}
    staff = (*(d.officer for d in whole.departments), *seconds, *(clerk.person for clerk in whole.clerks))
    organisations = whole.organisations[:1]
    holders = (whole.people[0], *whole.people[TROUBLED])
    numbers = {holder.number for holder in holders} | {organisations[0].credit_code}
    return replace(
        whole,
        people=(*holders, whole.people[FIRST_REPRESENTATIVE], *staff),
        organisations=organisations,
        licences=tuple(licence for licence in whole.licences if licence.holder_number in numbers),
    )


TOWN = small_city()


@pytest.fixture(scope="module")
def house(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    url = databases.fresh(migrate)
    made = build_house(tmp_path_factory.mktemp("seed"), url, seal_office=SEAL_OFFICE)
    _interrupt(made)
    seed.build(made, FOUNDED, TOWN, tick=lambda _steps: None)
    yield made
    made.database.engine.dispose()
    databases.drop(url)


def _interrupt(house: House) -> None:
    """Build until the middle of the licences, and not to the end."""
    left = seed.effort(TOWN) - len(TOWN.licences) // 2

    def tick(steps: int) -> None:
        nonlocal left
        left -= steps
        if left < 0:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        seed.build(house, FOUNDED, TOWN, tick=tick)


def count(house: House, *tables: type) -> list[int]:
    return seed.act(house, lambda call: [call.session.scalar(select(func.count()).select_from(t)) or 0 for t in tables])


def test_a_set_up_that_was_interrupted_is_completed_and_doubles_nothing(house: House) -> None:
    tables = (Person, Password, Licence, Seal, Mandate, Staff, Client)
    seals = len(TOWN.departments) + len(owned_seals.owned(TOWN))
    wanted = [len(TOWN.people), len(TOWN.people), len(TOWN.licences), seals, 1]
    seconds = sum(department.second_officer is not None for department in TOWN.departments)
    wanted += [len(TOWN.departments) + seconds + len(TOWN.clerks), len(CLIENTS)]
    assert count(house, *tables) == wanted
    steps: list[int] = []
    seed.build(house, FOUNDED, TOWN, tick=steps.append)
    assert count(house, *tables) == wanted
    assert sum(steps) == seed.effort(TOWN)


def test_a_city_of_an_earlier_version_gets_what_it_lacks(house: House) -> None:
    tables, before = (Client, InitialAccessToken), count(house, Client, InitialAccessToken)

    def forget(call: Call) -> None:
        call.session.execute(delete(InitialAccessToken))
        call.session.execute(delete(Client).where(Client.client_id == "app-jwt"))
        for table, code in ((LicenceTypeVersion, "code"), (IssuingAuthority, "type_code"), (LicenceType, "code")):
            call.session.execute(delete(table).where(getattr(table, code) == lacking))
        catalogue.forget(call)

    lacking = next(kind.code for kind in shipped_types() if kind.slug == "student_card")
    seed.act(house, forget)
    for _ in range(2):  # at every start
        seed.keep_up(house, FOUNDED, TOWN)
        assert count(house, *tables) == before
    assert seed.act(house, catalogue.find, lacking).authorities
    token = credentials.initial_access_token(FOUNDED)
    assert seed.act(house, initial_tokens.find, token) is not None


def test_the_sharing_system_may_read_a_few_types_that_two_agreed_to(house: House) -> None:
    rows = seed.act(house, lambda call: list(call.session.scalars(select(SharingPermission))))
    assert len(rows) == 4
    assert all(row.client_id == "share" and row.agreed_by not in {None, row.asked_by} for row in rows)


def test_every_licence_is_sealed_and_in_its_state(house: House) -> None:
    def look(call: Call) -> None:
        for licence in TOWN.licences:
            subject = people.find(call, licence.holder_number)
            row = call.session.scalars(
                select(Licence).where(Licence.subject == subject, Licence.type_code == licence.type_code)
            ).one()
            assert seal_check(call, row, artefacts.open_record(call, row)).result == "ok"
            assert row.valid_from == licence.valid_from
            expected = {"suspend": "suspended", "revoke": "revoked", None: "valid"}[licence.then]
            assert row.state == expected

    assert {licence.then for licence in TOWN.licences} == {"suspend", "revoke", None}
    seed.act(house, look)


def test_file_s_passwords_are_good_and_its_licences_in_order(house: House) -> None:
    members = seed.act(house, file.content, FOUNDED, TOWN, {"ONA_DEMO": "1"})
    for entry in (members["people"][0], members["clerks"][0]):
        hashed = seed.act(house, _hash_of, entry["id_number"])
        assert matches(house, hashed, entry["password"])
        assert entry["password"] == credentials.password(FOUNDED, entry["id_number"])
    first = [licence.type_code for licence in TOWN.licences if licence.holder_number == TOWN.people[0].number]
    shown = [code.split(".")[5] for code in members["people"][0]["licences"]]
    assert shown == first
    assert members["environment"] == {"ONA_DEMO": "1"}
    assert len(members["organisations"][0]["licences"]) > 0
    assert all(len(department["seal_id"]) == 14 for department in members["departments"])


def test_a_renewed_licence_is_listed_in_its_newest_version(house: House) -> None:
    def renew(call: Call) -> str:
        subject = people.find(call, TOWN.people[0].number)
        held = call.session.scalars(select(Licence).where(Licence.subject == subject, Licence.state == "valid"))
        old = next(row.identifier for row in held if row.valid_until is not None)
        body = {"change": "renew", "reason": "到期换证"}
        return str(change.change(call, old, body, change.intend(call, old, body))["licence"].identifier)

    newest = seed.act(house, renew)
    members = seed.act(house, file.content, FOUNDED, TOWN, {})
    assert newest in members["people"][0]["licences"]
    assert len(members["people"][0]["licences"]) == len(set(members["people"][0]["licences"])) == 10


def test_a_database_of_others_is_refused(databases: Databases, tmp_path: Path, house: House) -> None:
    assert seed.is_inhabited(house, TOWN)
    url = databases.fresh(migrate)
    other = build_house(tmp_path, url)
    assert not seed.is_inhabited(other, TOWN)
    stranger = TOWN.people[1]
    seed.act(other, people.enrol, number=stranger.number, name=stranger.name)
    with pytest.raises(seed.ForeignDatabaseError):
        seed.is_inhabited(other, TOWN)
    other.database.engine.dispose()
    databases.drop(url)


def test_the_same_database_with_lost_keys_is_refused(house: House, tmp_path: Path) -> None:
    url = house.settings.database_url
    with_other_keys = build_house(tmp_path, url)
    with pytest.raises(seed.ForeignDatabaseError):
        seed.is_inhabited(with_other_keys, TOWN)
    with_other_keys.database.engine.dispose()


def test_a_refused_licence_stops_the_set_up(house: House) -> None:
    impossible = replace(TOWN.licences[0], holder_number="not a number")
    with pytest.raises(Problem, match="invalid"):
        seed.build(house, FOUNDED, replace(TOWN, licences=(impossible,)), tick=lambda _steps: None)


def _hash_of(call: Call, number: str) -> str:
    subject = people.find(call, number)
    return str(call.session.scalar(select(Password.hash).where(Password.subject == subject)))
