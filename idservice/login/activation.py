"""The first second factor of staff (激活): whoever holds a post or a role adds it with his department's leave.

A password alone must not be enough: whoever has stolen it would add a factor of his own. An administrator (two of them,
see `admin.activation_acts`) or the operator makes a code and hands it over in person; it is stored as a hash, good for
a day, once, and opens one session to the first factor, also where its login has to be made fresh on the way. Who has a
second factor needs none, and shows that one instead.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import delete, exists, or_, select, update

from idservice import audit
from idservice.admin.models import Administrator
from idservice.db import add_if_new
from idservice.login import levels, lockout, recovery_codes, second_factor, step_up
from idservice.login.deeds import Deed
from idservice.login.lockout import Gate
from idservice.login.models import ActivationCode
from idservice.login.step_up import StepUpNeeded
from idservice.models import LoginSession, Staff

if TYPE_CHECKING:
    from idservice.call import Call

LIFE: Final = timedelta(hours=24)

new_code, hash_of = recovery_codes.new, recovery_codes.hash_of


def is_staff(call: Call, subject: str) -> bool:
    """Return whether somebody holds a post in a department or a role of administration."""
    posts, roles = exists().where(Staff.subject == subject), exists().where(Administrator.subject == subject)
    return bool(call.session.scalar(select(or_(posts, roles))))


def is_needed(call: Call) -> bool:
    """Return whether the visitor has to enter a code before he adds a factor."""
    return not second_factor.ways_of(call, call.caller.person or "") and _lacks_leave(call)


def demand(call: Call) -> None:
    """Let a visitor who has no second factor go on to one only if he needs no code, or has entered it in this session.

    Whether he has one is not looked at anew: its owner may have added it since, and this visitor was asked for none.

    Raises:
        StepUpNeeded: where he enters it.
    """
    if _lacks_leave(call):
        raise StepUpNeeded(step_up.ACTIVATION)


def _lacks_leave(call: Call) -> bool:
    """Return whether the visitor is staff and has shown neither a code nor two factors.

    Who has logged in with two had one until a moment ago, and is putting another in its place.
    """
    if levels.reaches(levels.acr_of(call.caller.amr), levels.TWO_FACTOR):
        return False
    person = call.caller.person or ""
    return is_staff(call, person) and not _is_used_here(call, person)


def enter(call: Call, subject: str, code_hash: bytes) -> None:
    """Let the code of that hash hold for a day from now, in the place of any older one."""
    row = {"code_hash": code_hash, "made_at": call.now, "expires_at": call.now + LIFE, "used_at": None, "used_in": None}
    if not add_if_new(call.session, ActivationCode, {"subject": subject, **row}):  # of two at once the later one holds
        call.session.execute(update(ActivationCode).where(ActivationCode.subject == subject).values(row))
    audit.record(call, Deed.ACTIVATION_MADE, subject=subject)


def forget(call: Call, subject: str) -> None:
    """Let no code hold that a person was given or has entered."""
    call.session.execute(delete(ActivationCode).where(ActivationCode.subject == subject))


def use(call: Call, code: str) -> bool:
    """Return whether the visitor has entered his code, which is used up; wrong ones count like wrong second factors."""
    person = call.caller.person or ""
    is_right = lockout.through(call, person, Gate.SECOND, lambda: _use(call, person, code)) is not None
    audit.record(call, Deed.ACTIVATION_USED, outcome="done" if is_right else "refused", subject=person)
    return is_right


def _use(call: Call, person: str, code: str) -> bool | None:
    mine = (ActivationCode.subject == person, ActivationCode.code_hash == hash_of(code))
    unused = (ActivationCode.used_at.is_(None), ActivationCode.expires_at > call.now)
    used = update(ActivationCode).where(*mine, *unused).values(used_at=call.now, used_in=_chain(call))
    return True if call.session.scalar(used.returning(ActivationCode.subject)) is not None else None


def _is_used_here(call: Call, person: str) -> bool:
    here = (ActivationCode.subject == person, ActivationCode.used_in == _chain(call))
    return bool(call.session.scalar(select(exists().where(*here, ActivationCode.expires_at > call.now))))


def _chain(call: Call) -> bytes:
    """Return what names the visitor's session, also after he has logged in anew in it: see `LoginSession.chain`.

    A code leads to a factor only while the login is fresh, and the way to its department may take longer than that.
    """
    return call.session.get_one(LoginSession, bytes.fromhex(call.caller.session_id or "")).chain
