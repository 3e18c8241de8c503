"""Change a seal (印章变更) by the table in `lifecycle`: a seal itself, or the application it will come from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import or_, select, update

from idservice import audit
from idservice.errors import Problem
from idservice.models import Department
from idservice.register import changes
from keys.ring import NAMED
from keys.ring import State as KeyState
from seals import approval, custody, owners, standing
from seals.deeds import Deed
from seals.lifecycle import ENDED, Change, State, target
from seals.models import Seal
from seals.register import find_application, look_up, note_change

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement

    from idservice.call import Call

_LIVE = (State.IN_FORCE, State.SUSPENDED)


def change(call: Call, seal_id: str, deed: Change, *, reason: str, made: Seal | None = None) -> dict[str, Any]:
    """Change a seal and return the new line of its life; ending one erases its keys.

    `made` is what `approval.make_ahead` made.

    Raises:
        Problem: not_found, forbidden, seal_change_not_allowed or conflict, and what `approval.decide` raises.
    """
    application = find_application(call, seal_id)
    if application is not None:
        return approval.decide(call, application, deed, reason=reason, made=made)
    seal = look_up(call, seal_id)
    standing.refuse_change(call, seal, deed)
    line = _move(call, seal, deed, reason=reason)
    if line["state"] in ENDED:
        erase_keys(call, seal_id)
    return line


def rename(call: Call, department: str, name: str) -> list[str]:
    """Give a department its new name and retire the seals that bear the former one (更名缴销); return their numbers.

    Raises:
        Problem: forbidden, unless the operator asks; invalid or conflict.
    """
    if not standing.is_operator(call):
        raise Problem("forbidden", "The operator enters a department's new name.")
    owners.of_department(call, department)
    call.session.get_one(Department, department).name = name
    call.session.flush()
    audit.record(call, Deed.DEPARTMENT_RENAMED, department=department)
    return retire_outdated(call, Seal.department == department)


def retire_of(call: Call, subjects: Sequence[str]) -> None:
    """Retire the seals of persons and organisations that their change has outdated (变更缴销)."""
    retire_outdated(call, or_(Seal.organisation.in_(subjects), Seal.person.in_(subjects)))


def retire_outdated(call: Call, which: ColumnElement[bool]) -> list[str]:
    """Retire those seals that bear a former name, or whose owner is no more what they say; return their numbers.

    Raises:
        Problem: conflict.
    """
    live = select(Seal).where(Seal.state.in_(_LIVE), which).order_by(Seal.seal_id)
    reasons = [(seal, custody.outdated(call, seal)) for seal in call.session.scalars(live).all()]
    ended = [(seal, reason) for seal, reason in reasons if reason is not None]
    for seal, reason in ended:
        _move(call, seal, Change.RETIRE, reason=reason)
    for seal, _reason in ended:
        erase_keys(call, seal.seal_id)
    return [seal.seal_id for seal, _reason in ended]


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


changes.follow(retire_of)
