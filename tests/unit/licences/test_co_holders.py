"""Who may stand on one licence together, and how those beside the first find it."""

import pytest
from sqlalchemy import select

from idservice.call import Call
from idservice.errors import Problem
from licences import co_holders, metadata
from licences.catalogue_models import LicenceCoHolder
from tests.town import ALICE, BOB, CLERK, COMPANY, Town, order_for, type_of

ONE, OTHER = metadata.person("王小明", ALICE), metadata.person("赵大海", BOB)
FIRM = metadata.organisation("示范公司（演示）", COMPANY)


def test_only_some_types_have_room_for_a_second() -> None:
    co_holders.refuse(type_of("real_estate_title"), [ONE, OTHER, FIRM])
    co_holders.refuse(type_of("resident_card"), [ONE])
    for slug, holders, code in (
        ("resident_card", [ONE, OTHER], "holders_one"),
        ("patent_certificate", [ONE, ONE], "invalid"),
    ):
        with pytest.raises(Problem) as refused:
            co_holders.refuse(type_of(slug), holders)
        assert refused.value.code == code


def test_the_way_to_a_shared_licence(town: Town) -> None:
    body = order_for(number=ALICE) | {"holders": [{"number": ALICE}, {"number": COMPANY}, {"number": BOB}]}
    del body["holder"]
    code = town.post("/v1/licences", body).json["identifier"]
    licence = town.row(code)

    def ways(call: Call) -> set[tuple[str, str, int]]:
        rows = call.session.scalars(select(LicenceCoHolder).where(LicenceCoHolder.identifier == code))
        return {(row.subject, row.owner, row.place) for row in rows}

    alice, company, bob = (town.subjects[number] for number in (ALICE, COMPANY, BOB))
    assert town.act(ways) == {(company, alice, 1), (bob, alice, 2)}
    for number, holds in ((ALICE, True), (BOB, True), (CLERK, False)):
        assert town.act(lambda call: co_holders.holds(call, licence), caller=town.caller(number)) is holds
    assert not town.act(lambda call: co_holders.holds(call, licence)), "a system holds nothing"
    shared = town.act(lambda call: [row.identifier for row in call.session.scalars(co_holders.shared(bob))])
    assert shared == [code]
