"""Places of copies: drawn at random, one for each copy, and all of them follow the licence in its own transaction."""

import pytest
from sqlalchemy import insert, select, update

from idservice.call import Call
from idservice.db import table_of
from idservice.errors import Problem
from keys.ring import Purpose
from licences import artefacts, recheck
from licences.formats import sdjwt
from licences.lifecycle import STORED, State
from licences.status import entries
from licences.status.entries import StatusRef, key_of, status_of
from licences.status.models import StatusChange, StatusEntry, StatusList
from licences.status.token_list import SIZE, Status
from tests.town import Town


def values_of(town: Town, identifier: str) -> dict[int, int]:
    rows = select(StatusEntry.place, StatusEntry.value).where(StatusEntry.licence_key == key_of(identifier))
    return town.act(lambda call: dict(call.session.execute(rows).all()))


def test_an_issued_licence_names_its_place_in_its_credential(town: Town) -> None:
    licence = town.row(town.order()["identifier"])
    assert licence.status_place is not None
    credential = town.act(lambda call: artefacts.credential(call, licence))
    keys = town.house.keys.public(Purpose.LICENCE)
    claims = sdjwt.authenticate(credential, keys=keys, issuer=town.house.settings.signs_as).claims
    number, index = divmod(licence.status_place, SIZE)
    uri = f"{town.house.settings.signs_as}/status/{number}"
    assert claims["status"] == {"status_list": {"idx": index, "uri": uri}}
    assert values_of(town, licence.identifier) == {licence.status_place: Status.VALID}


def test_every_copy_follows_the_licence(town: Town) -> None:
    """One suspension, one resumption and one revocation reach ten copies; a later copy starts as the licence is."""
    licence = town.row(town.order()["identifier"])
    copies = {town.act(lambda call: entries.allocate_place(call, licence, form="mdoc")) for _ in range(9)}
    assert len(copies) == 9
    for deed, status in (("suspend", 2), ("resume", 0), ("suspend", 2), ("revoke", 1)):
        assert town.change(licence.identifier, deed, reason="演示").status_code == 201
        assert set(values_of(town, licence.identifier).values()) == {status}, deed
    late = town.act(lambda call: entries.allocate_place(call, town.row(licence.identifier), form="mdoc"))
    assert values_of(town, licence.identifier)[late] == Status.INVALID
    noted = select(StatusChange.place, StatusChange.value).where(StatusChange.place.in_(copies)).order_by("change_id")
    told = town.act(lambda call: call.session.execute(noted).all())
    assert [value for place, value in told if place in copies and place == min(copies)] == [2, 0, 2, 1]


def test_an_ended_copy_follows_its_licence_no_more(town: Town) -> None:
    licence = town.row(town.order()["identifier"])
    ended, other = (town.act(lambda call: entries.allocate_place(call, licence, form="device")) for _ in range(2))
    town.act(lambda call: entries.end(call, {ended}))
    town.act(lambda call: entries.end(call, {ended}))
    for deed, status in (("suspend", Status.SUSPENDED), ("resume", Status.VALID)):
        assert town.change(licence.identifier, deed, reason="演示").status_code == 201
        assert values_of(town, licence.identifier)[other] == status
    found = select(StatusEntry.value).where(StatusEntry.place == ended)
    assert town.act(lambda call: call.session.scalar(found)) == Status.INVALID
    noted = select(StatusChange.value).where(StatusChange.place == ended)
    assert town.act(lambda call: call.session.scalars(noted).all()) == [Status.INVALID], "told once"


def test_the_check_of_stored_licences_finds_a_place_that_says_something_else(town: Town) -> None:
    licence = town.row(town.order()["identifier"])
    town.act(lambda call: entries.allocate_place(call, licence, form="mdoc"))
    assert town.act(lambda call: recheck.check(call, licence)) == []
    wrong = update(StatusEntry).where(StatusEntry.place == licence.status_place).values(value=1)
    town.act(lambda call: call.session.execute(wrong))
    assert [finding.fault for finding in town.act(lambda call: recheck.check(call, licence))] == ["status"]


def test_a_change_that_fails_leaves_the_lists_alone(town: Town) -> None:
    licence = town.row(town.order()["identifier"])

    def fail(call: Call) -> None:
        entries.follow(call, licence.identifier, State.REVOKED)
        raise Problem("conflict")

    with pytest.raises(Problem):
        town.act(fail)
    assert set(values_of(town, licence.identifier).values()) == {Status.VALID}


def test_a_replaced_version_is_invalid_and_the_new_one_has_a_place_of_its_own(town: Town) -> None:
    old = town.order()["identifier"]
    new = town.change(old, "renew").json["identifier"]
    assert set(values_of(town, old).values()) == {Status.INVALID}
    assert set(values_of(town, new).values()) == {Status.VALID}


def test_a_place_that_is_taken_is_drawn_again_and_a_full_list_is_followed_by_the_next(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    licence = town.row(town.order()["identifier"])
    town.act(lambda call: call.session.execute(insert(table_of(StatusList)), {"list_number": 6, "opened_at": call.now}))
    draws = iter([5, 5, 8, *[5] * entries.TRIES, 5])
    monkeypatch.setattr("licences.status.entries.secrets.randbelow", lambda _size: next(draws))
    taken = [town.act(lambda call: entries.allocate_place(call, licence, form="mdoc")) for _ in range(3)]
    assert taken == [6 * SIZE + 5, 6 * SIZE + 8, 7 * SIZE + 5]
    assert town.act(lambda call: call.session.get(StatusList, 7)) is not None


def test_a_licence_that_is_gone_gets_no_place(town: Town) -> None:
    licence = town.row(town.order()["identifier"])
    licence_like = type("Gone", (), {"subject": licence.subject, "identifier": "1.2.156.3005.2.GONE"})()
    with pytest.raises(Problem, match="not_found"):
        town.act(lambda call: entries.allocate(call, licence_like, form="mdoc"))


def test_a_reference_is_an_address_and_a_place(town: Town) -> None:
    found = town.act(lambda call: entries.reference(call, 3 * SIZE + 17))
    assert found == StatusRef(f"{town.house.settings.signs_as}/status/3", 17)
    assert found.claim() == {"status_list": {"idx": 17, "uri": found.uri}}


def test_every_stored_state_has_a_status_and_only_valid_is_valid() -> None:
    found = {state: status_of(state) for state in STORED}
    assert {state for state, status in found.items() if status is Status.VALID} == {State.VALID}
    assert {state for state, status in found.items() if status is Status.SUSPENDED} == {
        State.SUSPENDED,
        State.UNCOLLECTED,
    }
