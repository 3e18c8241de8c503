"""Codes by SMS (短信验证码): six digits, good for five minutes and five tries, for the form that asked for them.

NIST SP 800-63B-4 section 3.1.3. A number that nobody here has is treated as one that somebody has: the same rows, the
same answer, a message to nobody (see `stand_in`). The code itself is stored as a keyed hash, for six digits are soon
tried through.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, func, insert, select, update

from idservice import audit
from idservice.ids import secret_hash
from idservice.login import sms_sender
from idservice.login.deeds import Deed
from idservice.login.models import SentCode
from keys.ring import Purpose

if TYPE_CHECKING:
    from collections.abc import Collection

    from idservice.call import Call, House

LIFE = timedelta(minutes=5)
TRIES = 5
WINDOW, MOST = timedelta(minutes=30), 6  # messages to one person for one purpose
ADDRESS_LIMIT = "30/hour"
NUMBER_LIMIT = "6 per 30 minutes"
CITY_LIMIT = "600/minute"


@dataclass(frozen=True, slots=True)
class Message:
    """A code on its way: `form` is what the form that waits for it must carry, `to` None where nobody gets it."""

    form: str
    to: str | None
    code: str


def limit(house: House, who: str, address: str | None) -> None:
    """Refuse too many messages: to one person or number, from one address, in the whole city.

    Raises:
        Problem: too_many_requests, whether or not anybody would get them.
    """
    house.limiter.check(ADDRESS_LIMIT, what="sms.address", who=address or "-", address=address)
    house.limiter.check(NUMBER_LIMIT, what="sms.number", who=who, address=address)
    house.limiter.check(CITY_LIMIT, what="sms.city", who="-", address=address)


def make(call: Call, subject: str, phone: str | None, purpose: str) -> Message:
    """Enter a new code for a person or a stand-in, and return the message that `carry` sends.

    A person who was sent several for this purpose in the last half hour is sent no more, and nobody is told: whoever
    asks for codes of a recovery, as anybody may, uses up none of those that the owner needs as a second factor.
    """
    form, code = secrets.token_urlsafe(24), f"{secrets.randbelow(10**6):06d}"
    mine = (SentCode.subject == subject, SentCode.purpose == purpose)
    recent = select(SentCode.sent_at).where(*mine, SentCode.sent_at > call.now - WINDOW)
    count = select(func.count()).select_from(recent.limit(MOST).subquery())  # no more work where many were sent
    is_too_many = (call.session.scalar(count) or 0) >= MOST
    call.session.execute(
        insert(SentCode),
        {
            "form_hash": secret_hash(form),
            "subject": subject,
            "purpose": purpose,
            "code_hash": _hash(call.keys.secret(Purpose.TOKEN), form, code),
            "tries": TRIES if is_too_many else 0,  # nobody can know the code: to try it is not to guess at the person
            "sent_at": call.now,
            "expires_at": call.now + LIFE,
            "used_at": None,
        },
    )
    audit.record(call, Deed.CODE_SENT, subject=subject, purpose=purpose)
    return Message(form, None if is_too_many else phone, code)


def carry(call: Call, message: Message) -> None:
    """Send a message that was committed."""
    text = f"【一号通行】验证码 {message.code}，5 分钟内有效。请勿告诉他人。"
    sms_sender.sender(call.settings).send(message.to, code=message.code, text=text, at=call.now)


def subject_of(call: Call, form: str, purposes: Collection[str]) -> tuple[str, str]:
    """Return for whom and what the code of a form was made, if it may still be tried; ("", "") for any other form."""
    query = select(SentCode.subject, SentCode.purpose).where(
        SentCode.form_hash == secret_hash(form), SentCode.purpose.in_(purposes), *_open(call)
    )
    found = call.session.execute(query).first()
    return (found.subject, found.purpose) if found is not None else ("", "")


def check(call: Call, form: str, subject: str, purpose: str, code: str) -> bool | None:
    """Return True and use the code up if it is the one sent to this person for this form; None otherwise."""
    mine = (
        SentCode.form_hash == secret_hash(form),
        SentCode.subject == subject,
        SentCode.purpose == purpose,
        *_open(call),
    )
    counted = update(SentCode).where(*mine).values(tries=SentCode.tries + 1).returning(SentCode.code_hash)
    known = call.session.scalar(counted)
    secrets_of_now = call.keys.secrets(Purpose.TOKEN).values()  # the code may have been sent before a rotation
    if known is None or not any(hmac.compare_digest(known, _hash(one, form, code)) for one in secrets_of_now):
        return None
    used = update(SentCode).where(SentCode.form_hash == secret_hash(form), SentCode.used_at.is_(None))
    return True if call.session.scalar(used.values(used_at=call.now).returning(SentCode.used_at)) else None


def _open(call: Call) -> tuple[ColumnElement[bool], ...]:
    return SentCode.used_at.is_(None), SentCode.tries < TRIES, SentCode.expires_at > call.now


def _hash(secret: bytes, form: str, code: str) -> bytes:
    covered = f"sent-code|{form}|{code[:16]}"
    return hmac.digest(secret, covered.encode("utf-8", "surrogatepass"), "sha256")
