"""Many licences at once are what one at a time is, and what is refused of them costs the others nothing."""

import json
from dataclasses import replace

import pytest
from sqlalchemy import Select, select, update

from idservice.call import Call
from idservice.errors import Problem
from idservice.models import AuditEntry
from keys.sm2 import sm3
from licences import artefacts, bulk_issue, metadata, recheck
from licences.bulk_issue import Announced, Order
from licences.formats import portion
from licences.lifecycle import State
from licences.models import Licence
from licences.portion_models import SealPortion
from licences.slices import EVERYTHING
from seals.models import Seal
from tests import portions
from tests.portions import SLUG, issue_in_bulk
from tests.town import ALICE, BOB, CIVIL, COMPANY, PERSON_NAMES, Town, order_for


def order(town: Town, number: str = ALICE, **more: object) -> Order:
    person = metadata.person(PERSON_NAMES.get(number, "示范"), number) if number != COMPANY else None
    holder = person or metadata.organisation("滨州示范食品有限公司", COMPANY)
    return Order(town.subjects[number], holder, order_for(SLUG, number) | more)


def intend(town: Town, *orders: Order) -> list[Announced | Problem]:
    return portions.intend(town, orders)


def announced(found: list[Announced | Problem]) -> list[Announced]:
    return [one for one in found if isinstance(one, Announced)]


def noted(deed: str, head: bytes = b"") -> Select[tuple[str]]:
    found = select(AuditEntry.facts).where(AuditEntry.deed == deed, AuditEntry.facts.contains(head.hex()))
    return found.order_by(AuditEntry.entry_id.desc())


def test_bad_orders_are_refused_one_by_one(town: Town) -> None:
    bad = [
        order(town, type="X"),
        order(town, department=CIVIL),
        order(town, COMPANY),
        order(town, fields={}),
    ]
    found = intend(town, order(town), *bad, order(town, BOB))
    words = [one.code if isinstance(one, Problem) else "" for one in found]
    assert words == ["", "not_found", "forbidden", "holder_kind", "invalid", ""]
    rows = issue_in_bulk(town, announced(found))
    for row, one, number in zip(rows, announced(found), (ALICE, BOB), strict=True):
        assert (row.subject, row.state, row.portion_place) == (town.subjects[number], State.VALID, one.place)
        assert (row.seal_signature, row.credential_kid, row.credential_signature, row.status_place) == (None,) * 4
        assert town.act(lambda call, row=row: recheck.check(call, row)) == []
        assert town.act(lambda call, row=row: artefacts.open_record(call, row)).content == one.record.content
        assert row.issued_by
    findings, count, _place = town.act(lambda call: recheck.recheck(call, after=None, limit=99, part=EVERYTHING))
    assert (findings, count) == ([], town.count(Licence))


def test_a_seal_that_is_not_in_force_signs_nothing_and_the_portion_stays_open(town: Town) -> None:
    found = announced(intend(town, order(town), order(town, BOB)))

    def turn(call: Call, state: str) -> None:
        call.session.execute(update(Seal).where(Seal.seal_id == found[0].portion.seal_id).values(state=state))

    town.act(lambda call: turn(call, "suspended"))
    signed = town.act(lambda call: bulk_issue.sign(call, found))
    town.act(lambda call: turn(call, "in_force"))
    assert [one.code for one in signed if isinstance(one, Problem)] == ["seal_not_in_force"] * 2
    kept = town.act(lambda call: call.session.get_one(SealPortion, found[0].portion.head.portion))
    assert (kept.size, kept.sealed_at, kept.seal_signature) == (2, None, None)


def test_what_is_announced_is_what_will_be_sealed(town: Town) -> None:
    found = announced(intend(town, order(town), order(town, BOB)))
    head = found[0].portion.head
    assert found[1].portion.head == head
    kept = town.act(lambda call: call.session.get_one(SealPortion, head.portion))
    leaves = [portion.leaf(one.record.content, portion.nonce_of(one.record.seed)) for one in found]
    assert (kept.size, kept.nodes, kept.seal_id) == (2, portion.grow(leaves).nodes, found[0].portion.seal_id)
    said = json.loads(town.act(lambda call: call.session.scalars(noted("licences:licence:intend", head.portion)).one()))
    assert said == {"licences": 2, "portion": head.portion.hex(), "root": head.root.hex(), "seal": kept.seal_id}
    strange = replace(found[1], place=0)
    made = town.act(lambda call: bulk_issue.sign(call, [found[0], strange]))
    assert [one.code if isinstance(one, Problem) else "" for one in made] == ["", "rehearsal_failed"]


def test_a_portion_has_its_bounds_and_is_one_use_of_its_seal(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(portion, "LARGEST", 3)
    found = announced(intend(town, *[order(town) for _ in range(7)]))
    assert [(one.place, one.portion.tree.size) for one in found] == [(0, 3), (1, 3), (2, 3)] * 2 + [(0, 1)]
    seal_id = found[0].portion.seal_id
    uses = town.house.keys.signatures(seal_id)
    rows = issue_in_bulk(town, found)
    assert town.house.keys.signatures(seal_id) == uses + 3
    assert [town.act(lambda call, row=row: recheck.check(call, row)) for row in rows] == [[]] * 7
    for head in {one.portion.head.portion for one in found}:
        asked = noted("licences:licence:issue", head)
        said = json.loads(town.act(lambda call, asked=asked: call.session.scalars(asked).one()))
        codes = sorted(one.stated.identifier for one in found if one.portion.head.portion == head)
        digest = sm3("\n".join(codes).encode()).hex()
        assert said == {"portion": head.hex(), "licences": len(codes), "digest": digest}


def test_nothing_to_do_leaves_nothing(town: Town) -> None:
    assert intend(town) == []
    assert town.act(lambda call: bulk_issue.sign(call, [])) == []
    before = town.count(SealPortion)
    issue_in_bulk(town, [])
    assert town.count(SealPortion) == before
