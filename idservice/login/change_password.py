"""A new password (更改密码): what it may not be, and what ends with the old one."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import select

from idservice import audit
from idservice.events import emit
from idservice.login import device, password, sms_sender
from idservice.login.deeds import Deed
from idservice.login.password import PasswordRefused
from idservice.models import Password
from idservice.oauth import families, signing_out
from idservice.register import people
from keys.ring import Purpose

if TYPE_CHECKING:
    from idservice.call import Call

# The commonest of all: NIST SP 800-63B-4 section 3.1.1.2 has the service refuse them. Shorter ones fall by length.
COMMON = frozenset(Path(__file__).with_name("common_passwords.txt").read_text("utf-8").split())


def change(call: Call, subject: str, new: str, *, keep: str | None) -> str:
    """Set a person's password and end his sessions but the one that `keep` names; return the entry of a new device.

    Every token ends, those of the kept session too: an app that was logged in to with the old password asks anew.

    Raises:
        PasswordRefused: see `refuse_weak`.
    """
    refuse_weak(call, subject, new)
    password.set_password(call, subject, new)
    families.kill_all(call, subject, reason="password_changed")
    signing_out.end_others(call, subject, but=keep)
    audit.record(call, Deed.PASSWORD_CHANGED, subject=subject)
    emit.credential_changed(call, subject, credential="password", change="update")
    return device.new(call.keys.secret(Purpose.SESSION), subject, call.now)


def changed_at(call: Call, subject: str) -> datetime | None:
    """Return when the person's password was set."""
    return call.session.scalar(select(Password.changed_at).where(Password.subject == subject))


def tell(call: Call, to: str | None) -> None:
    """Tell the person, at the telephone number he had before, that his password is another one now."""
    if sms_sender.is_configured(call.settings) and to is not None:
        text = "【一号通行】您的密码刚刚更改。如果不是您本人操作，请立即到政务服务窗口挂失账号。"
        sms_sender.sender(call.settings).send(to, code=None, text=text, at=call.now)


def refuse_weak(call: Call, subject: str, new: str) -> None:
    """Raise PasswordRefused for a password too short, too long, too common, or made of the person's own number."""
    password.refuse_length(new)
    facts = people.facts(call, subject)
    own = [text.lower() for text in (facts.number, facts.phone) if text] if facts else []
    folded = new.lower()
    if folded in COMMON or any(text in folded for text in own):
        raise PasswordRefused("a password is not a common one, and not one's own number")
