"""Who may stand on one licence together, and how those beside the first find it."""

from collections.abc import Callable
from typing import Any

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


def test_whoever_is_shown_beside_the_first_holder_finds_it_on_his_record(town: Town) -> None:
    body = order_for(number=ALICE) | {"holders": [{"number": ALICE}, {"number": BOB}]}
    del body["holder"]
    code = town.post("/v1/licences", body).json["identifier"]
    alone = town.issue(number=ALICE).identifier

    def added(deed: Callable[[], Any]) -> list[list[tuple[str, str, list[str]]]]:
        before = [len(town.looks(number)) for number in (ALICE, BOB)]
        deed()
        news = [
            town.looks(number)[: len(town.looks(number)) - was]
            for number, was in zip((ALICE, BOB), before, strict=True)
        ]
        return [[(look["act"], look["basis"], look["fields"]) for look in new] for new in news]

    verified, read_ = "licences:verification:create", "licences:licence:read"
    whole, masked = ["whole_licence"], ["masked_holder"]
    issuer = town.machine("issuer")
    assert added(lambda: town.verify(town.show(code, alone))) == [
        [(verified, "show_code", ["masked_face"])],
        [(verified, "co_holder", masked)],
    ]
    assert added(lambda: town.verify(code)) == [[(verified, "identifier", masked)]] * 2
    assert added(lambda: town.verify(alone)) == [[(verified, "identifier", masked)], []]
    assert added(lambda: town.web.get(f"/v1/licences/{code}", headers=issuer)) == [[(read_, "issuer", whole)]] * 2
    assert added(lambda: town.web.get(f"/v1/licences/{code}", headers=town.person(ALICE))) == [
        [(read_, "consent", whole)],
        [(read_, "co_holder", whole)],
    ]
    assert added(lambda: town.web.get(f"/v1/licences/{code}", headers=town.person(BOB))) == [
        [(read_, "co_holder", whole)],
        [(read_, "consent", whole)],
    ]
    assert added(lambda: town.change(code, "suspend", reason="演示")) == [[(read_, "issuer", whole)]] * 2
    assert added(lambda: town.change(alone, "suspend", reason="演示")) == [[(read_, "issuer", whole)], []]
