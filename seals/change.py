"""Change a seal (印章变更) by the table in `lifecycle`: a seal itself, or the application it will come from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update

from idservice import audit
from idservice.errors import Problem
from keys.ring import NAMED
from keys.ring import State as KeyState
from seals import approval, custody
from seals.deeds import Deed
from seals.lifecycle import ENDED, Change, State, target
from seals.models import Seal
from seals.register import find, find_application, note_change, unit_of

if TYPE_CHECKING:
    from idservice.call import Call

RENAMED = "单位更名"


def change(call: Call, seal_id: str, deed: Change, *, reason: str) -> dict[str, Any]:
    """Change a seal of the caller's department and return the new line of its life; ending one erases its keys.

    Raises:
        Problem: not_found, forbidden, seal_change_not_allowed or conflict, and what `approval.decide` raises.
    """
    application = find_application(call, seal_id)
    if application is not None:
        return approval.decide(call, application, deed, reason=reason)
    line = _move(call, find(call, seal_id), deed, reason=reason)
    if line["state"] in ENDED:
        erase_keys(call, seal_id)
    return line


def rename(call: Call, department: str, name: str) -> list[str]:
    """Give a department its new name and retire the seals that bear the former one (更名缴销); return their numbers.

    Raises:
        Problem: forbidden, unless the operator asks; invalid or conflict.
    """
    if call.caller.channel != "cli" or not call.caller.all_departments:
        raise Problem("forbidden", "The operator enters a department's new name.")
    unit = unit_of(call, department)
    unit.name = name
    call.session.flush()
    audit.record(call, Deed.DEPARTMENT_RENAMED, department=department)
    return retire_renamed(call)


def retire_renamed(call: Call) -> list[str]:
    """Retire every seal that bears a former name of its department (更名缴销), and return their numbers.

    Raises:
        Problem: conflict.
    """
    live = select(Seal).where(Seal.state.in_([State.IN_FORCE, State.SUSPENDED])).order_by(Seal.seal_id)
    renamed = [seal for seal in call.session.scalars(live).all() if not custody.bears_name(call, seal)]
    for seal in renamed:
        _move(call, seal, Change.RETIRE, reason=RENAMED)
    for seal in renamed:
        erase_keys(call, seal.seal_id)
    return [seal.seal_id for seal in renamed]


def erase_keys(call: Call, seal_id: str) -> None:
    """Erase the seal's keys, last of all: should the transaction then fail, the seal is without a key and refuses."""
    for key in call.keys.list():
        if key.purpose in NAMED and key.name == seal_id and key.state is not KeyState.ERASED:
            call.keys.erase(key.kid)


def _move(call: Call, seal: Seal, deed: Change, *, reason: str) -> dict[str, Any]:
    state = target(State(seal.state), deed)
    if state is None:
        raise Problem("seal_change_not_allowed", f"The seal is {seal.state}.")
    moved = call.session.execute(
        update(Seal)
        .where(Seal.seal_id == seal.seal_id, Seal.state == seal.state)
        .values(state=state, changed_at=call.now)
        .returning(Seal.seal_id)
    ).one_or_none()
    if moved is None:
        raise Problem("conflict", "The seal changed while the request ran; repeat it.")
    change_id = note_change(call, seal.seal_id, deed, state, reason=reason)
    audit.record(call, Deed.CHANGED, seal=seal.seal_id, change=str(deed), state=str(state))
    return {"id": change_id, "seal": seal.seal_id, "change": deed, "state": state, "at": call.now}
