"""A lost second factor (丢失的第二因素): every one that a person has goes at once, with all that was opened by them.

A part of them is no safer than none: whoever found the telephone has what is in it, and the codes lay beside it. What
is left is as on the first day: the password, the telephone on record, and for the next factor an activation code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from idservice import audit
from idservice.login import activation, passkey, recovery_codes, second_factor, session, sms_sender, totp
from idservice.login.deeds import Deed
from idservice.oauth import signing_out

if TYPE_CHECKING:
    from idservice.call import Call

TEXT: Final = (
    "【一号通行】您账号的第二因素（动态口令、通行密钥、备用码）刚刚由管理员移除，所有登录已退出。"
    "如果不是您本人要求，请立即联系本单位和平台管理员。"
)


def has_any(call: Call, subject: str) -> bool:
    """Return whether a person has a second factor that can be taken away: any but the telephone on record."""
    return (
        totp.is_in_use(call, subject)
        or bool(passkey.of_person(call, subject))
        or recovery_codes.left(call, subject) > 0
    )


def reset(call: Call, subject: str) -> None:
    """Take every second factor of a person away by office, end his sessions and tokens, and tell him and the apps.

    Whoever adds one just now is waited for, or finds his session ended. The factors go before the sessions: who is
    showing one has its row, is waited for too, and the session that came of it is seen.
    """
    session.lock(call, subject)
    totp.remove(call, subject, by="admin")
    for row in passkey.of_person(call, subject):
        passkey.remove(call, subject, row.credential_hash.hex(), by="admin")
    recovery_codes.remove(call, subject)
    activation.forget(call, subject)
    signing_out.end_others(call, subject, but=None, by="admin", reason="factors_reset")
    audit.record(call, Deed.FACTORS_RESET, subject=subject)
    _tell(call, second_factor.phone_of(call, subject))


def _tell(call: Call, to: str | None) -> None:
    if sms_sender.is_configured(call.settings) and to is not None:
        sms_sender.sender(call.settings).send(to, code=None, text=TEXT, at=call.now)
