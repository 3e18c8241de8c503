"""Telling the security administrators of an alarm (告警通知): a message to each one's phone, once for each alarm.

A page and a metric are looked at when somebody looks. It says what kind of alarm it is, nobody's name and no number.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import select

from idservice.admin.models import Administrator
from idservice.admin.roles import Role
from licences import messages

if TYPE_CHECKING:
    from collections.abc import Mapping

    from idservice.call import Call
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


def tell(call: Call, kind: str) -> None:
    """Leave a message, with the alarm, for everybody who holds the security post."""
    holders = select(Administrator.subject).where(Administrator.role == str(Role.SECURITY))
    for subject in call.session.scalars(holders.order_by(Administrator.subject)).all():
        messages.leave(call, KIND, subject, {"kind": kind}, keep=KEEP)


def _text(_call: Call, notice: Waiting) -> str:
    return f"【一号通行】查询管控告警：{WHAT[notice.facts['kind']]}。请立即到“查询管控”页面处理。"


messages.carry(KIND, _text)
