"""Codes on paper (备用码): look-up secrets, NIST SP 800-63B-4 section 3.1.2; each is good once, stored as a hash."""

from __future__ import annotations

import base64
import secrets
from typing import TYPE_CHECKING

from sqlalchemy import delete, func, insert, select, update

from idservice import audit
from idservice.ids import secret_hash
from idservice.login.deeds import Deed
from idservice.login.models import RecoveryCode

if TYPE_CHECKING:
    from idservice.call import Call

COUNT = 10


def make(call: Call, subject: str) -> list[str]:
    """Make ten new codes in place of all older ones, and return them: they are shown this once."""
    codes = [new() for _ in range(COUNT)]
    call.session.execute(delete(RecoveryCode).where(RecoveryCode.subject == subject))
    call.session.execute(
        insert(RecoveryCode),
        [{"subject": subject, "code_hash": hash_of(code), "made_at": call.now, "used_at": None} for code in codes],
    )
    audit.record(call, Deed.FACTOR_ADDED, subject=subject, factor="recovery_codes")
    return codes


def remove(call: Call, subject: str) -> bool:
    """Forget all codes of a person, the used ones too; return whether there were any."""
    mine = delete(RecoveryCode).where(RecoveryCode.subject == subject).returning(RecoveryCode.subject)
    if call.session.execute(mine).first() is None:
        return False
    audit.record(call, Deed.FACTOR_REMOVED, subject=subject, factor="recovery_codes")
    return True


def check(call: Call, subject: str, code: str) -> bool | None:
    """Return True and use the code up if it is one of the person's; None otherwise."""
    mine = (RecoveryCode.subject == subject, RecoveryCode.code_hash == hash_of(code), RecoveryCode.used_at.is_(None))
    used = update(RecoveryCode).where(*mine).values(used_at=call.now).returning(RecoveryCode.used_at)
    return True if call.session.scalar(used) is not None else None


def left(call: Call, subject: str) -> int:
    """Return how many codes are unused."""
    mine = (RecoveryCode.subject == subject, RecoveryCode.used_at.is_(None))
    return call.session.scalar(select(func.count()).select_from(RecoveryCode).where(*mine)) or 0


def new() -> str:
    """Return 80 random bits as four groups of four letters and digits."""
    text = base64.b32encode(secrets.token_bytes(10)).decode().lower()
    return "-".join(text[start : start + 4] for start in range(0, 16, 4))


def hash_of(code: str) -> bytes:
    """Hash a code as it was typed: without what people add or leave out."""
    return secret_hash("".join(code.lower().split()).replace("-", "")[:64])
