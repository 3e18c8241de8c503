"""Telling the security administrators of an alarm (告警通知): a message to each one's phone, once for each alarm.

A page and a metric are looked at when somebody looks. The notice lies in the outbox in the transaction that raises the
alarm and is sent seconds after its commit; it says what kind of alarm it is, nobody's name and no number.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import select

from idservice.admin.models import Administrator
from idservice.admin.roles import Role
from idservice.call import Call, Caller
from idservice.events import courier, outbox
from idservice.events.delivery import Sent
from idservice.login import sms_sender
from idservice.register import people

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy.orm import Session

    from idservice.call import House
    from idservice.events.outbox import Waiting

KIND: Final = "guard_alarm"
KEEP: Final = timedelta(days=1)
WHAT: Final[Mapping[str, str]] = {  # by licences.guard.alarms.Kind
    "honey": "有人触碰蜜罐号码",
    "day": "有经办人超出当日查询次数",
    "burst": "有经办人查询过快",
    "subject": "有人被反复查询",
    "anomaly": "查询量异常，查询已自动停止",
}
_SENDER: Final = Caller(channel="cli", client_id="courier")


def tell(call: Call, kind: str) -> None:
    """Leave a notice for everybody who holds the security post, where anybody carries messages at all."""
    if not sms_sender.is_configured(call.settings):
        return
    holders = select(Administrator.subject).where(Administrator.role == str(Role.SECURITY))
    for subject in call.session.scalars(holders.order_by(Administrator.subject)).all():
        outbox.put(call, KIND, subject, {"kind": kind}, keep=KEEP)


def send(house: House, notice: Waiting, now: datetime) -> Sent:
    """Send the message of a notice to the administrator's phone."""

    def read(session: Session) -> str | None:
        facts = people.facts(Call(house, session, _SENDER, now, "courier"), notice.target)
        return facts.phone if facts is not None else None

    to = house.database.run(read, write=False)
    text = f"【一号通行】查询管控告警：{WHAT[notice.facts['kind']]}。请立即到“查询管控”页面处理。"
    sms_sender.sender(house.settings).send(to, code=None, text=text, at=now)
    return Sent.DONE


courier.carry_also(KIND, send)
