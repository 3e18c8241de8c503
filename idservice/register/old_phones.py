"""A telephone number that gives way to another (更换手机号码): whoever had the old one hears of it, there and in apps.

With the new number somebody may recover the account. If the change is not the owner's, the old number is where he is.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Final

from idservice.events.security_events import CREDENTIAL_CHANGE
from idservice.login import sms_sender

if TYPE_CHECKING:
    from idservice.call import Call, House

TEXT: Final = (
    "【一号通行】您账号登记的手机号码刚刚更换，今后短信不再发到本号码。"
    "如果不是您本人办理，请立即到政务服务窗口挂失账号。"
)


def tell_apps(call: Call, subjects: Iterable[str]) -> None:
    """Tell receivers of security events that codes by SMS go elsewhere now; in the transaction of the change."""
    from idservice.events import emit  # late: it knows apps, which know the registers

    if emit.is_wanted(call, CREDENTIAL_CHANGE):
        for subject in subjects:
            emit.credential_changed(call, subject, credential="phone-sms", change="update", by="admin")


def tell(house: House, phones: Iterable[str], *, at: datetime) -> None:
    """Send word to the old numbers, once the change is committed."""
    if sms_sender.is_configured(house.settings):
        for phone in phones:
            sms_sender.sender(house.settings).send(phone, code=None, text=TEXT, at=at)
