"""The deeds of a login, as they stand in the audit log."""

from __future__ import annotations

from enum import StrEnum


class Deed(StrEnum):
    """`room:thing:deed`."""

    FACTOR_ADDED = "idservice:factor:add"
    FACTOR_REMOVED = "idservice:factor:remove"
    FACTORS_RESET = "idservice:factor:reset"
    FACTOR_USED = "idservice:factor:use"
    ACTIVATION_MADE = "idservice:activation_code:make"
    ACTIVATION_USED = "idservice:activation_code:use"
    CODE_SENT = "idservice:sms_code:send"
    PASSWORD_CHANGED = "idservice:password:change"
    RECOVERY_BEGUN = "idservice:recovery:begin"
    RECOVERY_PROVED = "idservice:recovery:prove"
    PASSWORD_RESET = "idservice:password:reset"
    LEVEL_RAISED = "idservice:person:raise_level"
