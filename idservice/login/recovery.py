"""A forgotten password (找回密码): as much proof as the account itself once took, and word to the old telephone.

Three steps, each in a form that only its browser holds: the telephone and the real name (levels 1 and 2), for level 3 a
check of the real person, then the new password. Level 4 was proved at a counter and is recovered there. Up to the
first right answer nothing tells whether anybody bears the number: the rows, the work and the words are the same.

Whoever knows a number can fill the lock of its recovery and use up its messages. On a device on which its bearer has
logged in before both are counted apart.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, delete, func, insert, select, update

from idservice import audit
from idservice.db import table_of
from idservice.ids import secret_hash
from idservice.login import change_password, device, lockout, sms, stand_in
from idservice.login.deeds import Deed
from idservice.login.device import Device
from idservice.login.lockout import Gate
from idservice.login.models import Lock, Recovery
from idservice.models import Password
from idservice.numbers import citizen
from idservice.numbers.fold import InvalidNumber
from idservice.register import people
from idservice.statement import Statement
from keys.ring import Purpose

if TYPE_CHECKING:
    from idservice.call import Call

LIFE = timedelta(minutes=20)
PURPOSE, OWN = "recovery", "recovery-own"  # the latter for who asks on a device of his own
REAL_NAME, REAL_PERSON, COUNTER = 2, 3, 4

_password = table_of(Password).c
_PASSWORD_TIME = Statement(
    select(func.max(_password.changed_at).label("changed_at")).where(_password.subject == bindparam("subject"))
)


class Next(StrEnum):
    """What a recovery waits for."""

    CHECK = "check"
    PASSWORD = "password"
    COUNTER = "counter"


def send_code(call: Call, number: str, device_cookie: str | None) -> sms.Message:
    """Make a code for whoever bears the number, or for nobody.

    Raises:
        Problem: too_many_requests.
    """
    folded = fold(number)
    found, other = people.find_kind(call, folded), stand_in.of(call, folded)
    person = people.facts_alike(call, found[0] if found is not None else other)
    subject, phone = other, None
    if person is not None and person.status == "active":
        subject, phone = person.subject, person.phone
    known = _device(call, subject, device_cookie)
    who = known.name if known is not None else hashlib.sha256(folded.encode()).hexdigest()
    sms.limit(call.house, who, call.caller.address)
    return sms.make(call, subject, phone, PURPOSE if known is None else OWN)


def fold(number: str) -> str:
    """Return a citizen number in its one form, or "" for anything else."""
    try:
        return citizen.normalise(number)
    except InvalidNumber:
        return ""


def prove(call: Call, form: str, code: str, name: str, device_cookie: str | None) -> str | None:
    """Return the secret of a recovery if the code is right and the name is the person's; None otherwise."""
    subject, purpose = sms.subject_of(call, form, (PURPOSE, OWN))
    subject = subject or stand_in.of(call, form)
    is_sent = sms.check(call, form, subject, purpose, code) is not None
    person = people.facts_alike(call, subject)
    known = _device(call, subject, device_cookie)
    given, on_record = "".join(name.split()), "".join(person.name.split()) if person else ""
    is_name = hmac.compare_digest(given.encode("utf-8", "surrogatepass"), on_record.encode())
    is_right = is_sent and is_name and person is not None
    own = known.name if known is not None else None
    is_proved = lockout.pass_by(call, subject, Gate.RECOVERY, is_right=is_right, device=own)
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
    call.session.execute(delete(Lock).where(Lock.subject == row.subject))
    audit.record(call, Deed.PASSWORD_RESET, subject=row.subject)
    return True


def _device(call: Call, subject: str, cookie: str | None) -> Device | None:
    """Return the device if this person has logged in on it; one row is read, whether or not anybody bears the name."""
    changed_at = _PASSWORD_TIME.first(call.connection, {"subject": subject}).changed_at
    return device.find(call.keys.secrets(Purpose.SESSION).values(), cookie, subject, changed_at or device.NO_PASSWORD)


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
