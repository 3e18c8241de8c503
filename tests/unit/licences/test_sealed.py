"""How often a seal was put on licences, for the reconciliation of seals."""

from sqlalchemy import func, select

from licences.models import IssueIntent, Licence
from licences.sealed import tally
from tests.town import CIVIL, SECURITY, Town, order_for


def test_licences_count_for_the_seal_they_bear_and_open_intents_for_any(town: Town) -> None:
    from licences import issue

    before = {unit: town.act(lambda call, unit=unit: tally(call, town.seals[unit])) for unit in (SECURITY, CIVIL)}
    town.issue()
    town.act(lambda call: issue.intend(call, order_for("real_estate_title", next(iter(town.subjects)))))
    after = {unit: town.act(lambda call, unit=unit: tally(call, town.seals[unit])) for unit in (SECURITY, CIVIL)}
    assert after[SECURITY].done == before[SECURITY].done + 1
    assert after[CIVIL].done == before[CIVIL].done
    assert all(after[unit].unfinished == before[unit].unfinished + 1 for unit in after)
    licences = town.act(lambda call: call.session.scalar(select(func.count()).select_from(Licence)))
    assert sum(found.done for found in after.values()) == licences
    assert town.act(lambda call: call.session.scalar(select(func.count()).select_from(IssueIntent))) > 0
