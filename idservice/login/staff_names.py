"""Names of staff (工作人员用户名): whose account a `userName` is (RFC 7643 section 4.1.1), for who logs in by it.

A name leads to the person whom his department's directory has linked to it, and to nothing of its own: the password,
the lock and the second factor are the person's. A name that reads like somebody's number is never looked for as a name.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from sqlalchemy import bindparam, select

from idservice.db import table_of
from idservice.scim.models import StaffAccount
from idservice.statement import Statement

if TYPE_CHECKING:
    from idservice.call import Call

FORM: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}")

_account = table_of(StaffAccount).c
_FIND = Statement(
    select(_account.subject).where(_account.user_name_folded == bindparam("name"), _account.active.is_(True))
)


def fold(text: str) -> str:
    """Return a name in its one form, or "" for what is none."""
    name = text.strip()
    return name.lower() if FORM.fullmatch(name) else ""


def find(call: Call, folded: str) -> str | None:
    """Return the person of the account that is in use under that name; None for any other, at the same price."""
    row = _FIND.first(call.connection, {"name": folded})
    subject: str | None = row.subject if row is not None else None
    return subject
