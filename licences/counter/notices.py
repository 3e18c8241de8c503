"""Telling the holder that he was looked up by law (依法查询告知): a message to his phone, beside his access record.

Personal Information Protection Law article 35. It names the unit and the matter, nothing of what was seen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from licences import messages
from licences.asker import unit_name
from licences.counter import matters

if TYPE_CHECKING:
    from idservice.call import Call
    from idservice.events.outbox import Waiting

KIND: Final = "looked_up"


def tell(call: Call, subject: str, *, department: str, matter: str) -> None:
    """Leave the message with the look-up."""
    messages.leave(call, KIND, subject, {"department": department, "matter": matter})


def _text(call: Call, notice: Waiting) -> str:
    unit, matter = unit_name(call, notice.facts["department"]), matters.entries(call).get(notice.facts["matter"])
    what = f"办理“{matter.name}”所需的" if matter is not None else ""
    return f"【一号通行】{unit}依法查询了您{what}证明，未经您授权。经办人、依据和内容见“谁看过我的证照”。"


messages.carry(KIND, _text)
