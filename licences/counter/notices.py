"""Telling the holder that he was looked up by law (依法查询告知): a message to his phone, beside his access record.

Personal Information Protection Law article 35. The notice lies in the outbox in the look-up's own transaction and is
sent after its commit; it names the unit and the matter, nothing of what was seen. Whoever has no phone, and nobody,
are told nothing at the same price.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from idservice.call import Call, Caller
from idservice.events import courier, outbox
from idservice.events.delivery import Sent
from idservice.login import sms_sender
from idservice.register import people
from licences.asker import unit_name
from licences.counter import matters

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session

    from idservice.call import House
    from idservice.events.outbox import Waiting

KIND: Final = "looked_up"
KEEP: Final = timedelta(days=3)
_SENDER: Final = Caller(channel="cli", client_id="courier")


def tell(call: Call, subject: str, *, department: str, matter: str) -> None:
    """Leave the notice, where anybody carries messages at all."""
    if sms_sender.is_configured(call.settings):
        outbox.put(call, KIND, subject, {"department": department, "matter": matter}, keep=KEEP)


def send(house: House, notice: Waiting, now: datetime) -> Sent:
    """Send the message of a notice to the holder's phone."""

    def write(session: Session) -> tuple[str | None, str]:
        call = Call(house, session, _SENDER, now, "courier")
        facts = people.facts(call, notice.target)
        return facts.phone if facts is not None else None, _text(call, notice)

    to, text = house.database.run(write, write=False)
    sms_sender.sender(house.settings).send(to, code=None, text=text, at=now)
    return Sent.DONE


def _text(call: Call, notice: Waiting) -> str:
    unit, matter = unit_name(call, notice.facts["department"]), matters.entries(call).get(notice.facts["matter"])
    what = f"办理“{matter.name}”所需的" if matter is not None else ""
    return f"【一号通行】{unit}依法查询了您{what}证明，未经您授权。经办人、依据和内容见“谁看过我的证照”。"


courier.carry_also(KIND, send)
