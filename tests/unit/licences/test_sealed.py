"""How often a seal was put on licences, for the reconciliation of seals."""

import pytest
from sqlalchemy import func, select

from licences.models import IssueIntent, Licence
from licences.sealed import tally
from seals import reconcile
from seals.reconcile import Tally
from tests.portions import announce, issue_in_bulk
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
    assert all(found.covered == 0 for found in after.values())
    licences = town.act(lambda call: call.session.scalar(select(func.count()).select_from(Licence)))
    assert sum(found.done for found in after.values()) == licences
    assert town.act(lambda call: call.session.scalar(select(func.count()).select_from(IssueIntent))) > 0


def test_a_portion_is_one_use_over_all_its_licences(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconcile, "_elsewhere", {"licences": tally})

    def found() -> Tally:
        return town.act(lambda call: tally(call, town.seals[SECURITY]))

    before, uses = found(), town.house.keys.signatures(town.seals[SECURITY])
    announced = announce(town, 3)
    assert found() == Tally(before.done, before.unfinished + 1, before.covered)
    issue_in_bulk(town, announced)
    assert found() == Tally(before.done + 1, before.unfinished, before.covered + 3)
    assert town.house.keys.signatures(town.seals[SECURITY]) == uses + 1
    shown = town.act(lambda call: reconcile.compare(call, town.seals[SECURITY]))
    assert (shown.result, shown.covered) == ("ok", before.covered + 3)
