"""Telling a person that his commitment was found false (承诺失信告知): a message to his phone, beside his own pages.

It names the unit, the matter and the last day for an objection; the reason is on his pages alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from licences import messages
from licences.asker import unit_name
from licences.counter import case_parties

if TYPE_CHECKING:
    from idservice.call import Call
    from idservice.events.outbox import Waiting
    from licences.counter.models import Commitment

KIND: Final = "commitment_marked"


def tell(call: Call, marked: Commitment) -> None:
    """Leave the message with the finding."""
    until = marked.objection_until.isoformat() if marked.objection_until is not None else ""
    facts = {"department": marked.department, "matter": marked.matter, "proof": marked.proof, "until": until}
    messages.leave(call, KIND, marked.subject, facts)


def _text(call: Call, notice: Waiting) -> str:
    unit = unit_name(call, notice.facts["department"])
    matter = case_parties.named(call, notice.facts["matter"], notice.facts["proof"]).matter[0]
    return (
        f"【一号通行】{unit}核查认为您就“{matter}”所作的承诺不实。理由见“承诺和协查”；"
        f"有异议的，请在 {notice.facts['until']} 前提出。"
    )


messages.carry(KIND, _text)
