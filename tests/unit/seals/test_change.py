import json

import pytest
from sqlalchemy import select, update

from idservice.call import Call, Caller, House
from idservice.errors import Problem
from idservice.models import AuditEntry
from keys.ring import State as KeyState
from seals.change import change
from seals.lifecycle import ENDED, Change, State, target
from seals.models import Seal, SealChange
from seals.register import make
from tests.builders import act
from tests.unit.seals.conftest import DEPARTMENT, OTHER

PATHS = {
    State.IN_FORCE: (),
    State.SUSPENDED: (Change.SUSPEND,),
    State.LOST: (Change.REPORT_LOST,),
    State.RETIRED: (Change.RETIRE,),
    State.DESTROYED: (Change.DESTROY,),
}


def seal_in(house: House, state: State) -> str:
    seal_id = act(house, lambda call: make(call, department=DEPARTMENT))
    for deed in PATHS[state]:
        act(house, lambda call, deed=deed: change(call, seal_id, deed, reason="演示"))
    return seal_id


@pytest.mark.parametrize("deed", list(Change))
@pytest.mark.parametrize("state", list(PATHS))
def test_every_change_from_every_state(house: House, state: State, deed: Change) -> None:
    seal_id = seal_in(house, state)
    wanted = target(state, deed)
    if wanted is None:
        with pytest.raises(Problem, match="seal_change_not_allowed"):
            act(house, lambda call: change(call, seal_id, deed, reason="演示"))
        wanted = state
    else:
        assert act(house, lambda call: change(call, seal_id, deed, reason="演示"))["state"] is wanted
    assert act(house, lambda call: call.session.get_one(Seal, seal_id).state) == wanted


@pytest.mark.parametrize("state", sorted(ENDED))
def test_ending_a_seal_erases_its_key(house: House, state: State) -> None:
    seal_id = seal_in(house, state)
    assert [key.state for key in house.keys.list() if key.name == seal_id] == [KeyState.ERASED]


def test_a_change_is_recorded_with_its_reason_which_the_log_does_not_repeat(house: House) -> None:
    seal_id = seal_in(house, State.IN_FORCE)
    line = act(house, lambda call: change(call, seal_id, Change.SUSPEND, reason="张三保管不当"))

    def read(call: Call) -> tuple[SealChange, list[str]]:
        stored = call.session.get_one(SealChange, line["id"])
        entries = call.session.scalars(select(AuditEntry.facts).where(AuditEntry.deed == "seals:seal:change"))
        return stored, [facts for facts in entries if json.loads(facts)["seal"] == seal_id]

    stored, facts = act(house, read)
    assert (stored.reason, stored.change, stored.state) == ("张三保管不当", "suspend", "suspended")
    assert [json.loads(entry) for entry in facts] == [{"seal": seal_id, "change": "suspend", "state": "suspended"}]


def test_a_change_that_meets_another_is_refused(house: House) -> None:
    seal_id = seal_in(house, State.IN_FORCE)

    def meet(call: Call) -> None:
        seal = call.session.get_one(Seal, seal_id)  # as read before the other change
        other = update(Seal).where(Seal.seal_id == seal_id).values(state=State.SUSPENDED)
        call.session.execute(other, execution_options={"synchronize_session": False})
        assert seal.state == State.IN_FORCE
        change(call, seal_id, Change.DESTROY, reason="演示")

    with pytest.raises(Problem, match="conflict"):
        act(house, meet)
    assert house.keys.seal_signer(seal_id)


def test_another_department_changes_nothing(house: House) -> None:
    seal_id = seal_in(house, State.IN_FORCE)
    stranger = Caller(channel="api", client_id="c", departments=frozenset({OTHER}))
    with pytest.raises(Problem, match="forbidden"):
        act(house, lambda call: change(call, seal_id, Change.DESTROY, reason="演示"), caller=stranger)
    assert act(house, lambda call: call.session.get_one(Seal, seal_id).state) == State.IN_FORCE
