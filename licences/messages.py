"""Messages to a person's phone (短信告知): left in the outbox in the transaction of the deed, sent after its commit.

Whoever has no phone, an organisation, and nobody are told nothing at the same price: they read their own pages.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from idservice.call import Call, Caller
from idservice.events import courier, outbox
from idservice.events.delivery import Sent
from idservice.login import sms_sender
from idservice.register import people

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from sqlalchemy.orm import Session

    from idservice.call import House
    from idservice.events.outbox import Waiting

_KEEP: Final = timedelta(days=3)
_SENDER: Final = Caller(channel="cli", client_id="courier")


def leave(call: Call, kind: str, subject: str, facts: Mapping[str, Any], *, keep: timedelta = _KEEP) -> None:
    """Leave a message of that kind, of use for as long as `keep`, where anybody carries messages at all."""
    if sms_sender.is_configured(call.settings):
        outbox.put(call, kind, subject, facts, keep=keep)


def carry(kind: str, text: Callable[[Call, Waiting], str]) -> None:
    """Have messages of that kind sent; `text` is asked when one is."""

    def send(house: House, notice: Waiting, now: datetime) -> Sent:
        def write(session: Session) -> tuple[str | None, str]:
            call = Call(house, session, _SENDER, now, "courier")
            facts = people.facts(call, notice.target)
            return facts.phone if facts is not None else None, text(call, notice)

        to, said = house.database.run(write, write=False)
        sms_sender.sender(house.settings).send(to, code=None, text=said, at=now)
        return Sent.DONE

    courier.carry_also(kind, send)
