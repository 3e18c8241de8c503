"""A forgotten password (找回密码): as much proof as the account itself once took, and word to the old telephone.

Three steps, each in a form that only its browser holds: the telephone and the real name (levels 1 and 2), for level 3 a
check of the real person, then the new password. Level 4 was proved at a counter and is recovered there. Up to the
first right answer nothing tells whether anybody bears the number: the rows, the work and the words are the same.
"""

from __future__ import annotations

import hmac
import secrets
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, update

from idservice import audit
from idservice.ids import secret_hash
from idservice.login import change_password, lockout, sms, stand_in
from idservice.login.deeds import Deed
from idservice.login.lockout import Gate
from idservice.login.models import Lock, Recovery
from idservice.numbers import citizen
from idservice.numbers.fold import InvalidNumber
from idservice.oauth import families
from idservice.register import people

if TYPE_CHECKING:
    from idservice.call import Call

LIFE = timedelta(minutes=20)
PURPOSE = "recovery"
REAL_NAME, REAL_PERSON, COUNTER = 2, 3, 4


class Next(StrEnum):
    """What a recovery waits for."""

    CHECK = "check"
    PASSWORD = "password"
    COUNTER = "counter"


def send_code(call: Call, number: str) -> sms.Message:
    """Make a code for whoever bears the number, or for nobody."""
    folded = fold(number)
    found, other = people.find_kind(call, folded), stand_in.of(call, folded)
    person = people.facts_alike(call, found[0] if found is not None else other)
    if person is None or person.status != "active":
        return sms.make(call, other, None, PURPOSE)
    return sms.make(call, person.subject, person.phone, PURPOSE)


def fold(number: str) -> str:
    """Return a citizen number in its one form, or "" for anything else."""
    try:
        return citizen.normalise(number)
    except InvalidNumber:
        return ""


def prove(call: Call, form: str, code: str, name: str) -> str | None:
    """Return the secret of a recovery if the code is right and the name is the person's; None otherwise."""
    subject = sms.subject_of(call, form, PURPOSE) or stand_in.of(call, form)
    is_sent = sms.check(call, form, subject, PURPOSE, code) is not None
    person = people.facts_alike(call, subject)
    given, known = "".join(name.split()), "".join(person.name.split()) if person else ""
    is_name = hmac.compare_digest(given.encode("utf-8", "surrogatepass"), known.encode())
    is_right = is_sent and is_name and person is not None
    is_proved = lockout.pass_by(call, subject, Gate.RECOVERY, is_right=is_right)
    outcome = "done" if is_proved else "refused"
    audit.record(call, Deed.RECOVERY_BEGUN, outcome=outcome, subject=subject)
    return _begin(call, subject) if is_proved else None


def find(call: Call, secret: str | None) -> Recovery | None:
    """Return a recovery under way."""
    row = call.session.get(Recovery, secret_hash(secret)) if secret else None
    return row if row is not None and row.used_at is None and row.expires_at > call.now else None


def next_of(call: Call, row: Recovery) -> Next:
    """Return what the recovery still needs."""
    person = people.facts(call, row.subject)
    level = person.level if person is not None and person.status == "active" else COUNTER
    if level >= COUNTER:
        return Next.COUNTER
    return Next.PASSWORD if row.level >= level else Next.CHECK


def check_passed(call: Call, row: Recovery) -> None:
    """Enter that the real person was seen."""
    call.session.execute(update(Recovery).where(Recovery.form_hash == row.form_hash).values(level=REAL_PERSON))
    audit.record(call, Deed.RECOVERY_PROVED, subject=row.subject)


def finish(call: Call, row: Recovery, new: str) -> bool:
    """Set the new password, once; end every session and lift the locks.

    Raises:
        PasswordRefused: the password may not be set; the recovery stays open.
    """
    if next_of(call, row) is not Next.PASSWORD:
        return False
    change_password.refuse_weak(call, row.subject, new)
    once = update(Recovery).where(Recovery.form_hash == row.form_hash, Recovery.used_at.is_(None))
    if call.session.scalar(once.values(used_at=call.now).returning(Recovery.subject)) is None:
        return False
    change_password.change(call, row.subject, new, keep=None)
    families.kill_all(call, row.subject, reason="recovery")
    call.session.execute(delete(Lock).where(Lock.subject == row.subject))
    audit.record(call, Deed.PASSWORD_RESET, subject=row.subject)
    return True


def _begin(call: Call, subject: str) -> str:
    secret = secrets.token_urlsafe(32)
    row = {
        "form_hash": secret_hash(secret),
        "subject": subject,
        "level": REAL_NAME,
        "expires_at": call.now + LIFE,
        "used_at": None,
    }
    call.session.execute(insert(Recovery), row)
    return secret
