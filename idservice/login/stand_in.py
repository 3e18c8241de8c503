"""Stand-ins (替身): for a number that nobody bears, rows of nobody take the place of a person's.

Whoever logs in or recovers by an unknown number reads and writes as many rows as with a known one, so that the clock
does not tell them apart (NIST SP 800-63B-4 section 3.2.2). A keyed hash of the number chooses one of a fixed few: they
take no more room however many numbers are tried, and no single row makes everybody wait.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakSet

from sqlalchemy.dialects import postgresql, sqlite

from idservice.db import table_of
from idservice.login.device import NO_PASSWORD
from idservice.login.password import NOBODY
from idservice.models import Password

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from idservice.call import Call, House
    from idservice.db import Database

MANY = 256
FIELD = "stand_in.number"

_NAME = "nobody" + "-" * 24 + "{:02x}"  # as long as a subject, and never one: that is hexadecimal
_ready: WeakSet[Database] = WeakSet()


def of(call: Call, number: str) -> str:
    """Return the subject that stands in for the bearer of a number."""
    return pair(call, number)[0]


def pair(call: Call, number: str) -> tuple[str, str]:
    """Return that subject and another one, for where a person's row and that of his stand-in are both looked for."""
    chosen = call.cipher.index(FIELD, number)[0] % MANY
    return _NAME.format(chosen), _NAME.format((chosen + 1) % MANY)


def make_ready(house: House) -> None:
    """Give the stand-ins their password rows, once in a process, before anybody is looked up."""
    if house.database in _ready:
        return
    house.database.run(_add_rows, write=True)
    _ready.add(house.database)


def _add_rows(session: Session) -> None:
    table = table_of(Password)
    connection = session.connection()
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    row = {"hash": NOBODY, "changed_at": NO_PASSWORD, "failures": 0, "locked_until": None}
    rows = [{"subject": _NAME.format(number), **row} for number in range(MANY)]
    connection.execute(insert(table).on_conflict_do_nothing(), rows)
