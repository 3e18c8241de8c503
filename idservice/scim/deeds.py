"""What is done to staff accounts, by the names that stand in the audit log."""

from __future__ import annotations

from enum import StrEnum


class StaffDeed(StrEnum):
    """The deeds of staff administration."""

    ACCOUNT_MADE = "idservice:staff_account:make"
    ACCOUNT_CHANGED = "idservice:staff_account:change"
    ACCOUNT_LINKED = "idservice:staff_account:link"
    ACCOUNT_ENDED = "idservice:staff_account:deactivate"
    ACCOUNT_REMOVED = "idservice:staff_account:remove"
    POST_GIVEN = "idservice:post:give"
    POST_TAKEN = "idservice:post:take"
