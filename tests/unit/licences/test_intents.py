"""An intent ends with the bytes it announced, or nothing is stored."""

from collections.abc import Callable

import pytest
from sqlalchemy import func, select, update

from idservice.call import Call
from idservice.errors import Problem
from keys.sm2 import sm3
from licences import artefacts, issue, recheck
from licences.models import IssueIntent, Licence
from tests.town import ALICE, Town, order_for

SLUG = "vocational_qualification"


def intents(town: Town) -> int:
    return town.act(lambda call: call.session.scalar(select(func.count()).select_from(IssueIntent))) or 0


def issue_with(town: Town, between: Callable[[Call], object]) -> object:
    intent = town.act(lambda call: issue.intend(call, order_for(SLUG, ALICE)))
    town.act(between)
    return town.act(lambda call: issue.issue(call, intent))


def test_an_intent_is_gone_when_its_licence_is_there(town: Town) -> None:
    before = intents(town)
    seen = []
    issue_with(town, lambda call: seen.append(call.session.scalar(select(func.count()).select_from(IssueIntent))))
    assert seen[0] > before
    assert intents(town) == before


def test_other_bytes_than_those_announced_are_not_stored(town: Town) -> None:
    def announce_something_else(call: Call) -> None:
        last = select(func.max(IssueIntent.intent_id)).scalar_subquery()
        call.session.execute(update(IssueIntent).where(IssueIntent.intent_id == last).values(record_digest=bytes(32)))

    licences = town.count(Licence)
    with pytest.raises(Problem, match="announced"):
        issue_with(town, announce_something_else)
    assert town.count(Licence) == licences


def test_a_licence_says_which_record_was_announced(town: Town) -> None:
    code = town.issue().identifier
    row = town.row(code)
    assert row.record_digest == sm3(town.act(lambda call: artefacts.open_record(call, row)).content)
    assert row.issued_by
    assert town.act(lambda call: recheck.check(call, row)) == []
    changed = update(Licence).where(Licence.identifier == code).values(record_digest=bytes(32))
    town.act(lambda call: call.session.execute(changed))
    assert [one.fault for one in town.act(lambda call: recheck.check(call, town.row(code)))] == ["intent"]
