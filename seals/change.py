"""Change a seal (印章变更): suspend, resume, destroy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import update

from idservice import audit
from idservice.errors import Kind, Problem, register
from keys.ring import Purpose
from keys.ring import State as KeyState
from seals.deeds import Deed
from seals.lifecycle import TABLE, Change, State
from seals.models import Seal
from seals.register import find, note_change

if TYPE_CHECKING:
    from idservice.call import Call

register(
    {"seal_change_not_allowed": Kind(409, "印章当前状态不允许此变更", "The seal's state does not allow this change")}
)


def change(call: Call, seal_id: str, deed: Change, *, reason: str) -> dict[str, Any]:
    """Change a seal of the caller's department and return the new line of its life; destroying retires its key.

    Raises:
        Problem: not_found, forbidden, seal_change_not_allowed or conflict.
    """
    seal = find(call, seal_id)
    target = TABLE.get((State(seal.state), deed))
    if target is None:
        raise Problem("seal_change_not_allowed", f"The seal is {seal.state}.")
    moved = call.session.execute(
        update(Seal)
        .where(Seal.seal_id == seal_id, Seal.state == seal.state)
        .values(state=target, changed_at=call.now)
        .returning(Seal.seal_id)
    ).one_or_none()
    if moved is None:
        raise Problem("conflict", "The seal changed while the request ran; repeat it.")
    change_id = note_change(call, seal_id, deed, target, reason=reason)
    audit.record(call, Deed.CHANGED, seal=seal_id, change=str(deed), state=str(target))
    if target is State.DESTROYED:
        _retire_key(call, seal_id)
    return {"id": change_id, "seal": seal_id, "change": deed, "state": target, "at": call.now}


def _retire_key(call: Call, seal_id: str) -> None:
    """Retire the seal's key, last of all: should the transaction then fail, the seal is without a key and refuses."""
    for key in call.keys.list():
        if key.purpose is Purpose.SEAL and key.name == seal_id and key.state is KeyState.ACTIVE:
            call.keys.retire(key.kid)
