"""Telling a person that his commitment was found false (承诺失信告知): a message to his phone, beside his own pages.

The notice lies in the outbox in the finding's own transaction and is sent after its commit. It names the unit, the
matter and the last day for an objection; the reason is on his pages alone.
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
from licences.counter import case_parties

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session

    from idservice.call import House
    from idservice.events.outbox import Waiting
    from licences.counter.models import Commitment

KIND: Final = "commitment_marked"
KEEP: Final = timedelta(days=3)
_SENDER: Final = Caller(channel="cli", client_id="courier")


def tell(call: Call, marked: Commitment) -> None:
    """Leave the notice, where anybody carries messages at all."""
    if sms_sender.is_configured(call.settings):
        until = marked.objection_until.isoformat() if marked.objection_until is not None else ""
        facts = {"department": marked.department, "matter": marked.matter, "proof": marked.proof, "until": until}
        outbox.put(call, KIND, marked.subject, facts, keep=KEEP)


def send(house: House, notice: Waiting, now: datetime) -> Sent:
    """Send the message of a notice to the person's phone; an organisation has none and reads its pages."""

    def write(session: Session) -> tuple[str | None, str]:
        call = Call(house, session, _SENDER, now, "courier")
        facts = people.facts(call, notice.target)
        return facts.phone if facts is not None else None, _text(call, notice)

    to, text = house.database.run(write, write=False)
    sms_sender.sender(house.settings).send(to, code=None, text=text, at=now)
    return Sent.DONE


def _text(call: Call, notice: Waiting) -> str:
    unit = unit_name(call, notice.facts["department"])
    matter = case_parties.named(call, notice.facts["matter"], notice.facts["proof"]).matter[0]
    return (
        f"【一号通行】{unit}核查认为您就“{matter}”所作的承诺不实。理由见“承诺和协查”；"
        f"有异议的，请在 {notice.facts['until']} 前提出。"
    )


courier.carry_also(KIND, send)
