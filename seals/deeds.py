"""The deeds of this room, as they stand in the audit log."""

from __future__ import annotations

from enum import StrEnum


class Deed(StrEnum):
    """`room:thing:deed`."""

    AUTHORITY_MADE = "seals:authority:make"
    ANCHOR_TRUSTED = "seals:anchor:trust"
    MAKER_PERMITTED = "seals:maker:permit"
    MAKER_FORBIDDEN = "seals:maker:forbid"
    CERTIFICATE_REVOKED = "seals:certificate:revoke"
    LIST_ADDED = "seals:revocation_list:add"
    TIME_STAMPED = "seals:time_stamp:issue"
    APPLIED = "seals:seal:apply"
    MADE = "seals:seal:make"
    CHANGED = "seals:seal:change"
    DEPARTMENT_RENAMED = "seals:department:rename"
    USER_NAMED = "seals:user:name"
    USE_INTENDED = "seals:use:intend"
    USED = "seals:use:create"
    DOCUMENT_CERTIFIED = "seals:document_certificate:issue"
    RECONCILED = "seals:reconciliation:create"
