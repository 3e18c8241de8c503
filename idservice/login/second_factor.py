"""The second factor (第二因素): which ways a person has, and a session made stronger by one of them.

Every way that can be guessed stands behind the one lock of `lockout`; a passkey cannot be guessed and stands open.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from idservice import audit
from idservice.login import (
    change_password,
    device,
    levels,
    lockout,
    passkey,
    recovery_codes,
    session,
    sms,
    sms_sender,
    totp,
)
from idservice.login.deeds import Deed
from idservice.login.device import Device
from idservice.login.lockout import Gate
from idservice.register import people
from keys.ring import Purpose

if TYPE_CHECKING:
    from collections.abc import Mapping

    from idservice.call import Call

PURPOSE = "second"


class Way(StrEnum):
    """How a second factor is shown, the best first."""

    PASSKEY = "passkey"
    TOTP = "totp"
    SMS = "sms"
    CODE = "code"


METHODS = {Way.PASSKEY: levels.POP, Way.TOTP: levels.OTP, Way.SMS: levels.SMS, Way.CODE: levels.OTP}


@dataclass(frozen=True, slots=True)
class Proved:
    """What a browser gets in which a second factor was shown: a cookie value, and an entry for that of the device."""

    session_cookie: str
    device_entry: str


def ways_of(call: Call, subject: str, acr: str = levels.TWO_FACTOR) -> list[Way]:
    """Return the ways in which a person can reach a class of login."""
    has = {Way.PASSKEY: passkey.is_offered(call.settings) and bool(passkey.of_person(call, subject))}
    if acr != levels.PASSKEY:
        has[Way.TOTP] = totp.is_in_use(call, subject)
        has[Way.SMS] = sms_sender.is_configured(call.settings) and phone_of(call, subject) is not None
        has[Way.CODE] = recovery_codes.left(call, subject) > 0
    return [way for way, holds in has.items() if holds]


def phone_of(call: Call, subject: str) -> str | None:
    """Return the telephone number of a person, in clear."""
    person = people.facts(call, subject)
    return person.phone if person is not None else None


def check(
    call: Call, way: Way, sent: Mapping[str, str], *, browser: str = "", device_cookie: str | None = None
) -> bool:
    """Return whether the visitor has shown his second factor in this way; what was shown is used up."""
    subject, code = call.caller.person or "", "".join(sent.get("code", "").split())
    if way is Way.PASSKEY:
        is_right = passkey.check(call, sent, browser=browser, subject=subject) is not None
    else:

        def look() -> bool | None:
            if way is Way.TOTP:
                return totp.check(call, subject, code)
            if way is Way.SMS:
                return sms.check(call, sent.get("form", ""), subject, PURPOSE, code)
            return recovery_codes.check(call, subject, code)

        known = _device(call, device_cookie, subject)
        proved = known.name if known is not None and known.kind == device.PROVED else None
        is_right = lockout.through(call, subject, Gate.SECOND, look, device=proved) is not None
    audit.record(
        call, Deed.FACTOR_USED, outcome="done" if is_right else "refused", subject=subject or None, factor=str(way)
    )
    return is_right


def strengthen(call: Call, way: Way, session_cookie: str | None, device_cookie: str | None) -> Proved | None:
    """Make the visitor's session stronger by a factor he has just shown; None if it ended meanwhile."""
    row = session.find(call, session_cookie)
    if row is None:
        return None
    cookie = session.strengthen(call, row, amr=levels.with_method(row.amr, METHODS[way]))
    known, changed_at = _device(call, device_cookie, row.subject), _password_time(call, row.subject)
    name = known.name if known is not None else None
    secret = call.keys.secret(Purpose.SESSION)
    return Proved(cookie, device.new(secret, row.subject, changed_at, kind=device.PROVED, name=name))


def _device(call: Call, cookie: str | None, subject: str) -> Device | None:
    return device.find(call.keys.secrets(Purpose.SESSION).values(), cookie, subject, _password_time(call, subject))


def _password_time(call: Call, subject: str) -> datetime:
    return change_password.changed_at(call, subject) or device.NO_PASSWORD
