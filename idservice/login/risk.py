"""What is unusual about a login (风险信号): few, each explained in one sentence, and none of them refuses anybody.

They stay with the session; an act that matters then asks for more than it would otherwise (`levels.POLICY`).
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, select

from idservice.db import table_of
from idservice.models import LoginSession
from idservice.statement import Statement

if TYPE_CHECKING:
    from idservice.call import Call

NEW_DEVICE = "new_device"  # this browser has not logged this person in before
MANY_LOGINS = "many_logins"  # he has logged in ten times within the hour
GUESSED_AT = "guessed_at"  # somebody has just tried several wrong passwords

HOUR, MANY = timedelta(hours=1), 10
WRONG = 3

_session = table_of(LoginSession).c
_RECENT = Statement(
    select(_session.id_hash)
    .where(_session.subject == bindparam("subject"), _session.auth_time > bindparam("since"))
    .limit(MANY)
)


def signals(call: Call, subject: str, *, is_known_device: bool, failures: int) -> list[str]:
    """Return what is unusual about a login that has just succeeded after so many failures in a row."""
    logins = _RECENT.rows(call.connection, {"subject": subject, "since": call.now - HOUR})
    found = {
        NEW_DEVICE: not is_known_device,
        MANY_LOGINS: len(logins) >= MANY,
        GUESSED_AT: failures >= WRONG,
    }
    return [name for name, holds in found.items() if holds]
