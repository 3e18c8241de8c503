"""The deeds of this room, as they stand in the audit log."""

from __future__ import annotations

from enum import StrEnum


class Deed(StrEnum):
    """`room:thing:deed`."""

    TYPE_ENTERED = "licences:type:enter"
    MATTER_ENTERED = "licences:matter:enter"
    AUTHORITY_ENTERED = "licences:authority:enter"
    INTENDED = "licences:licence:intend"
    ISSUED = "licences:licence:issue"
    CHANGED = "licences:licence:change"
    READ = "licences:licence:read"
    PAPER_SIGNED = "licences:paper_code:sign"
    SHOWN = "licences:presentation:create"
    VERIFIED = "licences:verification:create"
    LOOKED_UP = "licences:lookup:create"
    LOOKUP_CONSENTED = "licences:lookup_consent:create"
    LOOKUP_CONSENT_WITHDRAWN = "licences:lookup_consent:withdraw"
