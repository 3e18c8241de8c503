"""A credential that is made when somebody first asks: once, held to its licence, and refused where it must be."""

import pytest
from sqlalchemy import func, select, update

from idservice.errors import Problem
from idservice.models import AuditEntry
from keys.ring import Purpose
from licences import artefacts, credentials, recheck
from licences.formats import sdjwt
from licences.lifecycle import State
from licences.models import Licence
from licences.status.models import StatusEntry
from tests.portions import announce, issue_in_bulk
from tests.town import ALICE, Town, now
from tests.unit.licences.copying import fetch, judged


def test_the_first_request_makes_it_and_it_stays_the_same(town: Town) -> None:
    (licence,) = issue_in_bulk(town, announce(town, 1))
    assert town.act(lambda call: artefacts.credential(call, licence)) is None
    first = fetch(town, licence.identifier, "credential.sd-jwt")
    assert first.status_code == 200, first.text
    assert fetch(town, licence.identifier, "credential.sd-jwt", town.machine("issuer")).data == first.data
    row = town.row(licence.identifier)
    keys = town.house.keys.public(Purpose.LICENCE)
    found = sdjwt.verify(first.text, keys=keys, issuer=town.house.settings.issuer, now=now())
    assert found.claims["licence_identifier"] == licence.identifier
    assert found.claims["iat"] == int(row.issued_at.timestamp())
    places = select(StatusEntry.place, StatusEntry.form, StatusEntry.value)
    mine = places.where(StatusEntry.place == row.status_place)
    assert town.act(lambda call: call.session.execute(mine).all()) == [(row.status_place, "credential", 0)]
    made = select(func.count()).where(
        AuditEntry.deed == "licences:copy:make", AuditEntry.facts.contains(row.identifier)
    )
    assert town.act(lambda call: call.session.scalar(made)) == 1
    assert town.act(lambda call: recheck.check(call, row)) == []
    (report,) = judged(town, first.data)
    assert (report.ok, report.scanned) == (True, "credential")


def test_it_dies_with_its_licence(town: Town) -> None:
    (licence,) = issue_in_bulk(town, announce(town, 1))
    text = fetch(town, licence.identifier, "credential.sd-jwt").data
    assert town.change(licence.identifier, "revoke", reason="注销").status_code == 201
    row = town.row(licence.identifier)
    value = select(StatusEntry.value).where(StatusEntry.place == row.status_place)
    assert town.act(lambda call: call.session.scalars(value).all()) == [1]
    (report,) = judged(town, text)
    assert (report.ok, report.state) == (False, State.REVOKED)
    assert fetch(town, licence.identifier, "credential.sd-jwt").data == text, "what was made once is still told"


@pytest.mark.parametrize("change", ["suspend", "revoke"])
def test_of_a_licence_not_in_force_none_is_made(town: Town, change: str) -> None:
    (licence,) = issue_in_bulk(town, announce(town, 1))
    assert town.change(licence.identifier, change, reason="核实").status_code == 201
    answer = fetch(town, licence.identifier, "credential.sd-jwt")
    assert (answer.status_code, answer.json["code"]) == (409, "licence_not_in_force")
    row = town.row(licence.identifier)
    assert (row.credential_kid, row.credential_signature, row.status_place) == (None, None, None)
    assert "credential.sd-jwt" not in town.browser(ALICE).open(f"/me/licences/{licence.identifier}").text


def test_a_licence_that_changes_meanwhile_gets_none(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    (licence,) = issue_in_bulk(town, announce(town, 1))
    places = town.count(StatusEntry)
    plain = credentials.rehearsal.refuse_credential

    def suspended(call, made):  # between the look at its state and the storing
        plain(call, made)
        call.connection.execute(
            update(Licence).where(Licence.identifier == licence.identifier).values(state=State.SUSPENDED)
        )

    monkeypatch.setattr(credentials.rehearsal, "refuse_credential", suspended)
    with pytest.raises(Problem) as refused:
        town.act(lambda call: credentials.get(call, licence))
    assert refused.value.code == "conflict"
    assert town.count(StatusEntry) == places, "rolled back with everything"


def test_who_read_the_row_before_gets_what_another_made(town: Town) -> None:
    (licence,) = issue_in_bulk(town, announce(town, 1))
    first = town.act(lambda call: credentials.get(call, licence))
    assert town.act(lambda call: credentials.get(call, licence)) == first, "the row that was read has none yet"


def test_one_that_does_not_hold_is_not_stored(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    (licence,) = issue_in_bulk(town, announce(town, 1))
    monkeypatch.setattr(sdjwt, "finish", lambda unsigned, _signature: f"{unsigned.signing_input.decode()}.AAAA~")
    with pytest.raises(Problem) as refused:
        town.act(lambda call: credentials.get(call, licence))
    assert refused.value.code == "rehearsal_failed"
    assert town.row(licence.identifier).credential_signature is None


@pytest.mark.parametrize("part", ["credential_kid", "credential_signature", "status_place"])
def test_a_part_that_is_missing_is_a_finding(town: Town, part: str) -> None:
    (licence,) = issue_in_bulk(town, announce(town, 1))
    town.act(lambda call: credentials.get(call, licence))
    key = Licence.identifier == licence.identifier
    town.act(lambda call: call.session.execute(update(Licence).where(key).values({part: None})))
    found = town.act(lambda call: recheck.check(call, town.row(licence.identifier)))
    assert [one.fault for one in found] == ["credential"]


def test_a_licence_issued_alone_has_one_from_the_start(town: Town) -> None:
    licence = town.issue()
    assert town.act(lambda call: artefacts.credential(call, licence)) is not None
    emptied = {"credential_kid": None, "credential_signature": None, "status_place": None}
    key = Licence.identifier == licence.identifier
    town.act(lambda call: call.session.execute(update(Licence).where(key).values(emptied)))
    found = town.act(lambda call: recheck.check(call, town.row(licence.identifier)))
    assert [one.fault for one in found] == ["credential"]
