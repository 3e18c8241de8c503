"""Questions about looks: their time is counted in working days, their words are kept encrypted."""

from datetime import UTC, date, datetime

import pytest

from idservice import audit
from idservice.errors import Problem
from licences.accesses import questions
from tests.town import BOB, Town

BEFORE_NATIONAL_DAY = datetime(2026, 9, 29, 2, 0, tzinfo=UTC)


def looked(town: Town) -> str:
    subject = town.subjects[BOB]
    return town.act(lambda call: audit.record_access(call, audit.Deed.CLAIMS_RELEASED, subject=subject, facts={}))


def test_the_time_for_an_answer_leaves_holidays_out(town: Town) -> None:
    record, caller = looked(town), town.caller(BOB)
    row = town.act(lambda call: questions.ask(call, record, "为什么"), caller=caller, now=BEFORE_NATIONAL_DAY)
    assert row.due > date(2026, 10, 13), "the first seven days of October are no working days"
    assert "为什么".encode() not in row.question_sealed
    assert town.act(lambda call: questions.question_of(call, row)) == "为什么"
    for moment, late in ((datetime(2026, 10, 1, tzinfo=UTC), False), (datetime(2027, 1, 1, tzinfo=UTC), True)):
        assert town.act(lambda call: questions.is_overdue(call, row), now=moment) is late


@pytest.mark.parametrize("text", ["", " \n", "x" * 501, "a\x00b", "\u202eabc"])
def test_a_question_is_words(town: Town, text: str) -> None:
    record = looked(town)
    with pytest.raises(Problem, match="invalid"):
        town.act(lambda call: questions.ask(call, record, text), caller=town.caller(BOB))
