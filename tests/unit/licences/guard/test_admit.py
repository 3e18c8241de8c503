"""Admission: counted once whatever becomes of the look, and where quotas hold."""

from typing import Any

import pytest
from sqlalchemy import delete, select

from idservice.call import Call
from idservice.errors import Problem
from licences.asker import ANYBODY, Asker
from licences.guard import admit, alarms, honey, rules
from licences.guard.models import GuardAlarm, GuardCount
from licences.guard.policy import ALLOW, LAW, Rule
from licences.guard.quota import Quota
from tests.identity import citizen_number
from tests.town import ALICE, MATTER, SECURITY, Town

CLERK = Asker("孙**", "公安局", SECURITY, "f" * 32, "3号", "核对")
SYSTEM = Asker("系统", "公安局", SECURITY, None, None, None)
DECOY = citizen_number("37169919900307127")


@pytest.fixture(autouse=True)
def _clean(town: Town) -> None:
    for table in (GuardCount, GuardAlarm):
        town.act(lambda call, table=table: call.session.execute(delete(table)))


def look(call: Call, number: str = ALICE, who: Asker = CLERK, *, by_law: bool = False) -> None:
    admit.admit(call, who, matter=MATTER, subject=None, number=number, by_law=by_law)


def counted(town: Town) -> dict[str, int]:
    rows = town.act(lambda call: call.session.execute(select(GuardCount.count_key, GuardCount.looks)).all())
    return {key.split(":")[0]: looks for key, looks in rows}


def test_a_look_counts_for_its_operator_its_subject_and_everybody(town: Town) -> None:
    town.act(look)
    assert counted(town) == {"operator": 1, "subject": 1, "all": 1}


def test_the_aftermath_of_a_refused_look_counts_it_and_sounds_the_alarm_once_more(town: Town) -> None:
    left: list[Any] = []
    town.act(lambda call: honey.put(call, [DECOY]))
    town.act(lambda call: rules.limit(call, SECURITY, Quota(0, 9, 9)))

    def refused(call: Call) -> None:
        try:
            look(call, DECOY)
        finally:
            left.extend(call.aftermath)

    with pytest.raises(Problem, match="quota_exceeded") as caught:
        town.act(refused)
    assert int(caught.value.headers["Retry-After"]) > 0
    assert counted(town) == {}, "rolled back"
    town.act(lambda call: [step(call) for step in left])
    assert counted(town)["operator"] == 1
    assert town.act(lambda call: sorted((row.kind, row.times) for row in alarms.listed(call))) == [
        ("day", 1),
        ("honey", 1),
    ]
    town.act(lambda call: rules.limit(call, SECURITY, Quota(99, 99, 99)))


def test_a_look_by_law_needs_a_row_that_says_so(town: Town) -> None:
    elsewhere = citizen_number("11010519900307123")
    with pytest.raises(Problem, match="not_covered"):
        town.act(lambda call: look(call, elsewhere, by_law=True))
    row = town.act(lambda call: rules.put(call, Rule(ALLOW, unit=SECURITY, region="11", ground=LAW), note=""))
    town.act(lambda call: look(call, elsewhere, by_law=True))
    with pytest.raises(Problem, match="not_covered"):
        town.act(lambda call: look(call, elsewhere))
    town.act(lambda call: rules.remove(call, row))


def test_verifications_count_by_the_operator_alone_and_not_without_one(town: Town) -> None:
    for who in (CLERK, SYSTEM, ANYBODY):
        town.act(lambda call, who=who: admit.admit(call, who, matter=None, subject=None, number=None))
    assert counted(town) == {"operator": 1}
    with pytest.raises(Problem, match="not_covered"):
        town.act(lambda call: look(call, who=SYSTEM))
