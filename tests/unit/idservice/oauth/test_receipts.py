"""Receipts in the ledger: made with the consent or not at all, chained, the holder's own alone."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from idservice.call import Caller, House
from idservice.models import AuditEntry, Consent
from idservice.oauth import clients, consent_receipt, consents, receipts
from idservice.oauth.models import ConsentReceipt
from idservice.oauth.subjects import pairwise
from idservice.register import organisations, people
from keys.ring import Purpose, RingError
from tests.builders import act, build_house, migrate
from tests.databases import SqliteDatabases
from tests.identity import AGENT, ALICE, COMPANY

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
APP = {"name": "示范应用", "unit": "示范单位", "auth_method": "client_secret_basic", "secret": "s" * 32}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    built = build_house(tmp_path, SqliteDatabases(tmp_path).fresh(migrate))
    for client_id in ("one", "two"):
        act(
            built,
            lambda call, name=client_id: clients.register(
                call,
                client_id=name,
                grant_types=["authorization_code"],
                redirect_uris=["http://127.0.0.1/cb"],
                scope="openid profile phone",
                **APP,
            ),
        )
    yield built
    built.database.engine.dispose()


def enrolled(house: House, number: str = ALICE) -> Caller:
    person = act(house, lambda call: people.enrol(call, number=number, name="王小明"))
    return Caller(channel="page", person=person)


def give(house: House, caller: Caller, scope: tuple[str, ...] = ("openid",), client_id: str = "one", **how: str) -> str:
    holder = caller.holder or ""
    act(house, lambda call: consents.give(call, holder, client_id, scope, **how), caller=caller)
    return newest(house, caller)


def newest(house: House, caller: Caller) -> str:
    return act(house, lambda call: receipts.of_holder(call, caller.holder or "", limit=1)[0][0].id, caller=caller)


def read(house: House, caller: Caller, receipt_id: str) -> dict[str, object]:
    text = act(house, lambda call: receipts.find(call, caller.holder or "", receipt_id), caller=caller)
    assert text is not None
    report = consent_receipt.verify(text, keys=house.keys.public(Purpose.RECEIPT), issuer=house.settings.issuer)
    assert report.ok
    return dict(report.claims)


def test_a_receipt_says_all_that_is_allowed_now_and_names_the_one_before(house: House) -> None:
    alice = enrolled(house)
    first = give(house, alice)
    second = give(house, alice, ("profile",), language="en")
    said = read(house, alice, second)
    assert [purpose["name"] for purpose in said["purposes"]] == ["openid", "profile"]
    assert said["purposes"][1]["purpose"] == "Name and real-name level"
    assert said["purposes"][1]["pii_information"] == ["name", "real_name_level"]
    assert said["language"] == "en"
    assert said["event"]["follows"] == first
    secret = house.keys.secret(Purpose.SUBJECT)
    assert said["sub"] == pairwise(secret, "client:one", alice.person or "")
    assert "act" not in said


def test_a_withdrawal_repeats_what_was_allowed_and_a_later_consent_begins_anew(house: House) -> None:
    alice = enrolled(house)
    given = give(house, alice, ("openid", "phone"))
    other = give(house, alice, client_id="two")
    withdrawn = act(house, lambda call: consents.withdraw(call, alice.person or "", "one"), caller=alice)
    assert withdrawn is not None
    said = read(house, alice, withdrawn)
    assert said["event"]["withdraws"] == given
    assert said["purposes"] == read(house, alice, given)["purposes"]
    assert "follows" not in read(house, alice, give(house, alice))["event"]
    assert "withdraws" not in read(house, alice, other)["event"]


def test_a_consent_from_before_there_were_receipts_can_be_withdrawn(house: House) -> None:
    alice = enrolled(house)
    old = Consent(subject=alice.person, client_id="one", scope="openid", given_at=LONG_AGO, withdrawn_at=None)
    act(house, lambda call: call.session.add(old))
    assert act(house, lambda call: consents.of_holder(call, alice.person or "")[0].receipt) is None
    withdrawn = act(house, lambda call: consents.withdraw(call, alice.person or "", "one"), caller=alice)
    said = read(house, alice, withdrawn or "")
    assert [purpose["name"] for purpose in said["purposes"]] == ["openid"]
    assert "withdraws" not in said["event"]


def test_who_acted_for_a_company_stands_in_its_receipt(house: House) -> None:
    agent = enrolled(house, AGENT)
    company = act(house, lambda call: organisations.enrol(call, code=COMPANY, name="滨州示范食品有限公司"))
    acting = Caller(channel="page", person=agent.person, principal=company)
    said = read(house, acting, give(house, acting, ("profile",)))
    secret = house.keys.secret(Purpose.SUBJECT)
    assert said["sub"] == pairwise(secret, "client:one", company)
    assert said["act"] == {"sub": pairwise(secret, "client:one", agent.person or "")}
    assert said["purposes"][0]["pii_information"] == ["name", "credit_code"]


def test_without_a_key_that_signs_nothing_is_allowed(house: House) -> None:
    alice = enrolled(house)
    house.keys.revoke(house.keys.signer(Purpose.RECEIPT).kid)
    with pytest.raises(RingError):
        give(house, alice)
    assert act(house, lambda call: call.session.scalars(select(Consent)).all()) == []


def test_nobody_gets_somebody_elses_receipt(house: House) -> None:
    alice, agent = enrolled(house), enrolled(house, AGENT)
    hers = give(house, alice)
    assert act(house, lambda call: receipts.find(call, agent.person or "", hers)) is None
    for malformed in ("", "x", "A" * 32, "\0" * 32):
        assert act(house, lambda call, name=malformed: receipts.find(call, alice.person or "", name)) is None


def test_receipts_are_listed_newest_first_page_by_page(house: House) -> None:
    alice = enrolled(house)
    made = [give(house, alice) for _ in range(3)]
    first, cursor = act(house, lambda call: receipts.of_holder(call, alice.person or "", limit=2))
    assert [listed.id for listed in first] == [made[2], made[1]]
    assert (first[0].about, first[0].name, first[0].unit) == (made[1], "示范应用", "示范单位")
    rest, end = act(house, lambda call: receipts.of_holder(call, alice.person or "", limit=2, cursor=cursor))
    assert ([listed.id for listed in rest], end) == ([made[0]], None)


def test_a_receipt_is_sealed_and_its_identifier_is_in_the_log(house: House) -> None:
    alice = enrolled(house)
    made = give(house, alice)
    row = act(house, lambda call: call.session.get_one(ConsentReceipt, (alice.person, made)).receipt_sealed)
    assert b"consent-receipt" not in row
    assert len(row) < 1024
    facts = act(house, lambda call: call.session.scalars(select(AuditEntry.facts)).all())
    assert any(made in fact for fact in facts)
