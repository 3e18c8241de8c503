"""Authenticator apps (动态口令): time-based one-time passwords, RFC 6238, with SHA-1, 6 digits and 30 seconds.

A code is good in its own step and the two beside it (section 5.2), and no step is accepted twice. The secret is stored
encrypted; it counts only once its owner has entered a code made with it.
"""

from __future__ import annotations

import hmac
import re
from typing import TYPE_CHECKING, Any

import pyotp
from sqlalchemy import delete, insert, select, update

from idservice import audit
from idservice.db import add_if_new
from idservice.events import emit
from idservice.login.deeds import Deed
from idservice.login.models import Totp

if TYPE_CHECKING:
    from idservice.call import Call

STEP_SECONDS = 30
ISSUER = "一号通行"
_CODE = re.compile(r"[0-9]{6}\Z")


def begin(call: Call, subject: str) -> str:
    """Return the secret of an app that is being set up in this session: the one shown in it before, or a new one.

    What another session was shown is forgotten: whoever had the password for a moment must not know the secret that
    its owner puts into use. An app already in use is not touched: its secret is never shown again, and "" is returned.
    """
    elsewhere = (Totp.confirmed_at.is_(None), Totp.begun_in.is_distinct_from(_session(call)))
    call.session.execute(delete(Totp).where(Totp.subject == subject, *elsewhere))
    add_if_new(call.session, Totp, _row(call, subject, pyotp.random_base32()) | {"begun_in": _session(call)})
    row = call.session.get(Totp, subject, populate_existing=True)
    return _secret(call, row) if row is not None and _is_begun_here(call, row) else ""


def put(call: Call, subject: str, secret: str) -> None:
    """Give a person an app that is in use, as a demonstration does."""
    call.session.execute(insert(Totp), _row(call, subject, secret) | {"confirmed_at": call.now})


def confirm(call: Call, subject: str, code: str) -> bool | None:
    """Put an app that is being set up in this session into use if `code` was made by it; None otherwise."""
    row = call.session.get(Totp, subject)
    if row is None or not _is_begun_here(call, row) or not _use(call, row, code):
        return None
    call.session.execute(update(Totp).where(Totp.subject == subject).values(confirmed_at=call.now, begun_in=None))
    audit.record(call, Deed.FACTOR_ADDED, subject=subject, factor="totp")
    emit.credential_changed(call, subject, credential="app", change="create")
    return True


def check(call: Call, subject: str, code: str) -> bool | None:
    """Return True and use the code's step up if it is one of the person's app; None otherwise."""
    row = call.session.get(Totp, subject)
    return True if row is not None and row.confirmed_at is not None and _use(call, row, code) else None


def is_in_use(call: Call, subject: str) -> bool:
    """Return whether the person has an app in use."""
    return (
        call.session.scalar(select(Totp.subject).where(Totp.subject == subject, Totp.confirmed_at.is_not(None)))
        is not None
    )


def remove(call: Call, subject: str, *, by: str = "user") -> bool:
    """Forget the person's app, for himself or `by` an "admin"; return whether there was one in use."""
    gone = call.session.execute(delete(Totp).where(Totp.subject == subject).returning(Totp.confirmed_at)).first()
    if gone is None or gone[0] is None:
        return False
    audit.record(call, Deed.FACTOR_REMOVED, subject=subject, factor="totp")
    emit.credential_changed(call, subject, credential="app", change="delete", by=by)
    return True


def address(secret: str, account: str) -> str:
    """Return the `otpauth:` address that authenticator apps read from a QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=account, issuer_name=ISSUER)


def step_of(secret: str, code: str, *, seconds: float) -> int | None:
    """Return the step near that instant in which the app shows `code`; None if there is none."""
    if not _CODE.match(code):
        return None
    app, now = pyotp.TOTP(secret), int(seconds) // STEP_SECONDS
    found = [step for step in (now - 1, now, now + 1) if hmac.compare_digest(app.generate_otp(step), code)]
    return found[-1] if found else None


def _row(call: Call, subject: str, secret: str) -> dict[str, Any]:
    return {
        "subject": subject,
        "secret_sealed": call.cipher.seal(secret.encode(), table="totp", column="secret_sealed", row=subject),
        "last_step": 0,
        "created_at": call.now,
        "confirmed_at": None,
        "begun_in": None,
    }


def _session(call: Call) -> bytes:
    return bytes.fromhex(call.caller.session_id or "")


def _is_begun_here(call: Call, row: Totp) -> bool:
    return row.confirmed_at is None and row.begun_in == _session(call)


def _use(call: Call, row: Totp, code: str) -> bool:
    step = step_of(_secret(call, row), code, seconds=call.now.timestamp())
    if step is None:
        return False
    same = (Totp.subject == row.subject, Totp.secret_sealed == row.secret_sealed)  # not one begun elsewhere meanwhile
    newer = update(Totp).where(*same, Totp.last_step < step)
    return call.session.scalar(newer.values(last_step=step).returning(Totp.last_step)) is not None


def _secret(call: Call, row: Totp) -> str:
    sealed = row.secret_sealed
    return call.cipher.open(sealed, table="totp", column="secret_sealed", row=row.subject).decode()
