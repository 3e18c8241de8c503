"""What we vouch for: each level stands on what was done for it, each mandate on who granted it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from idservice.call import House
from idservice.login import proofing
from idservice.models import Organisation, Person
from idservice.oauth import assurance
from idservice.oauth.verified_request import Known
from idservice.register import mandates, organisations, people
from tests.builders import act, build_house, migrate
from tests.databases import SqliteDatabases
from tests.identity import AGENT, ALICE, COMPANY

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    built = build_house(tmp_path, SqliteDatabases(tmp_path).fresh(migrate))
    yield built
    built.database.engine.dispose()


def enrol(house: House, number: str = ALICE, level: int = 2) -> str:
    return act(house, lambda call: people.enrol(call, number=number, name="王小明", level=level), now=NOON)


def found(house: House, holder: str, person: str, mandate_id: str | None = None) -> Known:
    known = act(house, lambda call: assurance.known(call, holder, person=person, mandate_id=mandate_id))
    assert known is not None
    return known


def vouched(house: House, alice: str, principal: str, **row: Any) -> dict[str, Any]:
    mandate_id = act(house, lambda call: mandates.enter(call, person=alice, principal=principal, **row), now=NOON)
    evidence = found(house, principal, alice, mandate_id).verification["evidence"]
    assert [one["type"] for one in evidence] == ["electronic_record", "vouch"]
    attestation: dict[str, Any] = evidence[1]["attestation"]
    return attestation


@pytest.mark.parametrize("level", [2, 3, 4])
def test_a_level_by_the_register_stands_on_the_register_alone(house: House, level: int) -> None:
    alice = enrol(house, level=level)
    verification = found(house, alice, alice).verification
    assert verification["assurance_level"] == f"L{level}"
    assert verification["time"] == "2026-11-22T12:00:00Z"
    (evidence,) = verification["evidence"]
    assert [check["check_method"] for check in evidence["check_details"]] == ["data"]


def test_a_check_made_here_is_named_and_dates_the_level(house: House) -> None:
    alice = enrol(house)
    later = NOON + timedelta(days=3)
    assert act(house, lambda call: proofing.raise_level(call, alice, "face"), now=later)
    assert not act(house, lambda call: proofing.raise_level(call, alice, "ctid"), now=later), (
        "there is nothing to raise"
    )
    known = found(house, alice, alice)
    assert known.verification["time"] == "2026-11-25T12:00:00Z"
    checks = known.verification["evidence"][0]["check_details"]
    assert checks[1] == {"check_method": "bvr", "organization": "face", "time": "2026-11-25T12:00:00Z"}
    assert assurance.sources(known) == [("人口库", "Population register"), ("实人核验", "Check of the real person")]


def test_who_was_confirmed_at_a_counter_is_said_to_be(house: House) -> None:
    alice = enrol(house)
    assert act(house, lambda call: proofing.raise_level(call, alice, proofing.COUNTER, level=proofing.AT_COUNTER))
    assert not act(house, lambda call: proofing.raise_level(call, alice, "face")), "a higher level stays"
    known = found(house, alice, alice)
    assert known.verification["assurance_level"] == "L4"
    check = known.verification["evidence"][0]["check_details"][1]
    assert (check["check_method"], check["organization"]) == ("pvp", "counter")
    assert assurance.sources(known) == [("人口库", "Population register"), ("窗口核实", "Confirmed at a counter")]


def test_an_account_alone_and_somebody_unknown_are_vouched_for_by_nobody(house: House) -> None:
    alice = enrol(house, level=1)
    assert act(house, lambda call: assurance.known(call, alice, person=alice)) is None
    assert act(house, lambda call: assurance.known(call, "0" * 32, person=alice)) is None


def test_a_closed_organisation_is_vouched_for_no_more(house: House) -> None:
    company = act(house, lambda call: organisations.enrol(call, code=COMPANY, name="示范公司"))
    assert found(house, company, "").claims == {"name": "示范公司", "credit_code": COMPANY}
    closed = update(Organisation).where(Organisation.subject == company).values(status="closed")
    act(house, lambda call: call.session.execute(closed) and None)
    assert act(house, lambda call: assurance.known(call, company, person="")) is None


def test_a_mandate_says_as_what_it_was_granted_and_until_when(house: House) -> None:
    alice, agent = enrol(house), enrol(house, AGENT)
    company = act(house, lambda call: organisations.enrol(call, code=COMPANY, name="示范公司"))
    by_register = vouched(house, agent, company, role="legal_representative")
    assert by_register == {
        "type": "digital_attestation",
        "date_of_issuance": "2026-11-22",
        "voucher": {"organization": "法人库"},
    }
    own = act(house, lambda call: mandates.enter(call, person=agent, principal=company, role="administrator"))
    until = datetime(2027, 1, 1, tzinfo=UTC) - timedelta(hours=8)
    further = vouched(house, alice, company, role="agent", granted_by=agent, parent_id=own, depth=2, valid_until=until)
    assert further["date_of_expiry"] == "2026-12-31", "the last day on which it holds, in the city's time"
    assert further["voucher"] == {"occupation": "administrator"}
    proxy = vouched(house, alice, agent, role="proxy", principal_kind="person", granted_by=agent)
    assert proxy["voucher"] == {"occupation": "self"}
    guardian = vouched(house, alice, agent, role="guardian", principal_kind="person")
    assert guardian["voucher"] == {"occupation": "office"}


def test_a_mandate_that_is_not_there_vouches_for_nothing(house: House) -> None:
    alice = enrol(house)
    company = act(house, lambda call: organisations.enrol(call, code=COMPANY, name="示范公司"))
    assert act(house, lambda call: assurance.known(call, company, person=alice, mandate_id="0" * 32)) is None


def test_somebody_whose_level_fell_is_known_by_the_level_he_has(house: House) -> None:
    alice = enrol(house, level=3)
    act(house, lambda call: call.session.execute(update(Person).values(level=2)) and None)
    assert found(house, alice, alice).verification["assurance_level"] == "L2"
